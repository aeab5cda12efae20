"""Observables of any problem, for `record=`; a family's own are methods of its problems."""

from toymodels.observables.parameters import distance_from, kernel_distance_from, norm
from toymodels.observables.regulariser import label_noise_regulariser, regulariser_at, regulariser_strength

__all__ = [
    "distance_from",
    "kernel_distance_from",
    "label_noise_regulariser",
    "norm",
    "regulariser_at",
    "regulariser_strength",
]
