"""What `adscore --info` prints: the detector's spec for a reader."""

from adscore.errors import printable
from adscore.spec import Calibration, DetectorSpec, Pattern, SelfTest


def describe(spec: DetectorSpec) -> str:
    """Returns the spec as aligned lines, a topic each."""
    image, training, parity = spec.image, spec.training, spec.parity
    blur = "" if spec.score.parameter is None else f", of a difference blurred by {spec.score.parameter:g} pixels"
    topics = {
        "image": f"{image.width}x{image.height} {image.mode}; resample {image.resample}, aspect {image.aspect}, "
        f"EXIF orientation {image.exif_orientation}, 16-bit {image.sixteen_bit}, alpha {image.alpha}, "
        f"JPEG {image.jpeg}",
        "score": f"{spec.score.reduction} of the anomaly map{blur}; higher = more anomalous",
        "threshold": f"{spec.calibration.threshold:.9g}, {describe_rule(spec.calibration)}",
        "p-values": f"from {spec.calibration.reference.images} held-out images",
        "map scale": f"{spec.map_scale:.6g} is full heat",
        "training": f"{training.images} images, data {training.fingerprint[:23]}",
        "settings": ", ".join(f"{name} {value}" for name, value in training.settings.items()),
        "versions": ", ".join(f"{name} {version}" for name, version in training.versions.items()),
        "parity": f"{parity.images} images at batch {' and '.join(map(str, parity.batch_sizes))}: largest relative "
        f"difference from Keras {parity.max_relative_difference:.1e}, labels agree {parity.label_agreement:.2%}",
        "self-test": describe_selftest(spec.selftest),
        "precision": spec.precision,
        "format": str(spec.format_version),
    }
    return "\n".join(f"{name:<10} {printable(text)}" for name, text in topics.items())


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
