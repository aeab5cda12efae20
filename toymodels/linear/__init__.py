"""Linear networks of two and more layers: formulas, derivatives, landscape and exact dynamics.

Formulas are modules, `formulas`, `deep_formulas`, `map_formulas`; so are the conservation
laws, `conservation`, and one neuron on given data, `one_neuron`.
"""

from toymodels.linear import conservation, deep_formulas, formulas, map_formulas, one_neuron
from toymodels.linear.aligned import aligned_factors, aligned_spectrum
from toymodels.linear.conservation import imbalance_rate, number_of_laws
from toymodels.linear.deep import DeepLinear
from toymodels.linear.deep_factors import balanced_layers
from toymodels.linear.factors import balanced_factors, gauge
from toymodels.linear.forms import Limit
from toymodels.linear.incremental import first_step, staircase
from toymodels.linear.isotropic import isotropic_factors
from toymodels.linear.kernel import kernel_distance
from toymodels.linear.landscape import (
    CriticalPoint,
    critical_points,
    critical_spectrum,
    interpolating_spectrum,
    morse_index,
)
from toymodels.linear.one_neuron import InterpolatingLimit, interpolating_limit, whitened_flow
from toymodels.linear.problem import TwoLayerLinear
from toymodels.linear.spectra import balanced_spectrum, interpolating_sharpness, mode_sharpness
from toymodels.linear.statistics import Statistics
from toymodels.linear.symmetric import soft_threshold, symmetric_flow, weight_decay_flow
from toymodels.linear.whitening import TargetModes

__all__ = [
    "CriticalPoint",
    "DeepLinear",
    "InterpolatingLimit",
    "Limit",
    "Statistics",
    "TargetModes",
    "TwoLayerLinear",
    "aligned_factors",
    "aligned_spectrum",
    "balanced_factors",
    "balanced_layers",
    "balanced_spectrum",
    "conservation",
    "critical_points",
    "critical_spectrum",
    "deep_formulas",
    "first_step",
    "formulas",
    "gauge",
    "imbalance_rate",
    "interpolating_limit",
    "interpolating_sharpness",
    "interpolating_spectrum",
    "isotropic_factors",
    "kernel_distance",
    "map_formulas",
    "mode_sharpness",
    "morse_index",
    "number_of_laws",
    "one_neuron",
    "soft_threshold",
    "staircase",
    "symmetric_flow",
    "weight_decay_flow",
    "whitened_flow",
]
