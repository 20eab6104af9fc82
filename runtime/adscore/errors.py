"""Faults that a user can foresee and mend: each message names the thing, the cause and the next step."""


class ADError(Exception):
    """A fault with a known cause; `main()` prints it as one `error:` line and exits 1."""


class ModelError(ADError):
    """A detector file cannot be found, read or trusted."""


class ProviderError(ADError):
    """The execution provider asked for cannot run here."""


class ImageError(ADError):
    """One image cannot be decoded; in a table it is that row's `error`."""


class InputError(ADError):
    """What was given as images or data is not there, or cannot be used."""


class OutputError(ADError):
    """A result cannot be written where it was asked for."""


class CalibrationError(ADError):
    """The calibration images cannot give the threshold asked for."""


class WorkerError(ADError):
    """Processes that score beside this one cannot go on."""


def printable(text: str) -> str:
    """Returns `text` with escapes for what ends a line, steers a terminal, or is no whole character."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
