"""The exact solver: against a sparse direct solver, multigrid, and solutions that are known; and what it must refuse."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix, diags_array, eye_array, kron
from scipy.sparse.linalg import spsolve

import gen_core
from gen_core.errors import InputError
from gen_core.poisson import checks, correct, exact, grid, metrics, scenes, spectrum
from gen_core.poisson.drawn import as_fields, drawn
from gen_core.poisson.problem import Problem, edges_of, problem_of, resampled
from gen_core.poisson.recipe import Solve

Array = np.ndarray
SIZE = 21


def law(n: int) -> csr_matrix:
    """Minus the five-point Laplacian on n x n inner nodes, as a matrix made another way."""
    one = diags_array([-np.ones(n - 1), 2 * np.ones(n), -np.ones(n - 1)], offsets=[-1, 0, 1]) * (n + 1) ** 2
    return csr_matrix(kron(one, eye_array(n)) + kron(eye_array(n), one))


def posed(seed: int, size: int = SIZE) -> Problem:
    rng = np.random.default_rng(seed)
    edges = edges_of(tuple(tuple(rng.normal(size=5)) for _ in range(4)), size)
    return Problem(rng.normal(size=(size, size)), "dirichlet", edges)


@pytest.mark.parametrize("size", [16, 21, 32])
def test_it_agrees_with_a_sparse_direct_solver(size: int) -> None:
    problem = posed(size, size)
    inner = problem.inner.copy()
    left, right, bottom, top = problem.edges
    for line, values in ((np.s_[:, 0], left), (np.s_[:, -1], right), (np.s_[0], bottom), (np.s_[-1], top)):
        inner[line] += values[1:-1] * (size - 1) ** 2
    expected = spsolve(law(size - 2), inner.ravel()).reshape(size - 2, -1)
    assert np.allclose(grid.inside(problem.exact()), expected, rtol=0, atol=1e-10 * np.abs(expected).max())
    assert np.array_equal(grid.ring(problem.edges)[0], problem.exact()[0])


def test_it_agrees_with_algebraic_multigrid() -> None:
    pyamg = pytest.importorskip("pyamg")
    rho = scenes.density(scenes.scene(3).charges, 48)
    solver = pyamg.ruge_stuben_solver(law(46))
    found = solver.solve(grid.inside(rho).ravel(), tol=1e-12).reshape(46, 46)
    assert metrics.relative(grid.inside(exact.solve(rho)) - found, found) < 1e-9


def test_its_distance_to_the_continuous_solution_falls_with_the_square_of_the_spacing() -> None:
    def apart(size: int, boundary: str) -> float:
        x = grid.nodes(size, boundary)
        wave = {"dirichlet": np.sin, "periodic": np.cos, "neumann": np.cos}[boundary]
        a, b = (2 * np.pi, 4 * np.pi) if boundary == "periodic" else (2 * np.pi, 3 * np.pi)
        truth = np.outer(wave(b * x), wave(a * x))
        return metrics.relative(exact.solve((a * a + b * b) * truth, boundary) - truth, truth)

    for boundary in ("dirichlet", "periodic", "neumann"):
        sizes = (17, 33, 65) if boundary != "periodic" else (16, 32, 64)
        errors = [apart(size, boundary) for size in sizes]
        orders = np.log2(np.array(errors[:-1]) / errors[1:])
        assert np.all(np.abs(orders - 2) < 0.1), (boundary, orders)


def test_a_polynomial_of_degree_two_with_its_own_edges_comes_out_as_it_is() -> None:
    x, y = np.meshgrid(grid.nodes(SIZE), grid.nodes(SIZE))
    phi = 1 + 2 * x - y + 3 * x * x + x * y - y * y
    edges = np.stack([phi[:, 0], phi[:, -1], phi[0], phi[-1]])
    assert np.allclose(exact.solve(np.full((SIZE, SIZE), -4.0), "dirichlet", edges), phi, atol=1e-12)
    flux = np.stack([-(2 + y[:, 0]), 2 + 6 + y[:, 0], -(-1 + x[0]), -1 + x[0] - 2])
    neumann = exact.solve(np.full((SIZE, SIZE), -4.0), "neumann", flux)
    apart = neumann - phi
    assert np.ptp(apart) < 1e-11  # up to a constant


@pytest.mark.parametrize("boundary", ["periodic", "neumann"])
def test_the_law_holds_at_every_node_also_on_the_edges(boundary: str) -> None:
    rng = np.random.default_rng(5)
    rho, flux = rng.normal(size=(24, 24)), rng.normal(size=(4, 24))
    edges = flux if boundary == "neumann" else None
    rho -= exact.net_charge(rho, boundary, edges)
    phi = exact.solve(rho, boundary, edges)
    assert np.allclose(grid.minus_laplacian(phi, boundary, edges), rho, atol=1e-9)
    assert abs((phi * grid.weights(24, boundary)).sum()) < 1e-12


def test_the_law_and_its_inverse_are_symmetric_and_positive() -> None:
    rng = np.random.default_rng(1)
    for _ in range(5):
        a, b = rng.normal(size=(2, 18, 18))
        bent = [grid.minus_laplacian(grid.framed(one)) for one in (a, b)]
        assert np.isclose(np.vdot(b, bent[0]), np.vdot(a, bent[1]))
        assert np.isclose(np.vdot(b, exact.inverse(a)), np.vdot(a, exact.inverse(b)))
        assert np.vdot(a, bent[0]) > 0
        assert np.vdot(a, exact.inverse(a)) > 0


def test_the_sine_transform_is_its_own_inverse_and_keeps_lengths() -> None:
    values = np.random.default_rng(2).normal(size=(3, 17, 17))
    assert np.allclose(spectrum.transform(spectrum.transform(values)), values)
    assert np.allclose(np.linalg.norm(spectrum.transform(values)), np.linalg.norm(values))
    eigen = spectrum.transform(grid.minus_laplacian(grid.framed(spectrum.sines(17)[:, [4]] @ spectrum.sines(17)[[2]])))
    assert np.isclose(eigen[4, 2], spectrum.eigenvalues(17)[4, 2])
    assert np.isclose(np.abs(eigen).sum(), eigen[4, 2])


def test_the_prior_is_white_in_its_own_coordinates_and_has_a_mean_square_of_one() -> None:
    drawn = np.stack([grid.inside(scenes.random_field(seed, 32)) for seed in range(200)])
    image = spectrum.white(drawn)
    assert abs(image.var() - 1) < 0.02
    assert abs((drawn**2).mean() - 1) < 0.1
    assert np.allclose(spectrum.potential_of(image), exact.inverse(drawn), atol=1e-9)


@pytest.mark.parametrize("boundary", ["periodic", "neumann"])
def test_net_charge_without_a_way_out_is_refused_with_the_condition(boundary: str) -> None:
    with pytest.raises(InputError, match="potential unless"):
        problem_of(Solve(charges=((0.5, 0.5, 1.0, 0.1),), boundary=boundary, solver="exact"))
    balanced = problem_of(Solve(charges=((0.5, 0.5, 1.0, 0.1),), boundary=boundary, solver="exact", background=True))
    assert metrics.residual(balanced.exact(), balanced) < 1e-10
    assert [note.code for note in balanced.notes] == ["background"]


def test_a_derivative_on_the_edges_that_carries_the_charge_away_is_accepted() -> None:
    recipe = Solve(charges=((0.5, 0.5, 1.0, 0.0),), boundary="neumann", edges=((-0.25,),) * 4, solver="exact")
    problem = problem_of(recipe)
    assert metrics.residual(problem.exact(), problem) < 1e-10
    with pytest.raises(InputError, match="charge plus the integral"):
        problem_of(recipe.replace(edges=((0.25,),) * 4))


def test_gauss_holds_in_any_box_and_superposition_and_scale_hold() -> None:
    problem = posed(7)
    assert checks.gauss(problem.exact(), problem) < 1e-10
    assert checks.superposition(lambda one: one.exact(), problem) < 1e-12
    assert checks.scale(lambda one: one.exact(), problem) < 1e-12
    wrong = problem.exact() * 1.1
    assert abs(checks.gauss(wrong, Problem(problem.rho, "dirichlet", 1.1 * problem.edges)) - 0.1) < 1e-9


def test_charges_keep_their_total_and_their_place_however_narrow() -> None:
    for width in (0.0, 0.01, 0.05, 0.1):
        rho = scenes.density([(0.43, 0.61, 2.5, width)], 65)
        area = grid.weights(65)
        x, y = np.meshgrid(grid.nodes(65), grid.nodes(65))
        total = float((rho * area).sum())
        assert abs(total - 2.5) < 0.05, width
        assert abs(float((rho * area * x).sum()) / total - 0.43) < 1e-3
        assert abs(float((rho * area * y).sum()) / total - 0.61) < 1e-3


def test_resampling_keeps_straight_lines_and_means() -> None:
    x, y = np.meshgrid(np.linspace(0, 1, 50), np.linspace(0, 1, 50))
    plane = 1 + x - 2 * y
    for size in (20, 99):
        fine = np.linspace(0, 1, size)
        wanted = 1 + fine[None] - 2 * fine[:, None]
        assert np.allclose(resampled(plane, size)[2:-2, 2:-2], wanted[2:-2, 2:-2], atol=0.02)


def test_conjugate_gradients_and_two_grid_cycles_reach_the_exact_solution() -> None:
    problem = posed(9, 24)
    truth = problem.exact()
    for method, steps, factor in (("cg", 90, 1.0), ("two_grid", 16, 0.35)):
        found = correct.trace(correct.zero(problem), problem, truth, steps, method)
        assert found.error[-1] < 1e-9, method
        falling = found.error[1:] <= factor * found.error[:-1] + 1e-12
        assert falling.all(), method
        again = correct.corrected(correct.zero(problem), problem, 5, method)
        assert np.isclose(metrics.error(again, truth), found.error[5])
    assert np.array_equal(correct.corrected(truth, problem, 0), correct.started(truth, problem))


def test_the_coarse_correction_projects_in_the_energy() -> None:
    # what the coarse grid has corrected once, it has nothing to add to: Galerkin
    rng, n = np.random.default_rng(4), 19
    coarse = correct._coarse(n)
    residual = rng.normal(size=(n, n))
    step = coarse(residual)
    left = residual - grid.minus_laplacian(grid.framed(step))
    assert np.linalg.norm(coarse(left)) < 1e-10 * np.linalg.norm(step)


def test_the_errors_are_absolute_where_there_is_nothing_to_be_relative_to() -> None:
    nothing = Problem(np.zeros((SIZE, SIZE)), "dirichlet", np.zeros((4, SIZE)))
    assert np.array_equal(nothing.exact(), np.zeros((SIZE, SIZE)))
    assert metrics.scores(nothing.exact(), nothing, nothing.exact()) == {"error_l2": 0, "residual": 0, "boundary_violation": 0}
    bump = grid.framed(np.full((SIZE - 2, SIZE - 2), 0.5))
    assert metrics.error(bump, nothing.exact()) == pytest.approx(np.sqrt((bump**2).mean()))
    assert metrics.residual(bump, nothing) > 0


@pytest.mark.parametrize("boundary", ["dirichlet", "neumann", "periodic"])
@pytest.mark.parametrize("charge", [(0.03, 0.5, 1.0, 0.06), (0.5, 0.5, -2.0, 0.1), (0.95, 0.98, 0.5, 0.08), (0.4, 0.4, 1.0, 0.0)])
def test_a_charge_keeps_its_total_near_an_edge(boundary: str, charge: tuple[float, ...]) -> None:
    rho = scenes.density([charge], 48, boundary, whole=True)
    assert exact.net_charge(rho, boundary) == pytest.approx(charge[2], rel=1e-9)


def test_a_charge_that_flows_out_through_all_edges_is_balanced() -> None:
    asked = Solve(solver="exact", boundary="neumann", charges=((0.5, 0.5, 1.0, 0.08),), edges=((-0.25,),) * 4)
    assert gen_core.run(asked).metrics["residual"] < 1e-9


@pytest.mark.parametrize("boundary", ["dirichlet", "neumann"])
def test_a_random_scene_that_is_drawn_on_keeps_its_density(boundary: str) -> None:
    for seed in range(20):
        asked = Solve(rho=f"synthetic:{seed}", boundary=boundary, background=boundary == "neumann")
        told = drawn(asked)
        again = asked.replace(**as_fields(told.charges, told.edges) | ({} if boundary == "dirichlet" else {"edges": None}))
        was, now = problem_of(asked).rho, problem_of(again).rho
        assert np.abs(now - was).max() < 2e-3 * np.abs(was).max()
