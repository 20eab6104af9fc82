"""A file that one process at a time has open: the system's lock, which ends with the process however that ends."""

import errno
import os
import sys
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
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                    return file
        except BaseException:
            file.close()
            raise
        file.close()


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

else:
    import fcntl

    def _lock(file: FileIO) -> bool:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return True
            if error.errno in (errno.EACCES, errno.EAGAIN):
                return False
            raise
        return True
