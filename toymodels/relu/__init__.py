"""Two-layer ReLU networks, and the partition of their neurons by output sign and activation pattern.

Formulas are modules, `formulas` for the network and its derivatives with the
gates as arguments, `probability_formulas` for the gates of isotropic neurons,
`frozen` for neurons in a constant field.
"""

from toymodels.relu import formulas, frozen, probability_formulas
from toymodels.relu.cells import activation_patterns
from toymodels.relu.condensation import Attractor, condensation
from toymodels.relu.counts import cover_count, whitney_count, zaslavsky_count
from toymodels.relu.history import Census, Move, Moves, census
from toymodels.relu.infinite_width import infinite_width_ntk
from toymodels.relu.mode_history import gates_along, modes_along
from toymodels.relu.partition import KINDS, Classes, Partition
from toymodels.relu.probabilities import angles, class_probabilities, joint_table
from toymodels.relu.problem import TwoLayerReLU
from toymodels.relu.sizes import (
    all_occupied_probability,
    class_count_pmf,
    expected_occupied,
    pair_empty_probability,
    some_empty_bound,
    some_empty_probability,
    sufficient_width,
    true_living_pmf,
    true_living_tail_bound,
)
from toymodels.relu.starts import balanced_output, biased_weights, output_weights, spherical_weights

__all__ = [
    "KINDS",
    "Attractor",
    "Census",
    "Classes",
    "Move",
    "Moves",
    "Partition",
    "TwoLayerReLU",
    "activation_patterns",
    "all_occupied_probability",
    "angles",
    "balanced_output",
    "biased_weights",
    "census",
    "class_count_pmf",
    "class_probabilities",
    "condensation",
    "cover_count",
    "expected_occupied",
    "formulas",
    "frozen",
    "gates_along",
    "infinite_width_ntk",
    "joint_table",
    "modes_along",
    "output_weights",
    "pair_empty_probability",
    "probability_formulas",
    "some_empty_bound",
    "some_empty_probability",
    "spherical_weights",
    "sufficient_width",
    "true_living_pmf",
    "true_living_tail_bound",
    "whitney_count",
    "zaslavsky_count",
]
