"""What a run has to say of its pictures at the end: how many were not as the detector expects, and one of them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from adscore.original import Original, Remark, describe, remarks_on
from adscore.spec import DetectorSpec


@dataclass(frozen=True)
class Remarks:
    """How many pictures there was something to remark on, and the first of them; of any number it is as large."""

    counts: Mapping[Remark, int] = field(default_factory=dict)
    unlike: int = 0  # pictures that are unlike those trained on, in whatever way
    beyond: tuple[str, Original] | None = None  # the first whose samples go beyond the detector's range, with its name
    strange: tuple[str, Original] | None = None  # the first that is unlike those trained on

    @classmethod
    def on(cls, named: Iterable[tuple[str, Original]], spec: DetectorSpec) -> "Remarks":
        """Returns what there is to say of pictures that a detector of this spec scored, given with their names."""
        remarks = cls()
        for name, original in named:
            found = remarks_on(original, spec)
            beyond, unlike = "range" in found, any(remark != "range" for remark in found)
            example = (name, original)
            remarks += cls(Counter(found), int(unlike), example if beyond else None, example if unlike else None)
        return remarks

    def __add__(self, other: "Remarks") -> "Remarks":
        """Returns both together."""
        counts = Counter(self.counts) + Counter(other.counts)
        unlike = self.unlike + other.unlike
        return Remarks(counts, unlike, self.beyond or other.beyond, self.strange or other.strange)

    def lines(self, spec: DetectorSpec) -> list[str]:
        """Returns what to tell the user: at most a line of samples beyond the range, and one of unlike pictures."""
        lines = []
        if self.beyond is not None:
            name, original = self.beyond
            bits = spec.image.bits
            lines.append(
                f"{_images(self.counts['range'])} brighter than the {bits} bits that the detector reads, cut off at "
                f"{(1 << bits) - 1}; the first: {name}, up to {original.largest}. If they are sound, train with more "
                "--bits"
            )
        if self.strange is not None and spec.training.pictures is not None:
            name, original = self.strange
            kinds = ", ".join(f"{kind} {count}" for kind, count in self.counts.items() if kind != "range")
            lines.append(
                f"{_images(self.unlike)} unlike those the detector was trained on ({kinds}), and their scores may mean "
                f"nothing; the first: {name}, {original}; trained on: {describe(spec.training.pictures)}"
            )
        return lines


def _images(count: int) -> str:
    return "1 image is" if count == 1 else f"{count} images are"
