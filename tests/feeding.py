"""A run that scores what it is given on stdin, so that a test knows what it can have scored."""

import signal
import subprocess
import sys
from pathlib import Path

from tests.waiting import wait_for

ADSCORE = str(Path(sys.executable).with_name("adscore"))
KEPT = ".results.csv.scores"


class Feeding:
    """A run that scores a list on stdin, which does not end before the run."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [ADSCORE, "-", "--out", "results.csv", "--batch-size", "1", "--workers", "1", *options],
            cwd=folder, text=True, stdin=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def give(self, paths: list[Path]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.writelines(f"{path.relative_to(self.folder)}\n" for path in paths)
        self.process.stdin.flush()

    def kept(self) -> int:
        """Returns the number of images whose scores are kept; -1 before the run has begun."""
        kept = self.folder / KEPT
        return kept.read_bytes().count(b"\n") - 1 if kept.exists() else -1

    def wait_for_kept(self, count: int) -> None:
        """Returns once so many scores are kept; most are given more, since a run takes some together."""

        def there() -> bool:
            assert self.process.poll() is None
            return self.kept() >= count

        wait_for(there)

    def stop(self, number: signal.Signals) -> tuple[int, list[str]]:
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said.splitlines()
