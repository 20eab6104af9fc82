"""Commands in namespaces of their own, as containers give them, and without root's rights; else a test is skipped."""

import os
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
    # Some systems let a user have mounts of its own, and then refuse each of them.
    probe = ["mount", "--bind", ".", "."] if "--mount" in kinds else ["true"]
    for user in ((), ("--user", "--map-root-user")):
        command = ["unshare", *user, *kinds]
        if subprocess.run([*command, *probe], capture_output=True, check=False).returncode == 0:
            return command
    pytest.skip("this user may not make namespaces here")


def without_rights(*capabilities: str) -> list[str]:
    """Returns what to put before a command so that root lacks these rights; for other users nothing."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return []
    command = ["setpriv", "--bounding-set", ",".join(f"-{name}" for name in capabilities)]
    if shutil.which("setpriv") and subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0:
        return command
    pytest.skip("root cannot give up its rights here")
