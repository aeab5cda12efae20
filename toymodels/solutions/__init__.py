"""Scalar equations with closed solutions, one file each."""

from toymodels.solutions import (
    cubic_map,
    deep_mode,
    deep_times,
    hyperbola,
    infinite_depth,
    layer_rates,
    logistic,
    one_neuron,
    one_neuron_bias,
    one_neuron_kernel,
    one_neuron_limits,
    one_neuron_phase,
    one_neuron_relatives,
    scalar_mode,
    unequal_layers,
    wide_scalar,
)

__all__ = [
    "cubic_map",
    "deep_mode",
    "deep_times",
    "hyperbola",
    "infinite_depth",
    "layer_rates",
    "logistic",
    "one_neuron",
    "one_neuron_bias",
    "one_neuron_kernel",
    "one_neuron_limits",
    "one_neuron_phase",
    "one_neuron_relatives",
    "scalar_mode",
    "unequal_layers",
    "wide_scalar",
]
