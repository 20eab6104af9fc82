"""The `adtrain` command: make a set, fit, export, evaluate.

Nothing heavy is imported above the commands' bodies, so that --help answers at once and a light install can say what
is missing.
"""

import shlex
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

import typer

from adscore.command import fail, run, say
from adscore.errors import printable
from adtrain.cli_evaluate import Hidden, evaluate
from adtrain.cli_export import export
from adtrain.quiet import import_tensorflow

# What the train extra brings beyond the scorer.
_TRAINING_STACK = ("keras", "matplotlib", "onnx", "onnx_ir", "onnxscript", "sklearn", "tensorflow", "tf2onnx")

_MAX_SIDE = 8192
_MAX_SEED = 2**32 - 1

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Train an anomaly detector on images of good parts and make one .onnx file of it.",
    epilog="Example: adtrain fit ./good && adtrain export",
)

Size = Annotated[
    str | None, typer.Option(metavar="WxH", help="Size to train at, in pixels. Default: the images' own, up to 256.")
]


@app.command(epilog="Example: adtrain dataset mnist.npz --normal 1 --anomaly 3 --contamination 0.01 --out ones")
def dataset(
    source: Annotated[
        str, typer.Argument(help="Labelled images: .npz, IDX file or folder, mnist, fashion-mnist, or demo.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    normal: Annotated[int, typer.Option(help="Label of the normal images.")] = 1,
    anomaly: Annotated[int, typer.Option(help="Label of the anomalies.")] = 3,
    contamination: Annotated[
        float | None,
        typer.Option(
            min=0, max=1000, help="Anomalies per normal image. Default: 0.01 of --split train, all of --split test."
        ),
    ] = None,
    split: Annotated[Literal["train", "test"], typer.Option(help="Half of the source to draw from.")] = "train",
    seed: Annotated[int, typer.Option(min=0, max=_MAX_SEED, help="Seed of the draw and the order.")] = 42,
    force: Annotated[bool, typer.Option("--force", help="Replace a folder that is there.")] = False,
) -> None:
    """Write an unsupervised set: all images of one class and a few of another, as PNG files with a labels.csv."""
    from adtrain.arrays import load_labelled
    from adtrain.dataset import default_contamination, unsupervised_set, write_set

    share = default_contamination(split) if contamination is None else contamination
    chosen = unsupervised_set(
        load_labelled(source, split), normal=normal, anomaly=anomaly, contamination=share, seed=seed
    )
    write_set(chosen, out, anomaly=anomaly, force=force)
    anomalies = int((chosen.labels == anomaly).sum())
    made = f"{len(chosen.labels) - anomalies} images of label {normal} and {anomalies} of label {anomaly}"
    typer.echo(printable(f"{out}: {made}"))


@app.command(epilog="Example: adtrain fit ./good --out artifacts/run")
def fit(
    data: Annotated[
        str | None, typer.Argument(help="Folder of images, .npz, or IDX file. Default: the bundled demo set.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Run folder to write.")] = Path("artifacts/run"),
    normal: Annotated[
        list[str] | None, typer.Option(metavar="DIR", help="Folder of DATA whose images are normal. May be repeated.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="Leave out images of this name or folder. May be repeated.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a run that is there.")] = False,
    size: Size = None,
    mode: Annotated[Literal["L", "RGB"] | None, typer.Option(help="Grey or colour. Default: the images' own.")] = None,
    bits: Annotated[
        int | None,
        typer.Option(
            min=8, max=16, help="Bits that 16-bit images use: 10, 12, 14, 16. Default: what all of them take."
        ),
    ] = None,
    recipe: Annotated[
        Literal["auto", "tutorial"],
        typer.Option(help="auto: what is not set is chosen from the data; tutorial: the design adscore grew from."),
    ] = "auto",
    tile: Annotated[
        int | None, typer.Option(help="Side of the tiles large pictures are cut into; 0: whole pictures.")
    ] = None,
    score: Annotated[
        Literal["auto", "mean", "top", "max", "normalized", "relative", "deviation"],
        typer.Option(help="How the anomaly map becomes a score. auto: relative, with tiles deviation."),
    ] = "auto",
    blur: Annotated[
        float | None, typer.Option(help="Blur of the difference before it is squared, in pixels (std. deviation).")
    ] = None,
    light: Annotated[
        Literal["as_is", "even"] | None,
        typer.Option(help="even: each picture is divided by its own large-scale brightness. Default: if light varies."),
    ] = None,
    repair: Annotated[
        bool | None, typer.Option("--repair/--no-repair", help="Damage the images and learn to restore them.")
    ] = None,
    robust: Annotated[
        bool | None, typer.Option("--robust/--no-robust", help="Leave out what stands out, so it is not learnt.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training images. Default: 12.")] = None,
    views: Annotated[
        int | None, typer.Option(help="Visits to each image a pass. Default: more with few images.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images a step. Default: 64.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Adam's, at the start. Default: 0.0015.")] = None,
    decay: Annotated[
        float | None, typer.Option(help="Rate = learning rate / (1 + decay x steps). Default: half a cosine.")
    ] = None,
    filters: Annotated[
        str | None, typer.Option(help="Filters of each convolution, inwards. Default: 32,64, with tiles 16,32.")
    ] = None,
    decoder: Annotated[
        Literal["narrow", "wide"] | None, typer.Option(help="wide: as many filters as the encoder; narrow: half.")
    ] = None,
    latent: Annotated[
        int | None, typer.Option(help="Length of the latent vector. Default: 16; with tiles or no repair 8.")
    ] = None,
    held_out: Annotated[float, typer.Option(help="Share of images kept from training, to calibrate on.")] = 0.2,
    seed: Annotated[int, typer.Option(min=0, max=_MAX_SEED, help="Seed of weights, split and order.")] = 42,
    hidden: Hidden = False,
) -> None:
    """Train the autoencoder on images that are (mostly) normal, and keep the run.

    Ctrl-C keeps the best epoch so far, once the scout is done and the first has ended.
    """
    from adtrain.selection import select

    selection = select(data, normal=normal or (), exclude=exclude or (), hidden=hidden)
    import_tensorflow()
    from adtrain.fit import fit as fit_run

    asked = {
        "filters": None if filters is None else _numbers(filters, ",", "--filters"),
        "decoder": decoder,
        "latent": latent,
        "tile": tile,
        "light": light,
        "repair": repair,
        "robust": robust,
        "score": None if score == "auto" else score,
        "blur": blur,
        "epochs": epochs,
        "views": views,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "decay": decay,
        "held_out": held_out,
        "seed": seed,
    }
    fitted = fit_run(
        data, out, asked, recipe=recipe, size=_size(size), mode=mode, bits=bits, selection=selection, force=force,
        notify=say,
    )  # fmt: skip
    follow = f"adtrain export {shlex.quote(str(fitted.folder))}"
    say(f"run: {fitted.folder} (weights, held-out images, history and pictures); next: {follow}")


app.command(epilog="Example: adtrain export artifacts/run --out artifacts/detector.onnx --fpr 0.01")(export)


app.command(epilog="Example: adtrain evaluate artifacts/detector.onnx ./data")(evaluate)


def main() -> None:
    """Runs the command; without the training stack it says how to install it."""
    missing = [name for name in _TRAINING_STACK if find_spec(name) is None]
    if missing and "--help" not in sys.argv:
        fail(f"adtrain needs {', '.join(missing)}, which the scorer does not; pip install 'adscore[train]'")
    run(app)


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    numbers = _numbers(text.lower(), "x", "--size")
    if len(numbers) != 2:
        raise typer.BadParameter(f"{text} is not a size; write width x height, e.g. 128x128", param_hint="--size")
    if not all(0 < number <= _MAX_SIDE for number in numbers):
        raise typer.BadParameter(f"{text}: sides are 1 to {_MAX_SIDE} pixels long", param_hint="--size")
    return numbers[0], numbers[1]


def _numbers(text: str, separator: str, hint: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(separator))
    except ValueError:
        example = {"--size": "128x128", "--filters": "32,64"}[hint]
        raise typer.BadParameter(f"{text} is not of the form {example}", param_hint=hint) from None
