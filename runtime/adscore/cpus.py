"""How many CPUs this process may use: what its affinity allows, and no more than its control group's quota."""

import math
import os
from pathlib import Path


def usable_cpus(root: Path = Path("/")) -> int:
    """Returns the number of CPUs to plan for, at least 1.

    Containers and service managers limit CPU time by a quota, which the affinity does not show: two CPUs' worth of time
    on a machine with 64 would otherwise be fought over by 64 workers.

    Args:
        root: where the file system begins, that `/proc` and `/sys` are read from.
    """
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.floor(min(available, _quota(root))))


def _quota(root: Path) -> float:
    """Returns the CPUs that the control groups above this process leave it; infinity where nothing limits it."""
    try:
        # A group's name may hold any bytes, those of other line ends too; the system itself escapes line feeds.
        lines = (root / "proc/self/cgroup").read_bytes().split(b"\n")
    except OSError:  # no Linux
        return math.inf
    quotas = [math.inf]
    for line in lines:
        _, separator, rest = os.fsdecode(line).partition(":")
        controllers, _, group = rest.partition(":")
        if not separator:
            continue
        if not controllers:  # version 2
            quotas += [_share(place / "cpu.max") for place in _upwards(root / "sys/fs/cgroup", group)]
        elif "cpu" in controllers.split(","):
            for place in _upwards(root / "sys/fs/cgroup/cpu", group):
                quotas.append(_share(place / "cpu.cfs_quota_us", place / "cpu.cfs_period_us"))
    return min(quotas)


def _upwards(top: Path, group: str) -> list[Path]:
    # Inside a container the group's path may be that of the host; what is mounted is then the top alone.
    place = top / group.strip("/")
    return [folder for folder in (place, *place.parents) if folder.is_relative_to(top)]


def _share(*files: Path) -> float:
    """Returns quota / period from one file with both, or from one each."""
    try:
        quota, period = b" ".join(file.read_bytes() for file in files).split()
        return int(quota) / int(period) if int(quota) > 0 else math.inf
    except (OSError, ValueError, ZeroDivisionError):  # not there; "max", which is no limit
        return math.inf
