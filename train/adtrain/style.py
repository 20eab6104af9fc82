"""How every picture of adtrain looks: colours, resolution, and matplotlib's settings."""

import matplotlib as mpl

DPI = 120
BLUE, ORANGE, RED, GREY = "#2a6fbb", "#e07b00", "#c0262d", "#777777"

mpl.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "font.size": 10})
