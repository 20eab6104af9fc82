"""A watch of a folder, by the real command."""

import csv
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.waiting import wait_for

ADSCORE = str(Path(sys.executable).with_name("adscore"))


class Watching:
    """A watch of the folder `images`, from the moment on at which it says so; `through` is what runs the command."""

    def __init__(self, folder: Path, *options: str, out: str = "results.csv", through: Sequence[str] = ()) -> None:
        (folder / "images").mkdir(exist_ok=True)
        self.table = folder / out
        self.said = folder / "said"
        with self.said.open("w") as said:
            self.process = subprocess.Popen(
                [*through, ADSCORE, "--watch", "images", "--out", out, "--settle", "0.05", *options],
                cwd=folder,
                stderr=said,
            )
        wait_for(lambda: self.process.poll() is None and "watching" in self.said.read_text())

    def names(self) -> list[str]:
        if self.table.suffix == ".jsonl":
            return [json.loads(line)["path"] for line in self.table.read_text().splitlines()]
        with self.table.open(newline="", errors="surrogateescape") as file:
            return [row["path"] for row in csv.DictReader(file)]

    def has(self, name: str) -> bool:
        assert self.process.poll() is None
        return self.table.exists() and name in self.names()

    def wait_for(self, *names: str) -> None:
        def there() -> bool:
            assert self.process.poll() is None
            return self.table.exists() and len(self.names()) >= len(names)

        wait_for(there)
        assert sorted(self.names()) == sorted(names)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


Watch = Callable[..., Watching]
