"""Opening a file that may be anything and may change at any moment: never waiting, and only if it is a regular one."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

# A pipe without a writer would be waited for; Windows has no such flag, and text is its default.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def open_regular(path: str | Path, most: int) -> BinaryIO:
    """Returns a regular file of at most `most` bytes, opened for reading.

    The name is looked up once, and what is asked is asked of the open file, so nothing can take its place in between.

    Raises:
        OSError: it cannot be opened, is a folder, pipe or device, is empty or larger; `strerror` is the cause alone.
        ValueError: the path holds a NUL, which no name can.
    """
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
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: str | Path, most: int) -> bytes:
    """Returns the content of a regular file; where it grows meanwhile, no more than the size it had.

    Read as a whole and not mapped into memory, where a file that is cut meanwhile would end the process.

    Raises:
        OSError: as `open_regular`.
        ValueError: as `open_regular`.
    """
    with open_regular(path, most) as file:
        return file.read(os.fstat(file.fileno()).st_size)
