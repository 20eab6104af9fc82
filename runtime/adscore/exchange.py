"""Two folders change names in one step, so that neither name is ever without one; where the system can."""

import errno
import os
import sys
from pathlib import Path

_HERE = -100  # AT_FDCWD: paths are relative to the current folder
_EXCHANGE = 2  # RENAME_EXCHANGE
_CANNOT = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)


def exchange(first: Path, second: Path) -> bool:
    """Gives each path what the other names; returns False, with nothing done, where the system or the disk cannot.

    Raises:
        OSError: one of them is not there, or may not be renamed.
    """
    if sys.platform != "linux":
        return False
    import ctypes  # not above: few runs replace a folder

    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:  # an old C library
        return False
    if call(_HERE, os.fsencode(first), _HERE, os.fsencode(second), ctypes.c_uint(_EXCHANGE)) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT:
        return False
    raise OSError(number, os.strerror(number), str(first), None, str(second))
