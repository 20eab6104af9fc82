"""Which names in a folder are taken for images; what someone may miss of the others is counted."""

from collections import Counter
from collections.abc import Iterable

SUFFIXES = (
    ".bmp", ".dib", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff",
    ".webp",
)  # fmt: skip

# Pictures that phones, cameras, microscopes and drawing programs write and that are not read.
FOREIGN_SUFFIXES = (
    ".3fr", ".arw", ".avif", ".cr2", ".cr3", ".crw", ".czi", ".dcm", ".dcr", ".dds", ".dng", ".emf", ".eps", ".erf",
    ".exr", ".fit", ".fits", ".hdr", ".heic", ".heif", ".hif", ".icns", ".ico", ".iiq", ".j2c", ".j2k", ".jp2", ".jpc",
    ".jpf", ".jpx", ".jxl", ".jxr", ".kdc", ".mpo", ".mrw", ".nef", ".nrw", ".orf", ".pam", ".pcx", ".pef", ".pfm",
    ".psb", ".psd", ".qoi", ".raf", ".raw", ".rw2", ".rwl", ".sgi", ".sr2", ".srf", ".srw", ".svg", ".tga", ".wdp",
    ".wmf", ".x3f", ".xcf",
)  # fmt: skip

# What systems and storage boxes put among a user's files, in small letters; names that begin with a dot are hidden too.
SYSTEM_NAMES = (
    "#recycle", "#snapshot", "$recycle.bin", "@eadir", "@recycle", "__macosx", "desktop.ini", "lost+found",
    "system volume information", "thumbs.db",
)  # fmt: skip

# How the hidden files and folders end that are made beside a result, in which no one looks for images.
_OURS = (".partial", ".replaced", ".scores", ".watch")

_TAKEN, _FOREIGN, _SYSTEM = frozenset(SUFFIXES), frozenset(FOREIGN_SUFFIXES), frozenset(SYSTEM_NAMES)


class Sieve:
    """Tells by its name whether to take what lies in a folder, and counts what is passed over.

    Args:
        hidden: take what is hidden or of the system as well.
    """

    def __init__(self, *, hidden: bool = False) -> None:
        self._takes_hidden = hidden
        self.hidden = 0  # files and folders; what lies in a folder that is passed over is not looked at
        self.foreign: Counter[str] = Counter()  # pictures of kinds that are not read, by suffix

    def takes(self, key: str) -> bool:
        """Returns whether to take a file or folder; a folder's key is its name with "/" behind."""
        suffix = key[key.rfind(".") :].lower()
        is_image = suffix in _TAKEN
        if is_image and key[0] != ".":  # nearly all, so they come first
            return True
        name = key.removesuffix("/")
        if not self._takes_hidden and (name[0] == "." or name.lower() in _SYSTEM):
            self.hidden += not name.endswith(_OURS)
            return False
        if suffix in _FOREIGN:
            self.foreign[suffix] += 1
        return is_image or key[-1] == "/"


def passed_over(sieves: Iterable[Sieve]) -> list[str]:
    """Returns a clause for each sort of thing that was passed over: what, how many, what to do about it."""
    hidden, foreign = 0, Counter[str]()
    for sieve in sieves:
        hidden += sieve.hidden
        foreign.update(sieve.foreign)
    clauses = []
    if hidden:
        clauses.append(f"passed over, hidden or of the system: {hidden} (--hidden takes them)")
    if foreign:
        clauses.append(foreign_passed_over(foreign))
    return clauses


def foreign_passed_over(foreign: Counter[str]) -> str:
    """Returns a clause on pictures of kinds that are not read, by suffix."""
    counts = ", ".join(f"{foreign[suffix]} {suffix}" for suffix in sorted(foreign))
    return f"passed over, pictures of kinds that are not read: {counts} (convert them, to PNG say)"
