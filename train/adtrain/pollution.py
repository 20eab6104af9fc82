"""What few or polluted held-out images do to the threshold, said before it surprises anyone."""

import numpy as np

from adexport import Exported
from adexport.calibration import reference_of
from adscore.calibration import conformal_threshold
from adscore.errors import CalibrationError
from adtrain.robust import within

DEFAULT_RATE = 0.01

# Held-out images further above the median than this many deviations stand out; see `adtrain.robust.within`.
_LIMIT = 6.0
# A threshold that would move by less is not worth a warning.
_WORTH_SAYING = 0.05


def default_rate(held_out: int) -> float:
    """Returns the false-alarm rate to keep where none is asked for: one in a hundred, or what so few images allow."""
    return max(DEFAULT_RATE, 1 / (held_out + 1))


def warnings(exported: Exported) -> list[str]:
    """Returns what a user should know about the threshold of a split-conformal calibration."""
    calibration = exported.spec.calibration
    if calibration.rule != "split-conformal" or calibration.target is None:
        return []
    said = []
    if calibration.target == default_rate(calibration.images) > DEFAULT_RATE:
        said.append(
            f"{calibration.images} held-out images can promise a false-alarm rate of {calibration.target:.3g} at best; "
            f"{DEFAULT_RATE:g} takes {round(1 / DEFAULT_RATE) - 1}, so fit with more images"
        )
    scores = exported.held_out_scores
    inside = within(scores, _LIMIT)
    standing_out = int((~inside).sum())
    try:
        without = conformal_threshold(reference_of(np.sort(scores[inside])), calibration.target)
    except CalibrationError:  # too few are left for the rate; their largest score is the nearest there is
        without = float(scores[inside].max())
    if standing_out and without < calibration.threshold * (1 - _WORTH_SAYING):
        said.append(
            f"{standing_out} of {len(scores)} held-out images stand out from the rest; if they are anomalies, they "
            f"raise the threshold, which would be {without:.6g} without them and is {calibration.threshold:.6g}: fewer "
            "anomalies are found than could be, at fewer false alarms than asked for. Look at montage.png of the run; "
            f"where they are anomalies, export with --threshold {without:.6g}, or take them out and fit again"
        )
    return said
