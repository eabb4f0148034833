"""Forces and test functions against finite differences, and the symmetries that a force of pairs must have."""

from __future__ import annotations

import numpy as np
import pytest

from gen_core.defects import derivatives, pair_libraries, testfunctions, worlds
from gen_core.defects.libraries import Library, Periodic, Polynomial

Array = np.ndarray
RNG = np.random.default_rng(0)
BOX = np.array([3.0, 2.0])
SIGNS = np.array([1.0, -1.0, 1.0, -1.0])


def pairs_of(charges: Array | None = None, signed: bool = False, box: Array | None = None) -> pair_libraries.PairLibrary:
    laws = pair_libraries.soft_log(0.3, np.array([2.0])) if signed else pair_libraries.radial(RNG.uniform(0, 3, 4_000))
    return pair_libraries.PairLibrary(Polynomial(np.zeros(2), 1.3, 2, True), laws, charges, box, signed)


@pytest.mark.parametrize(("d", "count"), [(1, 4), (2, 14), (3, 34)])
def test_gradient_terms_are_gradients_of_their_potentials(d: int, count: int) -> None:
    library = Polynomial(np.full(d, 0.2), 0.7, 4, True)
    x = RNG.normal(size=(7, 1, d))
    found = library.forces(x)
    assert found.shape == (7, d, count)
    assert len(library.names) == len(set(library.names)) == count
    for term in range(count):
        slope = derivatives.gradient(lambda at, term=term: library.potential(at)[:, 0, term], x, 1e-5)
        assert np.allclose(slope[:, 0], found[:, :, term], atol=1e-6)


def test_weights_per_unit_are_those_of_the_monomials() -> None:
    library = Polynomial(np.array([0.3, -0.1]), 0.6, 4, True)
    x = RNG.normal(size=(50, 1, 2))
    theta = RNG.normal(size=len(library.names))
    unit = Polynomial(library.centre, 1.0, 4, True)
    assert np.allclose(library.forces(x) @ theta, unit.forces(x) @ (theta * library.per_unit))


def test_full_terms_reach_a_rotation_and_gradients_do_not() -> None:
    x = RNG.normal(size=(200, 1, 2))
    truth = np.stack([-x[:, 0, 1], x[:, 0, 0]], 1).ravel()
    for gradient, left in ((False, 1e-9), (True, 0.5)):
        terms = Polynomial(np.zeros(2), 1.0, 4, gradient).forces(x).reshape(400, -1)
        rest = truth - terms @ np.linalg.lstsq(terms, truth, rcond=None)[0]
        assert (np.linalg.norm(rest) / np.linalg.norm(truth) < left) is not gradient


@pytest.mark.parametrize("gradient", [True, False])
def test_periodic_terms_do_not_see_the_edge(gradient: bool) -> None:
    library = Periodic(BOX, 2, gradient)
    x = RNG.uniform(size=(20, 1, 2)) * BOX
    assert library.forces(x).shape == (20, 2, len(library.names))
    assert np.allclose(library.forces(x), library.forces(x + BOX * np.array([1, -2])))


@pytest.mark.parametrize("library", [pairs_of(), pairs_of(SIGNS), pairs_of(SIGNS, True)], ids=["all", "two kinds", "signed"])
def test_forces_of_pairs_cancel_and_turn_with_the_replica(library: Library) -> None:
    x = RNG.normal(size=(6, 4, 2))
    trap = len(Polynomial(np.zeros(2), 1.3, 2, True).names)
    found = library.forces(x).reshape(6, 4, 2, -1)[..., trap:]
    assert np.allclose(found.sum(1), 0)  # actio = reactio
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    assert np.allclose(library.forces(x @ turn.T + 5).reshape(6, 4, 2, -1)[..., trap:], np.einsum("ab,nibl->nial", turn, found))
    assert len(library.names) == found.shape[-1] + trap


def test_the_physics_library_holds_the_law_of_the_simulator() -> None:
    for world in (worlds.pairs(), worlds.pairs_signed()):
        x = world.start(5, np.random.default_rng(1))
        library = pair_libraries.PairLibrary(
            Polynomial(np.zeros(2), 1.0, 2, True), pair_libraries.soft_log(worlds.SOFT, pair_libraries.distances(x)),
            world.charges, None, True,
        )  # fmt: skip
        theta = np.zeros(len(library.names))
        theta[library.names.index("-V: x^2")] = theta[library.names.index("-V: y^2")] = -world.known["trap"] / 2
        theta[-1] = world.known["strength"]
        assert np.allclose((library.forces(x) @ theta).reshape(x.shape), world.force(x), atol=1e-4)


@pytest.mark.parametrize("charges", [None, SIGNS])
@pytest.mark.parametrize("box", [None, BOX])
def test_test_functions_have_these_derivatives(charges: Array | None, box: Array | None) -> None:
    tests = testfunctions.drawn(0.8, 2, 6, 5, 1, box, charges)
    x = RNG.normal(size=(4, 4, 2)) * 0.4
    value, gradient, laplacian = tests.evaluate(x)
    assert value.shape == laplacian.shape == (4, len(tests))
    for j in range(len(tests)):
        slope = derivatives.gradient(lambda at, j=j: tests.evaluate(at)[0][:, j], x, 1e-5)
        assert np.allclose(slope.reshape(4, 8), gradient[:, :, j], atol=1e-6)
    bend = derivatives.divergence(lambda at: tests.evaluate(at)[1], x, 1e-5)
    assert np.allclose(bend, laplacian, atol=1e-4)
    if box is not None:
        assert np.allclose(tests.evaluate(x + box)[0], value)


def test_laws_fall_off_beyond_what_was_seen() -> None:
    laws = pair_libraries.radial(np.linspace(0.1, 2, 500))
    assert np.allclose(laws.at(np.array([0.0])), 0)
    assert np.allclose(laws.at(np.array([2 * laws.reach])), laws.at(np.array([laws.reach])) / 2)
