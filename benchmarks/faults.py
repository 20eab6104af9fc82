"""Whatever comes in: damaged images and detectors, full disks, foreign users, each through the real command.

    make test-faults DATA=folder

DATA holds `pngsuite` and pictures; without it the pictures of the demo are damaged. Every check has a name and a
promise (`fault_checks.py`); `--only NAME` runs one. Writes RELIABILITY.md and reliability.json. What is damaged is
damaged by a fixed seed, so the same files come again.
"""

import argparse
import json
import platform
import sys
import tempfile
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from adscore.atomic import appears_when_complete
from benchmarks.fault_checks import CHECKS
from benchmarks.fault_setting import DEMO_IMAGES, Finding, Setting

HERE = Path(__file__).parent
# Damaged images and detectors, sound images for runs that are killed, kills of them, stops of watches.
AMOUNTS = (3_000, 200, 5_000, 200, 100)
QUICK_AMOUNTS = (150, 6, 1_500, 6, 3)
# So many of each folder of pictures are damaged, besides all of PngSuite.
_OF_EACH = 12


def main() -> int:
    """Runs the checks, writes the report, and returns 1 if a promise was broken."""
    arguments = _arguments()
    findings = {}
    for name in arguments.only or CHECKS:
        with tempfile.TemporaryDirectory() as folder:
            findings[name] = CHECKS[name](_setting(arguments, Path(folder)))
        print(_row(name, findings[name]), flush=True)
    with appears_when_complete(arguments.out / "RELIABILITY.md") as partial:
        partial.write_text(report(findings), encoding="utf-8")
    record = {"versions": _versions(), "checks": {name: asdict(finding) for name, finding in findings.items()}}
    with appears_when_complete(arguments.out / "reliability.json") as partial:
        partial.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return int(any(finding.held is False for finding in findings.values()))


def report(findings: dict[str, Finding]) -> str:
    """Returns the findings as a page."""
    versions = ", ".join(f"{name} {number}" for name, number in _versions().items())
    return "\n".join(
        [
            "# Reliability",
            "",
            "Written by `make test-faults`: every check runs the real commands; a crash is an end by a signal or a "
            "traceback, a hang an end by us after 15 minutes.",
            f"{versions}; {platform.system()} {platform.machine()}.",
            "",
            "| check | promise | held | figures |",
            "| --- | --- | --- | --- |",
            *(_row(name, finding) for name, finding in findings.items()),
            "",
        ]
    )


def _row(name: str, finding: Finding) -> str:
    held = {True: "yes", False: "**no**", None: "not tried"}[finding.held]
    figures = "; ".join(f"{what} {figure}" for what, figure in finding.figures.items())
    return f"| {name} | {finding.promise} | {held} | {figures} |"


def _versions() -> dict[str, str]:
    tools = ("adscore", "onnxruntime", "pillow", "numpy")
    return {"python": platform.python_version(), **{tool: version(tool) for tool in tools}}


def _setting(arguments: argparse.Namespace, folder: Path) -> Setting:
    suite = None if arguments.data is None else arguments.data / "pngsuite"
    suite = suite if suite is not None and suite.is_dir() else None
    pictures = sorted(DEMO_IMAGES.glob("*.png"))
    if suite is not None:
        pictures += sorted(path for path in suite.glob("*.png") if not path.name.startswith("x"))
    if arguments.data is not None:
        for inside in sorted(
            {path.parent for kind in ("png", "jpg") for path in arguments.data.rglob(f"good/*.{kind}")}
        ):
            pictures += sorted(inside.iterdir())[:_OF_EACH]
    return Setting(folder, tuple(pictures), suite, *(QUICK_AMOUNTS if arguments.quick else AMOUNTS))


def _whole(path: str) -> Path:
    return Path(path).resolve()  # commands run in other folders


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=_whole, help="folder with pngsuite and pictures")
    parser.add_argument("--quick", action="store_true", help="few files of each kind: that it works")
    parser.add_argument("--only", action="append", choices=list(CHECKS), metavar="NAME", help="run this check alone")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the report")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
