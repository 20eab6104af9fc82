"""Which options of `adscore` go together; all others are usage errors, told before anything is opened."""

import typer

from adscore.command import check_threshold


def check_usage(
    images: list[str] | None,
    *,
    info: bool,
    as_json: bool,
    threshold: float | None,
    fpr: float | None,
    fdr: float | None,
) -> None:
    """Raises a usage error for options that contradict each other, or what was asked for."""
    if info and images:
        raise typer.BadParameter("prints the detector and scores nothing; leave the images out", param_hint="--info")
    if as_json and not info:
        raise typer.BadParameter("goes with --info; for a table as JSON use --out results.jsonl", param_hint="--json")
    if not images and not info:
        raise typer.BadParameter("name images, a folder of images, or - for a list on stdin", param_hint="IMAGES")
    check_threshold(threshold)
    if sum(rule is not None for rule in (threshold, fpr, fdr)) > 1:
        hint = "--fpr" if fdr is None else "--fdr"
        raise typer.BadParameter("give one of --threshold, --fpr and --fdr", param_hint=hint)
    for hint, rate, name in (("--fpr", fpr, "false-alarm"), ("--fdr", fdr, "false-discovery")):
        if rate is not None and not 0 < rate < 1:
            raise typer.BadParameter(f"a {name} rate lies between 0 and 1", param_hint=hint)


def check_resume(out: str, *, info: bool, resume: bool | None) -> None:
    """Raises a usage error if there is nothing that could be gone on with."""
    if resume is not None and (info or out == "-"):
        hint = "--resume" if resume else "--no-resume"
        raise typer.BadParameter("goes with a table in a file; name it with --out", param_hint=hint)
