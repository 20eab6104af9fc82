"""What a picture was before it became the graph's input, and how unlike those it may be that the detector knows."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from adscore.spec import DetectorSpec, Mode, Pictures

# "range": samples beyond the bits that the detector reads; the others say in what a picture is unlike those trained on.
Remark = Literal["range", "size", "shape", "colour", "depth"]

# A side so many times longer than the longest trained on, or shorter than the shortest: the parts at another scale.
FARTHEST_SIZE = 2.0
# An aspect ratio so far beyond those trained on shows them out of shape, since pictures are stretched.
FARTHEST_ASPECT = 1.25


class Original(NamedTuple):
    """What decoding notices about a picture."""

    width: int  # pixels, upright
    height: int  # pixels, upright
    mode: Mode  # stored in grey or in colour
    depth: int  # bits a sample is stored in: 8, or 16 for all that is more
    largest: int | None  # 16-bit sample, where they were looked at

    def __str__(self) -> str:
        """Returns it as a reader sees it: size, colour and depth."""
        return f"{self.width}x{self.height} {self.mode}, {self.depth} bits"


def remarks_on(original: Original, spec: DetectorSpec) -> tuple[Remark, ...]:
    """Returns what there is to say of a picture that this detector scores; nearly always nothing."""
    found: list[Remark] = []
    if original.largest is not None and original.largest >> spec.image.bits:
        found.append("range")
    known = spec.training.pictures
    if known is None:
        return tuple(found)
    sides = ((original.width, known.width), (original.height, known.height))
    if any(_is_far(side, span, FARTHEST_SIZE) for side, span in sides):
        found.append("size")
    if _is_far(original.width / original.height, known.aspect, FARTHEST_ASPECT):
        found.append("shape")
    if original.mode not in known.modes:
        found.append("colour")
    if original.depth not in known.depths:
        found.append("depth")
    return tuple(found)


def pictures_of(originals: Sequence[Original]) -> Pictures:
    """Returns what so many pictures, at least one, were."""
    widths, heights = [each.width for each in originals], [each.height for each in originals]
    aspects = [each.width / each.height for each in originals]
    return Pictures(
        (min(widths), max(widths)),
        (min(heights), max(heights)),
        (min(aspects), max(aspects)),
        tuple(sorted({each.mode for each in originals})),
        tuple(sorted({each.depth for each in originals})),
        max((each.largest for each in originals if each.largest is not None), default=None),
    )


def describe(pictures: Pictures) -> str:
    """Returns what the pictures trained on were, in words."""
    (narrow, wide), (low, high) = pictures.width, pictures.height
    size = f"{narrow}x{low}" if (narrow, low) == (wide, high) else f"{narrow}x{low} to {wide}x{high}"
    return f"{size} {' and '.join(pictures.modes)}, {' and '.join(map(str, pictures.depths))} bits"


def _is_far(value: float, span: tuple[float, float], factor: float) -> bool:
    return value * factor < span[0] or value > span[1] * factor
