"""Style and drawing functions on arrays: axes in, artists out. matplotlib is imported on first use."""

from toymodels.plot.axes import log_axes, trajectory_axes
from toymodels.plot.curves import closed_form, simulation, thin
from toymodels.plot.files import save
from toymodels.plot.labels import label_ends, label_point, legend
from toymodels.plot.panels import heat_map, key, panels
from toymodels.plot.theme import PALETTE, WIDTHS, gradation, ink, series, style

__all__ = ["PALETTE", "WIDTHS", "closed_form", "gradation", "heat_map", "ink", "key", "label_ends",
           "label_point", "legend", "log_axes", "panels", "save", "series", "simulation", "style", "thin",
           "trajectory_axes"]  # fmt: skip
