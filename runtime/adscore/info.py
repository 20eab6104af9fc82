"""What `adscore --info` and `--version` print: the detector's spec for a reader, and which versions read it."""

import json
from dataclasses import asdict

import typer

from adscore import __version__
from adscore.errors import printable
from adscore.original import describe as describe_pictures
from adscore.spec import FORMAT_VERSION, Calibration, DetectorSpec, Pattern, Pictures, SelfTest


def print_version() -> None:
    """Prints the versions of the tool and of the file format."""
    typer.echo(f"adscore {__version__} (detector format {FORMAT_VERSION})")


def print_info(spec: DetectorSpec, *, as_json: bool) -> None:
    """Prints the spec as JSON, or as lines for a reader."""
    typer.echo(json.dumps(asdict(spec), indent=2) if as_json else describe(spec))


def describe(spec: DetectorSpec) -> str:
    """Returns the spec as aligned lines, a topic each."""
    image, training, parity = spec.image, spec.training, spec.parity
    blur = "" if spec.score.parameter is None else f", of a difference blurred by {spec.score.parameter:g} pixels"
    topics = {
        "image": f"{image.width}x{image.height} {image.mode}; resample {image.resample}, aspect {image.aspect}, "
        f"EXIF orientation {image.exif_orientation}, 16-bit {image.sixteen_bit} ({image.bits}), alpha {image.alpha}, "
        f"JPEG {image.jpeg}",
        "score": f"{spec.score.reduction} of the anomaly map{blur}; higher = more anomalous",
        "threshold": f"{spec.calibration.threshold:.9g}, {describe_rule(spec.calibration)}",
        "p-values": f"from {spec.calibration.reference.images} held-out images",
        "map scale": f"{spec.map_scale:.6g} is full heat",
        "training": f"{training.images} images, data {training.fingerprint[:23]}",
        "pictures": "unknown" if training.pictures is None else _describe_pictures(training.pictures),
        "settings": ", ".join(f"{name} {value}" for name, value in training.settings.items()),
        "versions": ", ".join(f"{name} {version}" for name, version in training.versions.items()),
        "parity": f"{parity.images} images at batch {' and '.join(map(str, parity.batch_sizes))}: largest relative "
        f"difference from Keras {parity.max_relative_difference:.1e}, labels agree {parity.label_agreement:.2%}",
        "self-test": describe_selftest(spec.selftest),
        "precision": spec.precision,
        "format": str(spec.format_version),
    }
    return "\n".join(f"{name:<10} {printable(text)}" for name, text in topics.items())


def _describe_pictures(pictures: Pictures) -> str:
    largest = "" if pictures.largest_sample is None else f", the largest of 16-bit values {pictures.largest_sample}"
    return f"trained on {describe_pictures(pictures)}{largest}"


def describe_rule(calibration: Calibration) -> str:
    """Returns where the threshold comes from, in a clause."""
    if calibration.rule == "split-conformal":
        return f"split-conformal: false-alarm rate <= {calibration.target:g}, from {calibration.images} held-out images"
    if calibration.rule == "quantile":
        return f"quantile {calibration.target:g} of the scores of {calibration.images} images, training images included"
    return "given by hand"


def describe_selftest(selftest: tuple[SelfTest, ...] | Pattern) -> str:
    """Returns what is scored to test a device, and what it has to score."""
    if isinstance(selftest, Pattern):
        return f"{selftest.pattern} scores {selftest.score:.9g}"
    scores = ", ".join(f"{test.score:.9g}" for test in selftest)
    return f"pictures in the file: {len(selftest)}, which score {scores}"
