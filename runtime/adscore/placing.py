"""A file that is complete takes the place of another, and loses nothing that the other's owner gave that.

Mode, owner, access lists and other attributes stay. Most files are replaced by a rename, so that there is the old one
or the new one at every moment. Where a rename would take something away, the content is written into the file that is
there, as a shell's `>` does: one with other hard links, one that is mounted (a container's volume), and one whose owner
or group this process cannot give to another file.
"""

import errno
import os
import shutil
from contextlib import suppress
from io import FileIO
from pathlib import Path

from adscore.locked import wait_for

_BLOCK = 1 << 20
# How the system's list of mounts writes what would end a word in it.
_ESCAPES = {ord(sign): f"\\{ord(sign):03o}" for sign in " \t\n\\"}


class TornError(Exception):
    """A file was written over in part; what it was to become still lies where it was made.

    Args:
        reason: why not as a whole.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def take_the_place(partial: Path, place: Path) -> None:
    """Makes the content of `partial`, on the same disk, that of `place`.

    Raises:
        TornError: `place` was written over in part, and `partial` is still there.
        OSError: `place` is as it was.
    """
    try:
        before = place.stat()
    except FileNotFoundError:
        partial.replace(place)
        return
    if not _can_be_replaced(place, before) or not _given_the_owner(partial, place, before):
        _write_into(partial, place)
        return
    _give_attributes(place, partial)
    try:
        partial.replace(place)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        _write_into(partial, place)  # it was mounted where the list of mounts could not tell


def check_place(place: Path) -> None:
    """Raises OSError if `place` is a file that would have to be written into, and may not be."""
    with suppress(FileNotFoundError):
        if not _can_be_replaced(place, place.stat()):
            os.close(os.open(place, os.O_WRONLY))


def give_mode_and_owner(before: Path, after: Path) -> None:
    """Gives `after`, which is this process's own, what it may have of the mode, owner and attributes of `before`."""
    if hasattr(os, "chown"):
        status = before.stat()
        for owner in (status.st_uid, -1):  # else the group alone
            with suppress(OSError):
                os.chown(after, owner, status.st_gid)
                break
    _give_attributes(before, after)


def is_mounted(place: Path) -> bool:
    """Returns whether something is mounted at this path itself, as far as the system says."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:  # no Linux
        return False
    named = os.fsencode(str(place).translate(_ESCAPES)).decode("utf-8", "surrogateescape")
    return any(f" {named} " in line for line in mounts.split("\n"))


def _can_be_replaced(place: Path, status: os.stat_result) -> bool:
    return status.st_nlink <= 1 and not is_mounted(place)


def _given_the_owner(file: Path, place: Path, status: os.stat_result) -> bool:
    """Gives `file` the owner and group of `place`; returns False if it cannot, and `place` could be written into."""
    if not hasattr(os, "chown"):
        return True
    own = file.stat()
    if (own.st_uid, own.st_gid) == (status.st_uid, status.st_gid):
        return True
    try:
        os.chown(file, status.st_uid, status.st_gid)
    except OSError:
        return not os.access(place, os.W_OK)
    return True


def _give_attributes(before: Path, after: Path) -> None:
    with suppress(OSError):
        shutil.copystat(before, after)  # access lists are among the attributes that it copies
        os.utime(after)


def _write_into(partial: Path, place: Path) -> None:
    with FileIO(partial) as source, FileIO(os.open(place, os.O_WRONLY), "w") as file:
        wait_for(file)  # or two that write into one file would mix what they write
        size, old = (os.fstat(each.fileno()).st_size for each in (source, file))
        _make_room(file, old, size)
        try:
            while content := source.read(_BLOCK):
                unwritten = memoryview(content)
                while unwritten:
                    unwritten = unwritten[file.write(unwritten) :]
            os.fsync(file.fileno())
            file.truncate(size)
        except OSError as error:
            raise TornError(error.strerror or str(error)) from error


def _make_room(file: FileIO, old: int, size: int) -> None:
    """Takes the space on the disk first, since a disk that is full in the middle would leave neither file."""
    if size <= old or not hasattr(os, "posix_fallocate"):
        return
    try:
        os.posix_fallocate(file.fileno(), old, size - old)
    except OSError as error:
        file.truncate(old)
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
