"""Opening a file that may be anything and may change at any moment: never waiting, and only if it is a regular one."""

import errno
import os
import stat
import sys
from pathlib import Path

# A pipe without a writer would be waited for; Windows has no such flag, and text is its default.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def read_regular(path: str | Path, most: int) -> bytes:
    """Returns the content of a regular file of at most `most` bytes; where it grows meanwhile, what it had.

    The name is looked up once, and what is asked is asked of the open file, so nothing can take its place in between.
    Read as a whole and not mapped into memory, where a file that is cut meanwhile would end the process.

    Raises:
        OSError: it cannot be opened, is a folder, pipe or device, is empty or larger; `strerror` is the cause alone.
        ValueError: the path holds a NUL, which no name can.
    """
    # By the system's own calls, since a file object costs as much as decoding a small image.
    descriptor, size = _open(path, most)
    try:
        content = os.read(descriptor, size)
        while len(content) < size and (more := os.read(descriptor, size - len(content))):
            content += more
        return content
    finally:
        os.close(descriptor)


def check_regular(path: str | Path) -> None:
    """Raises OSError unless `path` is a regular file that holds something; who opens a pipe waits for its writer."""
    descriptor, _ = _open(path, sys.maxsize)
    os.close(descriptor)


def _open(path: str | Path, most: int) -> tuple[int, int]:
    """Returns (descriptor, size in bytes) of a regular file."""
    descriptor = os.open(path, _FLAGS)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, "Is a directory")
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        if not status.st_size:
            raise OSError(errno.ENODATA, "the file is empty")
        if status.st_size > most:
            raise OSError(errno.EFBIG, f"{status.st_size:,} bytes are more than the {most:,} allowed")
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, status.st_size
