"""What callers in Python may give; what is something else is a TypeError that says what to give, or where."""

import os
from collections.abc import Iterable, Iterator, Sequence
from io import IOBase

from adscore.spec import ImageSpec


def paths_of(paths: object) -> Iterator[str]:
    """Returns the paths that `Detector.predict` was given, one by one; of a list all are looked at before.

    Raises:
        TypeError: they are none; where they come one by one, as soon as one is none.
    """
    if isinstance(paths, str | os.PathLike):
        return iter([_path(paths)])
    # Bytes and open files are iterable, too, but not over paths.
    if not isinstance(paths, Iterable) or isinstance(paths, bytes | bytearray | memoryview | IOBase):
        raise _no_path(paths)
    found = map(_path, paths)
    return iter(list(found)) if isinstance(paths, Sequence) else found


def model_of(model: object) -> str | bytes:
    """Returns the path of a detector file, or its content.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(model, os.PathLike):
        model = os.fspath(model)
    elif not isinstance(model, str | bytes):
        raise TypeError(f"model is the path of a detector file, or its content as bytes, not {_kind(model)}")
    return model if isinstance(model, bytes) else str(model)


def check_decoded(source: object, spec: object) -> None:
    """Makes sure that `adscore.images.decode` was given what it takes.

    Raises:
        TypeError: it was not.
    """
    if not isinstance(source, str | os.PathLike | bytes):
        raise TypeError(f"decode takes the path of an image file, or its content as bytes, not {_kind(source)}")
    if not isinstance(spec, ImageSpec):
        raise TypeError(f"decode takes an ImageSpec, such as detector.spec.image, not {_kind(spec)}")


def no_array(images: object, shape: tuple[int, ...]) -> TypeError:
    """Returns what to raise for images, each of `shape`, that are no numpy array."""
    return TypeError(
        f"images are a numpy array, uint8 of shape (n, {', '.join(map(str, shape))}), not {_kind(images)}; prepare "
        "files with adscore.images.decode, or give their paths to Detector.predict"
    )


def _path(path: object) -> str:
    name = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(name, str):
        raise _no_path(path)
    return name


def _no_path(path: object) -> TypeError:
    return TypeError(
        f"predict takes paths of image files, each a str or os.PathLike, not {_kind(path)}; pixels are scored by "
        "Detector.score, which takes what adscore.images.decode makes of a file's content"
    )


def _kind(value: object) -> str:
    return type(value).__name__
