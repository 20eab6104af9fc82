"""Running a real command on something bad: how it ended, what it said, how much memory it took."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# A command that takes longer hangs; the longest check takes a tenth of it.
MOST_SECONDS = 900.0

_SCRIPTS = Path(sys.executable).parent


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int  # exit code; below 0: the signal that ended it
    stdout: bytes
    stderr: str
    hung: bool  # it was ended by us
    megabytes: float  # most memory that one of its processes took, resident

    @property
    def crashed(self) -> bool:
        """Whether it ended by a signal or with a traceback."""
        return (self.code < 0 and not self.hung) or "Traceback" in self.stderr

    @property
    def one_error_line(self) -> bool:
        """Whether it refused as the house does: exit 1, and one `error:` line at the end."""
        lines = self.stderr.splitlines()
        errors = [line for line in lines if line.startswith("error: ")]
        return self.code == 1 and not self.crashed and len(errors) == 1 and lines[-1] == errors[0]


def run_command(command: Sequence[str | Path], folder: Path, *, most_seconds: float = MOST_SECONDS) -> Ended:
    """Runs `adscore`, `adtrain` or `python` with arguments in `folder` and returns how it ended.

    What it prints goes to files, so that nothing waits for a full pipe.
    """
    script, *rest = command
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        process = subprocess.Popen(  # noqa: S603 - our own commands
            [_SCRIPTS / script, *rest], cwd=folder, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr
        )
        deadline, hung = time.monotonic() + most_seconds, False
        # wait4 and not Popen's own wait, since it alone tells the memory of this process and those below it.
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            if time.monotonic() > deadline and not hung:
                os.kill(process.pid, signal.SIGKILL)
                hung = True
            time.sleep(0.01)
        process.returncode = os.waitstatus_to_exitcode(ended[1])
        stdout.seek(0)
        stderr.seek(0)
        said = stderr.read().decode(errors="replace")
        return Ended(process.returncode, stdout.read(), said, hung, ended[2].ru_maxrss / 1024)
