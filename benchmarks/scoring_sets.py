"""What `make bench` scores: small PNG files, large JPEG files, and a detector for each, kept in artifacts/bench.

python -m benchmarks.scoring_sets PNGS JPEGS LINKS... [--data folder]    # makes what is missing
"""

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from adscore.atomic import appears_when_complete, folder_appears_when_complete

FOLDER = Path(__file__).parent.parent / "artifacts" / "bench"
MEGAPIXELS = 12


@dataclass(frozen=True)
class Scene:
    """A folder of images and a detector for them, with the Keras and the LiteRT form of the same network."""

    images: Path
    part: Path  # a folder with the first tenth of them
    run: Path  # of `adtrain fit`
    detector: Path
    litert: Path | None  # None where LiteRT is not installed


def small(count: int, link: int = 0) -> Scene:
    """Returns 28x28 PNG files of the bundled set, which is MNIST's ones and threes.

    Args:
        count: how many.
        link: instead of them, a folder of so many names of those files, which takes no room on the disk.
    """
    from adtrain.arrays import load_demo

    folder = FOLDER / f"png-{count}"
    if not folder.is_dir():
        images = np.concatenate([load_demo("train").images, load_demo("test").images])
        with folder_appears_when_complete(folder, force=False, contents=()) as partial:
            for number in range(count):
                Image.fromarray(images[number % len(images)]).save(partial / f"{number:06}.png")
    if link:
        names, folder = sorted(folder.iterdir()), FOLDER / f"png-{count}-as-{link}"
        if not folder.is_dir():
            with folder_appears_when_complete(folder, force=False, contents=()) as partial:
                for number in range(link):
                    os.link(names[number % count], partial / f"{number:06}.png")
    return Scene(folder, _tenth(folder), *_detector("small", None, {"epochs": 1}))


def large(count: int, data: Path | None) -> Scene:
    """Returns JPEG files of about 12 megapixels, and a detector of 128x128.

    They are photographs, enlarged, with noise such as a sensor adds: of screws, where `data` has them, else the two
    that scikit-learn brings along.
    """
    folder = FOLDER / f"jpeg-{count}"
    if not folder.is_dir():
        photographs = _photographs(data)
        with folder_appears_when_complete(folder, force=False, contents=()) as partial:
            for number in range(count):
                _enlarged(photographs[number % len(photographs)], number).save(partial / f"{number:03}.jpg", quality=90)
    training = FOLDER / "jpeg-train"
    if not training.is_dir():
        photographs = _photographs(data)
        with folder_appears_when_complete(training, force=False, contents=()) as partial:
            for number in range(30):
                photograph = _enlarged(photographs[number % len(photographs)], number, megapixels=0.25)
                photograph.save(partial / f"{number:03}.jpg", quality=90)
    asked = {"epochs": 1, "views": 1, "tile": 0}
    return Scene(folder, _tenth(folder), *_detector("large", str(training), asked, size=(128, 128)))


def _tenth(folder: Path) -> Path:
    part = folder.with_name(f"{folder.name}-tenth")
    if not part.is_dir():
        files = sorted(folder.iterdir())
        with folder_appears_when_complete(part, force=False, contents=()) as partial:
            for path in files[: max(1, len(files) // 10)]:
                os.link(path, partial / path.name)
    return part


def _photographs(data: Path | None) -> list[Image.Image]:
    if data is not None and (data / "screws").is_dir():
        return [Image.open(path).convert("RGB") for path in sorted((data / "screws").rglob("*.jpg"))[:20]]
    from sklearn.datasets import load_sample_images

    return [Image.fromarray(image) for image in load_sample_images().images]


def _enlarged(photograph: Image.Image, seed: int, megapixels: float = MEGAPIXELS) -> Image.Image:
    scale = (megapixels * 1e6 / (photograph.width * photograph.height)) ** 0.5
    size = (round(photograph.width * scale), round(photograph.height * scale))
    pixels = np.asarray(photograph.resize(size, Image.Resampling.BICUBIC), np.int16)
    noise = np.random.default_rng(seed).integers(-12, 13, pixels.shape, np.int16)
    return Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8))


def _detector(
    name: str, data: str | None, asked: dict[str, Any], size: tuple[int, int] | None = None
) -> tuple[Path, Path, Path | None]:
    """Returns (run, detector, LiteRT file); how long it was trained makes no difference to speed."""
    from importlib.util import find_spec

    run, detector, litert = FOLDER / name, FOLDER / f"{name}.onnx", FOLDER / f"{name}.tflite"
    if not detector.is_file():
        from adtrain.export import export_run, rule_for
        from adtrain.fit import fit
        from adtrain.quiet import import_tensorflow

        import_tensorflow()
        if not run.is_dir():
            fit(data, run, asked, size=size, notify=lambda line: print(line, file=sys.stderr))
        trained = _load(run)
        export_run(trained, rule_for(trained, fpr=None, quantile=None, threshold=1.0), detector)
    if find_spec("ai_edge_litert") is None:
        return run, detector, None
    if not litert.is_file():
        _convert(run, litert)
    return run, detector, litert


def _load(run: Path) -> Any:
    from adtrain.run import load_run

    return load_run(run)


def _convert(run: Path, litert: Path) -> None:
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    from adexport.graph import detector_function
    from adtrain.run import load_weights

    loaded = _load(run)
    function = detector_function(load_weights(loaded), loaded.image, loaded.scoring)
    frozen = convert_variables_to_constants_v2(function.get_concrete_function())
    with appears_when_complete(litert) as partial:
        partial.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([frozen]).convert())


def main() -> None:
    """Makes everything; in a process of its own, since those it starts would inherit the peak of its memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pngs", type=int)
    parser.add_argument("jpegs", type=int)
    parser.add_argument("links", type=int, nargs="*")
    parser.add_argument("--data", type=Path)
    arguments = parser.parse_args()
    small(arguments.pngs)
    for count in arguments.links:
        small(arguments.pngs, link=count)
    large(arguments.jpegs, arguments.data)


if __name__ == "__main__":
    main()
