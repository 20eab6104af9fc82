import os
from pathlib import Path

import pytest

from adscore.cpus import usable_cpus

AVAILABLE = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def machine(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8", errors="surrogateescape", newline="")
    return root


@pytest.mark.parametrize(
    ("files", "cpus"),
    [
        ({}, AVAILABLE),
        ({"proc/self/cgroup": "0::/\n"}, AVAILABLE),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, AVAILABLE),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000\n"}, 1),
        ({"proc/self/cgroup": "0::/line/camera\n", "sys/fs/cgroup/line/cpu.max": "100000 100000\n"}, 1),
        ({"proc/self/cgroup": "0::/of/the/host\n", "sys/fs/cgroup/cpu.max": "100000 100000\n"}, 1),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "9900000 100000\n"}, AVAILABLE),
        ({"proc/self/cgroup": "0::/caf\udce9\n", "sys/fs/cgroup/caf\udce9/cpu.max": "100000 100000\n"}, 1),
        ({"proc/self/cgroup": "0::/a\x85b\r\n", "sys/fs/cgroup/a\x85b\r/cpu.max": "100000 100000\n"}, 1),
        ({"proc/self/cgroup": "0::/\nodd\n", "sys/fs/cgroup/cpu.max": "100000 100000\n"}, 1),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "100000 0\n"}, AVAILABLE),
        (
            {
                "proc/self/cgroup": "5:memory:/a\n4:cpu,cpuacct:/a\n",
                "sys/fs/cgroup/cpu/a/cpu.cfs_quota_us": "100000\n",
                "sys/fs/cgroup/cpu/a/cpu.cfs_period_us": "100000\n",
            },
            1,
        ),
        (
            {
                "proc/self/cgroup": "4:cpu,cpuacct:/a\n",
                "sys/fs/cgroup/cpu/a/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/a/cpu.cfs_period_us": "100000\n",
            },
            AVAILABLE,
        ),
    ],
    ids=[
        "none",
        "no file",
        "max",
        "one and a half",
        "half",
        "above",
        "host's path",
        "more",
        "not UTF-8",
        "other line ends",
        "odd line",
        "no period",
        "version 1",
        "v1 none",
    ],
)
def test_a_quota_limits_and_nothing_else_does(tmp_path: Path, files: dict[str, str], cpus: int) -> None:
    assert usable_cpus(machine(tmp_path, files)) == cpus
