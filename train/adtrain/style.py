"""How every picture of adtrain looks: colours, resolution, matplotlib's settings, and axes of powers of ten."""

import math
from typing import Any

import matplotlib as mpl
from matplotlib.ticker import LogLocator, NullFormatter

DPI = 120
BLUE, ORANGE, RED, GREY = "#2a6fbb", "#e07b00", "#c0262d", "#777777"

# Over more decades than these, labels at 1, 2 and 5 would overlap.
_DECADES = 3.0
# An axis of counts begins below one, so that a bar of one image has a height.
_BELOW_ONE = 0.7

mpl.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "font.size": 10})


def label_powers(axis: Any) -> None:
    """Labels a `matplotlib.axis.Axis` on a log scale by plain numbers that do not overlap, once all is drawn."""
    low, high = axis.get_view_interval()
    subdivisions = (1.0, 2.0, 5.0) if math.log10(high / low) <= _DECADES else (1.0,)
    axis.set_major_locator(LogLocator(subs=subdivisions))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def count_on_log(axes: Any) -> None:
    """Puts counts on a log scale, once all is drawn: one image stays visible beside thousands."""
    axes.set_yscale("log")
    axes.set_ylim(bottom=_BELOW_ONE)
    label_powers(axes.yaxis)
