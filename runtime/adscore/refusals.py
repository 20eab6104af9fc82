"""Where nothing may be written, said before the work where that is possible, and in one form."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adscore.errors import OutputError
from adscore.placing import is_mounted
from adscore.workplace import is_leftover

_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)


def real_place(target: Path) -> Path:
    """Returns where a link leads to; any other path as a whole one."""
    return Path(os.path.realpath(target))


@contextmanager
def refusing(target: Path, within: Path | None = None) -> Iterator[None]:
    """Says of OSErrors that `target` cannot be written.

    Args:
        target: as the user named it.
        within: only of files in this folder, and of errors that name no file, as those of a full disk do.

    Raises:
        OutputError: in place of the OSError.
    """
    try:
        yield
    except OSError as error:
        if within is not None and not _is_about(error, within):
            raise
        if error.errno in _NOT_ALLOWED and target.is_file() and os.access(target, os.W_OK):
            raise OutputError(
                f"{target}: its folder takes no new files ({error.strerror}), and a result waits there until it is "
                "complete; choose an --out in another folder"
            ) from error
        raise OutputError(f"{target}: cannot be written ({error.strerror or error}); choose another --out") from error


def _is_about(error: OSError, folder: Path) -> bool:
    if isinstance(error, BrokenPipeError):  # of those who read what is said meanwhile
        return False
    return error.filename is None or Path(os.fsdecode(error.filename)).is_relative_to(folder)


def _check_folder(target: Path) -> None:
    """Raises OSError if the folder of `target`, or the one in which that can be made, takes no new files."""
    folder = real_place(target).parent
    while not folder.exists():
        folder = folder.parent
    number = 0
    if not folder.is_dir():
        number = errno.ENOTDIR
    elif not os.access(folder, os.W_OK | os.X_OK):
        read_only = hasattr(os, "statvfs") and os.statvfs(folder).f_flag & os.ST_RDONLY
        number = errno.EROFS if read_only else errno.EACCES
    if number:
        raise OSError(number, os.strerror(number))


def refuse_no_file(target: Path) -> None:
    """Raises OutputError if `target`, which is to be a file, cannot be one.

    It is a folder, pipe or device, has no possible name, or lies in a folder that takes no new files.
    """
    with refusing(target):
        _check_folder(target)
        try:
            mode = target.stat().st_mode
        except FileNotFoundError:
            return
    if stat.S_ISDIR(mode):
        raise OutputError(f"{target}: is a folder; name a file in it with --out")
    if not stat.S_ISREG(mode):
        raise OutputError(f"{target}: is not a regular file; choose another --out")


def refuse_existing(folder: Path, *, force: bool, contents: tuple[str, ...]) -> None:
    """Makes sure that `folder` may be written: it is not there, or `force` says to replace it and it is one of ours.

    Args:
        folder: the place asked for.
        force: replace what is there.
        contents: patterns of all that such a folder holds, so that --force cannot remove anything else.

    Raises:
        OutputError: the folder must stay.
    """
    with refusing(folder):
        _check_folder(folder)
    if not folder.exists():
        return
    if not force:
        raise OutputError(f"{folder}: exists already; choose another --out, or replace it with --force")
    if not folder.is_dir():
        raise OutputError(f"{folder}: is no folder, and is not replaced; choose another --out")
    if is_mounted(real_place(folder)) or not os.access(folder, os.W_OK):
        raise OutputError(
            f"{folder}: is mounted or read-only, so it cannot be replaced; choose another --out, in this folder say"
        )
    for path in folder.iterdir():
        if is_leftover(path):
            continue
        if path.is_dir() or not any(path.match(pattern) for pattern in contents):
            raise OutputError(
                f"{folder}: holds {path.name}, which this command did not write, so it is not replaced; "
                "choose another --out"
            )
