"""The command that --on-anomaly names, run for each anomaly without a shell; its faults never stop the watch."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial

from adscore.errors import InputError
from adscore.stop import Stop

# A command that takes longer would hold up all images after it.
_MOST_SECONDS = 60.0
# What a stop has to wait for, in all.
_LAST_SECONDS = 10.0


class Callback:
    """Runs a command for an image's path and score.

    Args:
        command: split into arguments once, as a shell would; {path} and {score} in them are replaced. If neither is
            there, both stand at the end.
        stop: leaves ten seconds in all to the command that runs then, and to those after it.

    Raises:
        InputError: there is no such command.
    """

    def __init__(self, command: str, stop: Stop) -> None:
        try:
            arguments = shlex.split(command, posix=os.name != "nt")
        except ValueError as error:
            raise InputError(f"--on-anomaly {command}: {error}; give a command and its arguments") from error
        if not arguments or shutil.which(arguments[0]) is None:
            raise InputError(
                f"--on-anomaly {command}: no such command; give one that is in the PATH, or its whole path"
            )
        if not any("{path}" in argument or "{score}" in argument for argument in arguments):
            arguments += ["{path}", "{score}"]
        self._arguments = arguments
        self._stop = stop
        self._until: float | None = None  # monotonic seconds, once there was a stop

    @property
    def seconds(self) -> float:
        """How long a command may take that is run now; none is after a stop that took too long."""
        if self._stop.code is None:
            return _MOST_SECONDS
        if self._until is None:
            self._until = time.monotonic() + _LAST_SECONDS
        return max(0.0, self._until - time.monotonic())

    def run(self, path: str, score: float) -> str | None:
        """Runs the command, and returns what went wrong, if anything."""
        digits = format(score, ".9g")
        call = [argument.replace("{score}", digits).replace("{path}", path) for argument in self._arguments]
        process = None
        try:
            with self._stop.held_back():  # while it begins, nothing knows yet what would have to be ended
                # In a group of its own, so that Ctrl-C reaches the watch alone.
                process = subprocess.Popen(call, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 - the user's
            self._stop.cuts_short(partial(process.wait, self.seconds))
            code = process.wait(self.seconds)  # it ended, or there was a stop
        except subprocess.TimeoutExpired:
            when = "with the watch" if self._stop.code else f"after {_MOST_SECONDS:.0f} seconds"
            return f"{self._arguments[0]} for {path}: ended {when}"
        except (OSError, ValueError) as error:
            return f"{self._arguments[0]} for {path}: {getattr(error, 'strerror', None) or error}"
        finally:
            if process is not None and process.returncode is None:
                _end(process)
        return f"{self._arguments[0]} for {path}: exit code {code}" if code else None


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ends a command and, where the system has groups of processes, what it has started."""
    if sys.platform == "win32":
        process.kill()
    else:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
