"""A run that scores what it is given on stdin, one by one, so that a test knows what it has scored."""

import signal
import subprocess
import sys
from pathlib import Path

from tests.waiting import wait_for

ADSCORE = str(Path(sys.executable).with_name("adscore"))
KEPT = ".results.csv.scores"


class Feeding:
    """A run that scores a list on stdin one by one, so that it has scored just what it was given."""

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

    def wait_for_kept(self, count: int) -> None:
        kept = self.folder / KEPT

        def there() -> bool:
            assert self.process.poll() is None
            return kept.exists() and kept.read_bytes().count(b"\n") == 1 + count

        wait_for(there)

    def stop(self, number: signal.Signals) -> tuple[int, list[str]]:
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said.splitlines()
