"""From any size to the detector's: across, then down, a triangle filter each; the README has the rule to the bit."""

from PIL import Image

from adscore.errors import ImageError

# A high and narrow picture is the largest between the two passes; so many pixels in colour take half a gigabyte.
_MOST_BETWEEN = 1 << 27


def resize(image: Image.Image, width: int, height: int) -> Image.Image:
    """Returns the 8-bit image at this size in pixels, with 8 bits between the passes as well.

    Two calls, since which way a single one goes first depends on Pillow's version: before 13 always this one.

    Raises:
        ImageError: it would take more memory on the way than any image may.
    """
    if image.width < width and width * image.height > _MOST_BETWEEN:
        raise ImageError(
            f"{image.width}x{image.height} pixels at the detector's width of {width} are more than the "
            f"{_MOST_BETWEEN} allowed"
        )
    across = image.resize((width, image.height), Image.Resampling.BILINEAR)
    return across.resize((width, height), Image.Resampling.BILINEAR)
