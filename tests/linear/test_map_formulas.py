"""The loss of a linear map, proved in words at every size."""

from toymodels.arithmetic import frobenius
from toymodels.arithmetic.jets import derivative
from toymodels.arithmetic.words import letter
from toymodels.linear import formulas, map_formulas

W, D, X, Y = (letter(*entry.split()) for entry in ("W c d", "D c d", "X n d", "Y n c"))


def test_the_residual_is_the_gradient_of_the_loss():
    slope = derivative(lambda V: map_formulas.sum_loss(V, X, Y), [W], [D])
    assert slope == frobenius(map_formulas.sum_residual(W, X, Y), D)
    assert slope != frobenius(map_formulas.sum_residual(W, X, 2 * Y), D)


def test_the_loss_is_that_of_the_outputs():
    residual = map_formulas.outputs(W, X) - Y
    assert 2 * map_formulas.sum_loss(W, X, Y) == frobenius(residual, residual)


def test_two_layers_are_the_map_of_their_product():
    W1, W2 = letter("W1", "m", "d"), letter("W2", "c", "m")
    assert formulas.sum_loss(W1, W2, X, Y) == map_formulas.sum_loss(W2 @ W1, X, Y)
