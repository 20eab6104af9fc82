"""What a detector file says of itself: the words of the contract as frozen dataclasses.

The file format is written down in the README, "The file". This module imports the standard library only, so that any
side of the house can speak these words without loading numpy.
"""

from array import array
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

FORMAT_VERSION = 3
# 1: before `image.jpeg`, and what it did is that key's default. 1 and 2: before `image.resample` named an order of
# passes, and before `image.bits`, of which their `high_byte` is 16; their `selftest` is a formula and not pictures.
READABLE_VERSIONS = (1, 2, 3)
METADATA_KEY = "adscore.spec"

MAX_FLOAT32 = 3.4028234663852886e38

_SELFTEST_OF_PICTURES = 3  # the version from which on

LARGEST_SELFTEST = 64  # pixels along a side

_MOST_PIXELS = 1 << 26  # of the graph's input: 8,192 x 8,192
_MOST_IMAGES = 1 << 53  # ranks stay exact in any reader's numbers

BITS = (8, 16)  # that a 16-bit picture may use, the fewest and the most

Mode = Literal["L", "RGB"]
Rule = Literal["split-conformal", "quantile", "given"]
Precision = Literal["float32", "int8"]


@dataclass(frozen=True)
class ImageSpec:
    """How any image becomes the graph's input; each field names a rule, so that no pixel value is ever consulted."""

    width: int  # pixels
    height: int  # pixels
    mode: Mode  # "L": one channel, ITU-R 601 luma; "RGB": three channels
    # Triangle filter, its support widened by the reduction (antialiased); first across, then down, 8 bits between them.
    # "bilinear" is the same: when it was the only word, Pillow went across first as well.
    resample: Literal["bilinear", "bilinear_horizontal_then_vertical"] = "bilinear_horizontal_then_vertical"
    aspect: Literal["stretch"] = "stretch"  # width and height are scaled apart; nothing is cropped or padded
    exif_orientation: Literal["apply"] = "apply"  # turned upright before anything else
    # "bits": the least of value and 2^bits - 1, >> (bits - 8). "high_byte": value >> 8, which is that of 16 bits.
    sixteen_bit: Literal["high_byte", "bits"] = "bits"
    # "reduced": by the largest of 8, 4, 2 and 1 that leaves at least twice the input's width and height, and for grey
    # the luma alone of a picture in YCbCr; the decoder does both at a fraction of the cost. "full": every pixel, in
    # colour.
    jpeg: Literal["full", "reduced"] = "full"
    alpha: Literal["ignore"] = "ignore"  # the stored colours count, not what they would look like on a background
    bits: int = 16  # how many of its 16 bits a 16-bit picture uses, the lowest; never told by the picture itself

    def __post_init__(self) -> None:
        low, high = BITS if self.sixteen_bit == "bits" else (16, 16)
        _require(low <= self.bits <= high, f"image.bits is {self.bits}, and {self.sixteen_bit} has {low} to {high}")
        size = f"image is {self.width}x{self.height}"
        _require(self.width > 0 and self.height > 0, f"{size}, which holds no pixel")
        _require(self.width * self.height <= _MOST_PIXELS, f"{size}, more than the {_MOST_PIXELS:,} pixels allowed")

    @property
    def channels(self) -> int:
        """Number of channels in the graph's input."""
        return 3 if self.mode == "RGB" else 1

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of one prepared image, (height, width, channels)."""
        return (self.height, self.width, self.channels)


@dataclass(frozen=True)
class ScoreSpec:
    """How the graph reduces the anomaly map to one score; for the reader, since the graph does it."""

    reduction: str  # "mean", "top", "max", "normalized", "relative", "deviation", or another that the exporter knows
    parameter: float | None = None  # blur of the difference behind the map, standard deviation in pixels, if any


@dataclass(frozen=True)
class Reference:
    """Scores of held-out normal images at chosen ranks: what p-values and other false-alarm rates are read from."""

    images: int  # how many held-out images were scored
    ranks: tuple[int, ...]  # ascending, 1 = smallest score; every rank up to 1,000 images
    scores: tuple[float, ...]  # the score at each rank

    def __post_init__(self) -> None:
        _require(len(self.ranks) == len(self.scores), "calibration.reference has unequal numbers of ranks and scores")
        finite = all(abs(score) <= MAX_FLOAT32 for score in self.scores)
        _require(finite, "calibration.reference holds a score that is not finite in float32")
        _require(list(self.scores) == sorted(self.scores), "calibration.reference scores are not ascending")
        ascending = all(low < high for low, high in pairwise([0, *self.ranks]))
        _require(ascending, "calibration.reference ranks are not ascending from 1")
        _require(max(self.ranks, default=0) == self.images, "calibration.reference does not end with its largest score")
        _require(self.images <= _MOST_IMAGES, f"calibration.reference is of more than {_MOST_IMAGES:,} images")

    @cached_property
    def packed(self) -> "tuple[array[float], array[int]]":
        """The scores in float32, and 0 followed by the ranks in int64: ready for every batch without a conversion."""
        return array("f", self.scores), array("q", (0, *self.ranks))


@dataclass(frozen=True)
class Calibration:
    """Where the threshold comes from and what it promises."""

    rule: Rule
    target: float | None  # false-alarm rate (split-conformal), quantile (quantile), None (given)
    threshold: float  # an image is an anomaly if its score is greater; the value is exact in float32
    images: int  # how many images' scores the threshold was computed from
    held_out: bool  # whether training never saw them
    reference: Reference

    def __post_init__(self) -> None:
        _require(abs(self.threshold) <= MAX_FLOAT32, "calibration.threshold is not finite in float32")
        _require((self.target is None) == (self.rule == "given"), "calibration.target does not fit the rule")
        _require(self.target is None or 0 < self.target < 1, "calibration.target does not lie between 0 and 1")
        _require(self.held_out or self.rule != "split-conformal", "calibration is split-conformal, but not held out")
        _require(self.images >= 0, "calibration.images is negative")


@dataclass(frozen=True)
class Pictures:
    """What the pictures trained on were, before they became the graph's input: the smallest and the largest."""

    width: tuple[int, int]  # pixels, upright
    height: tuple[int, int]  # pixels, upright
    aspect: tuple[float, float]  # width over height
    modes: tuple[Mode, ...]  # how they are stored: "L", grey; "RGB", any kind of colour
    depths: tuple[int, ...]  # bits a sample is stored in: 8, or 16 for all that is more
    largest_sample: int | None  # of those in 16 bits; None: there were none

    def __post_init__(self) -> None:
        for name, span in (("width", self.width), ("height", self.height), ("aspect", self.aspect)):
            _require(len(span) == 2 and 0 < span[0] <= span[-1], f"training.pictures.{name} is no span")
        _require(bool(self.modes and self.depths), "training.pictures has no modes or no depths")


@dataclass(frozen=True)
class TrainingRecord:
    """Where the weights come from."""

    settings: dict[str, str | int | float | bool | list[int] | None]  # all that repeats the training
    images: int  # how many images the weights were fitted to
    fingerprint: str  # "sha256:" over the prepared pixels of all images, held-out ones included, in order
    versions: dict[str, str]  # tool -> version
    pictures: Pictures | None = None  # None: of a training that did not look at them

    def __post_init__(self) -> None:
        _require(self.images >= 0, "training.images is negative")


@dataclass(frozen=True)
class Parity:
    """Proof that this graph and the Keras model it came from say the same."""

    images: int  # held-out images compared
    batch_sizes: tuple[int, ...]  # each image was scored at each of these
    max_relative_difference: float  # largest |a - b| / max(a, b) over all pairs of scores
    label_agreement: float  # share of the images with the same label throughout, or too near the threshold to tell

    def __post_init__(self) -> None:
        _require(self.images >= 0, "parity.images is negative")
        _require(0 <= self.label_agreement <= 1, "parity.label_agreement does not lie between 0 and 1")


@dataclass(frozen=True)
class SelfTest:
    """A picture and its score: shows that a device computes what the exporter computed. See `adscore.selftest`."""

    width: int  # pixels of the part of a held-out picture that is kept; it is mirrored to the size of the input
    height: int
    pixels: str  # uint8, row by row, the channels of a pixel together; deflated by zlib, in base64
    score: float

    def __post_init__(self) -> None:
        size = f"selftest is {self.width}x{self.height}"
        _require(0 < self.width <= LARGEST_SELFTEST and 0 < self.height <= LARGEST_SELFTEST, f"{size} and must be at "
                 f"most {LARGEST_SELFTEST}x{LARGEST_SELFTEST}")  # fmt: skip


@dataclass(frozen=True)
class Pattern:
    """The self-test of formats 1 and 2: a picture that anyone can paint, which hardly shows a fault of one layer."""

    pattern: str  # formula of the uint8 pixel at (row, column, channel)
    score: float


@dataclass(frozen=True)
class DetectorSpec:
    """Everything but the graph that a scorer must know."""

    image: ImageSpec
    score: ScoreSpec
    calibration: Calibration
    map_scale: float  # value of the anomaly map that a heatmap shows at full heat
    training: TrainingRecord
    parity: Parity
    selftest: tuple[SelfTest, ...] | Pattern
    precision: Precision = "float32"  # of the large layers; error and score are float32 in any case
    alone: bool = False  # each image has a run of its own, since in one of several rounding depends on its place
    format_version: int = FORMAT_VERSION

    def __post_init__(self) -> None:
        _require(self.map_scale > 0, "map_scale is not above zero")
        pictures = self.format_version >= _SELFTEST_OF_PICTURES
        _require(isinstance(self.selftest, tuple) == pictures, "selftest is of another format_version")


def _require(condition: bool, fault: str) -> None:
    if not condition:
        raise ValueError(fault)
