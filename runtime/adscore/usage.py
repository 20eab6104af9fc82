"""Which options of `adscore` go together; all others are usage errors, told before anything is opened."""

from collections.abc import Mapping

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
    for hint, value in (("--threshold", threshold), ("--fpr", fpr), ("--fdr", fdr)):
        if info and value is not None:
            raise typer.BadParameter("decides on images, and --info scores none; leave it out", param_hint=hint)
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


def check_watch(
    images: list[str] | None,
    out: str,
    *,
    watch: bool,
    settle: float | None,
    on_anomaly: str | None,
    others: Mapping[str, bool],
) -> None:
    """Raises a usage error for what makes no sense with --watch, or without it.

    Args:
        images: as given.
        out: as given.
        watch: whether it was asked for.
        settle: as given.
        on_anomaly: as given.
        others: options that take all images together, or an end, and whether they were given.
    """
    if not watch:
        for hint, given in (("--settle", settle), ("--on-anomaly", on_anomaly)):
            if given is not None:
                raise typer.BadParameter("goes with --watch", param_hint=hint)
        return
    if images is None or len(images) != 1 or images[0] == "-":
        raise typer.BadParameter("takes one folder", param_hint="--watch")
    if out == "-":
        raise typer.BadParameter("takes a table in a file; name it with --out", param_hint="--watch")
    for hint, given in others.items():
        if given:
            raise typer.BadParameter("does not go with --watch, which ends by a signal only", param_hint=hint)
    if settle is not None and not 0 <= settle < float("inf"):
        raise typer.BadParameter("a number of seconds is not below 0", param_hint="--settle")
