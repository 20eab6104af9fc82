"""The command that --on-anomaly names, run for each anomaly without a shell; its faults never stop the watch."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable

from adscore.errors import InputError

# A command that takes longer would hold up all images after it.
_MOST_SECONDS = 60.0

Callback = Callable[[str, float], str | None]


def callback(command: str) -> Callback:
    """Returns a function that runs the command for an image's path and score, and returns what went wrong, if anything.

    Args:
        command: split into arguments once, as a shell would; {path} and {score} in them are replaced. If neither is
            there, both stand at the end.

    Raises:
        InputError: there is no such command.
    """
    try:
        arguments = shlex.split(command, posix=os.name != "nt")
    except ValueError as error:
        raise InputError(f"--on-anomaly {command}: {error}; give a command and its arguments") from error
    if not arguments or shutil.which(arguments[0]) is None:
        raise InputError(f"--on-anomaly {command}: no such command; give one that is in the PATH, or its whole path")
    if not any("{path}" in argument or "{score}" in argument for argument in arguments):
        arguments += ["{path}", "{score}"]

    def run(path: str, score: float) -> str | None:
        digits = format(score, ".9g")
        call = [argument.replace("{score}", digits).replace("{path}", path) for argument in arguments]
        try:
            # In a group of its own, so that Ctrl-C reaches the watch alone.
            done = subprocess.run(  # noqa: S603 - the user's own command
                call, stdin=subprocess.DEVNULL, timeout=_MOST_SECONDS, check=False, start_new_session=True
            )
        except (OSError, ValueError) as error:
            return f"{arguments[0]} for {path}: {getattr(error, 'strerror', None) or error}"
        except subprocess.TimeoutExpired:
            return f"{arguments[0]} for {path}: ended after {_MOST_SECONDS:.0f} seconds"
        return f"{arguments[0]} for {path}: exit code {done.returncode}" if done.returncode else None

    return run
