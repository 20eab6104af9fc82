"""Commands in namespaces of their own, as containers give them; where a test may not make these, it is skipped."""

import shutil
import subprocess
import sys

import pytest

PROCESSES = ("--pid", "--fork", "--mount-proc", "--kill-child")
MOUNTS = ("--mount",)


def apart(*kinds: str) -> list[str]:
    """Returns what to put before a command so that it runs apart, as root of that space."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        pytest.skip("there is no unshare here")
    for user in ((), ("--user", "--map-root-user")):
        command = ["unshare", *user, *kinds]
        if subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0:
            return command
    pytest.skip("this user may not make namespaces here")
