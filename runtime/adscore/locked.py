"""Files that a process has locked: the system's lock, which ends with the process however that ends.

Two kinds. One that a single process at a time has open; and a maker's mark, by which others see that it lives.
"""

import errno
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from io import FileIO
from pathlib import Path

# What a system says whose file systems have no locks; there a run goes on without one.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


def open_locked(path: Path) -> FileIO | None:
    """Returns the file, made if it is not there, open for reading and for writing at its end; None if it is taken.

    The lock is the process's own: forked workers do not have it, so it ends with this process, not with the last of
    them. It also ends when this process closes the file, or any other opening of it.

    Raises:
        OSError: the file cannot be opened.
    """
    while True:
        file = FileIO(path, "a+")
        try:
            if not _lock(file):
                file.close()
                return None
            # Its last owner may have removed it between the opening and the lock.
            if is_at(file, path):
                return file
        except BaseException:
            file.close()
            raise
        file.close()


def is_at(file: FileIO, path: Path) -> bool:
    """Returns whether `path` still names the open file."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    return False


def mark(path: Path) -> FileIO | None:
    """Returns a new file, locked as long as it is open; None if someone took this process for dead and removed it.

    The lock is the opening's, not the process's, so that one process can tell two of its own apart. Forked processes
    have it too, and it ends with the last of them.

    Raises:
        OSError: the file cannot be made.
    """
    file = FileIO(path, "x")
    try:
        if _mark(file) is not False and is_at(file, path):
            return file
    except BaseException:
        file.close()
        raise
    file.close()
    return None


def is_alive(path: Path) -> bool | None:
    """Returns whether the maker of the mark lives; None where nothing can prove that it does not."""
    try:
        with FileIO(path, "r+") as file:
            marked = _mark(file)
    except OSError:  # no mark yet, or another user's
        return None
    return None if marked is None else not marked


def wait_for(file: FileIO) -> None:
    """Locks an open file until it is closed; waits while others have it so, where there are locks."""
    if sys.platform != "win32":
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)


if sys.platform == "win32":
    import msvcrt

    # Locked bytes cannot be read by others, so one is locked that is never written.
    _FAR = 1 << 40

    def _lock(file: FileIO) -> bool:
        file.seek(_FAR)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _mark(file: FileIO) -> bool | None:
        return _lock(file)

else:
    import fcntl

    def _lock(file: FileIO) -> bool:
        return _tried(fcntl.lockf, file) is not False

    def _mark(file: FileIO) -> bool | None:
        return _tried(fcntl.flock, file)

    def _tried(lock: Callable[[FileIO, int], object], file: FileIO) -> bool | None:
        """Returns whether the lock is had; None where there are no locks."""
        try:
            lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return None
            if error.errno in (errno.EACCES, errno.EAGAIN):
                return False
            raise
        return True
