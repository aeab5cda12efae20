"""The velocity of gradient flow in a mode, and the margins that keep the mode valid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from toymodels.relu import formulas
from toymodels.relu.kinks import Kinks
from toymodels.relu.modes import Mode

if TYPE_CHECKING:
    from toymodels.relu.problem import TwoLayerReLU

Array = np.ndarray
Pair = tuple[float, float]

EPS = np.finfo(float).eps


class Fields:
    """What is smooth in the flow of a two-layer ReLU network, for any loss and one or both layers trained.

    Parameters
    ----------
    problem : TwoLayerReLU
    rates : (blocks,)
        Factors >= 0 on the velocities of W, and of a where it is trained.

    Attributes
    ----------
    X, y, weights : (n, d), (n,), (n,)
    output : (m,) or None
        Fixed output weights.
    kinks : Kinks
    rates : (float, float)
        Of W and of a; 0 for fixed output weights.
    """

    def __init__(self, problem: TwoLayerReLU, rates: Array):
        self.X, self.y, self.weights = problem.inputs, problem.targets, problem.weights
        self.output, self._loss, self._shape = problem.output, problem.output_loss, problem.blocks["W"]
        self.rates = float(rates[0]), float(rates[1]) if self.output is None else 0.0
        self.kinks = Kinks.of_samples(self.X)

    def layers(self, theta: Array) -> tuple[Array, Array]:
        """Return W (..., m, d) as a view and a, (..., m) or the fixed (m,)."""
        m, d = self._shape
        W = theta[..., : m * d].reshape((*theta.shape[:-1], m, d))
        return W, theta[..., m * d :] if self.output is None else self.output

    def slope(self, W: Array, a: Array, gates: Array) -> Array:
        """Return l'_i at given gates, (..., n)."""
        return self._loss.slope(formulas.outputs(W, a, self.X, gates), self.y)

    def cotangent(self, W: Array, a: Array, gates: Array) -> Array:
        """Return pi_i l'_i at given gates, (..., n)."""
        return self.weights * self.slope(W, a, gates)

    def velocity(self, theta: Array, mode: Mode) -> Array:
        """Return d theta / dt in the mode, (p,): minus the gradient, projected where a neuron slides.

        Notes
        -----
        Source: neuron_partition A1, D5.
        """
        W, a = self.layers(theta)
        sums = formulas.gated_sums(self.X, mode.gates, self.cotangent(W, a, mode.gates))
        first, second = formulas.chain(W, a, sums)
        who = mode.sliding.who
        if len(who):
            first[who] = (mode.sliding.projectors @ first[who, :, None])[..., 0]
        first = -self.rates[0] * first.ravel()
        return first if self.output is not None else np.concatenate([first, -self.rates[1] * second])

    def margins(self, theta: Array, mode: Mode) -> Array:
        """Return what is positive inside the mode, (..., c), at theta (..., p).

        In the order of `Mode.margin`: distances from the watched kinks; for
        each sliding pair a positive multiple of its gate, and then the same
        multiple of one minus its gate; where the output layer is trained, the
        absolute output weights of sliding neurons.
        """
        W, a = self.layers(theta)
        parts = [self.side_margins(W, mode)]
        if len(mode.sliding.neurons):
            parts += self.gate_margins(self.cotangent(W, a, mode.gates), mode)
            if self.output is None:
                parts.append(a[..., mode.sliding.who] * mode.sliding.who_signs)
        return np.concatenate(parts, -1)

    def side_margins(self, W: Array, mode: Mode) -> Array:
        """Return the distances from the watched kinks, (..., w); they are linear in W."""
        distances = W @ self.kinks.normals.T
        flat = distances.reshape((*distances.shape[:-2], mode.sides.size))
        return flat[..., mode.watched] * mode.sides.ravel()[mode.watched]

    def gate_margins(self, cotangent: Array, mode: Mode) -> list[Array]:
        """Return J q and J (1 - q) of each sliding pair, (..., r), with its gate q and J > 0 the jump.

        They are linear in the cotangent (..., n).

        Notes
        -----
        Source: neuron_partition D5, with the Gram system of all kinks that the
        neuron slides along.
        """
        sliding = mode.sliding
        sums = formulas.gated_sums(self.X, mode.gates[sliding.neurons], cotangent)
        pull = (sliding.duals * sums).sum(-1)
        plus, minus = (push[..., sliding.kinks] for push in self.kinks.pushes(cotangent))
        return [sliding.signs * (minus - pull), sliding.signs * (plus + pull)]

    def floors(self, theta: Array, mode: Mode, resolution: Pair) -> Array:
        """Return the error of the margins of theta (p,) that the resolution makes, (c,)."""
        W, a = self.layers(theta)
        parts = [np.repeat(self.blur(W, resolution), len(self.kinks))[mode.watched]]
        sliding = mode.sliding
        if len(sliding.neurons):
            noise = self.noise(W, a, mode.gates, resolution)
            of_gates = noise * (1 + np.linalg.norm(sliding.duals, axis=-1))
            parts += [of_gates, of_gates]
            if self.output is None:
                parts.append(resolution[0] * np.abs(a[sliding.who]) + resolution[1])
        return np.concatenate(parts)

    def blur(self, W: Array, resolution: Pair) -> Array:
        """Return the error of the distances of neurons (..., d) from kinks, (...)."""
        relative, absolute = resolution
        return relative * np.linalg.norm(W, axis=-1) + absolute

    def noise(self, W: Array, a: Array, gates: Array, resolution: Pair) -> float:
        """Return the error of sum_i pi_i g_i x_i over any samples."""
        relative, absolute = resolution
        f = formulas.outputs(W, a, self.X, gates)
        norms = np.linalg.norm(W, axis=-1)
        terms = 2 * relative * np.abs(a) * norms + absolute * (np.abs(a) + norms)
        of_outputs = (terms @ gates) * self.kinks.lengths + relative * np.abs(self.y)
        of_slopes = relative * np.abs(self._loss.slope(f, self.y))
        of_slopes += self._loss.curvature(f, self.y) * of_outputs
        return float((self.weights * of_slopes) @ self.kinks.lengths)
