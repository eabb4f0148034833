"""Solving by recipe: the learned solvers beside the exact one, their numbers, their files, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import gen_core
from gen_core import catalog
from gen_core.__main__ import main
from gen_core.errors import CheckpointError, InputError, RecipeError, UserError
from gen_core.poisson import correct, learned, metrics, modelfile, scenes
from gen_core.poisson.problem import Problem, problem_of
from gen_core.poisson.recipe import Green, Solve

KINDS = [kind for kind in ("flow", "regression", "fno") if modelfile.there(kind)]
CHARGE = ((0.4, 0.5, 1.0, 0.08),)


def opened(kind: str) -> modelfile.Learned:
    return modelfile.opened(modelfile.bundled(kind), None, kind)  # type: ignore[arg-type]


def same_files(a: Path, b: Path) -> None:
    names = sorted(path.name for path in a.iterdir())
    assert names == sorted(path.name for path in b.iterdir())
    for name in names:
        if name != "result.json":
            assert (a / name).read_bytes() == (b / name).read_bytes(), name
    told = [json.loads((folder / "result.json").read_text()) for folder in (a, b)]
    for one in told:
        del one["seconds"]
        for row in (one["metrics"], *one["baselines"].values()):
            row.pop("seconds", None)
    assert told[0] == told[1]


def test_the_command_line_leaves_what_the_contract_names_twice_the_same(tmp_path: Path) -> None:
    ask = ["run", "poisson.solve", "--set", "rho=synthetic:5", "--set", "correction=2", "--set", "steps=4"]
    for name in ("a", "b"):
        assert main([*ask, "--out", str(tmp_path / name)]) == 0
    same_files(tmp_path / "a", tmp_path / "b")
    result = json.loads((tmp_path / "a" / "result.json").read_text())
    needed = {"error_l2", "residual", "boundary_violation", "seconds"}
    assert needed <= result["metrics"].keys()
    assert {"exact", "zero_start"} <= result["baselines"].keys()
    for row in result["baselines"].values():
        assert needed <= row.keys()
    assert result["baselines"]["exact"]["error_l2"] == 0
    assert "adds_nothing" in [warning["code"] for warning in result["warnings"]]
    with np.load(tmp_path / "a" / "solution.npz") as arrays:
        rho, phi, exact, samples = (arrays[name] for name in ("rho", "phi", "exact", "samples"))
    assert rho.shape == phi.shape == exact.shape == (32, 32)
    assert samples.shape == (1, 32, 32)
    problem = problem_of(Solve(rho="synthetic:5"))
    assert np.allclose(exact, problem.exact())
    assert metrics.error(phi, exact) == pytest.approx(result["metrics"]["error_l2"])
    for name in ("solution.npz", "profile.csv", "corrections.csv"):
        assert catalog.from_file(tmp_path / "a" / name) == catalog.from_file(tmp_path / "a" / "recipe.json")


@pytest.mark.parametrize("kind", KINDS)
def test_a_learned_solver_reaches_what_its_card_says_on_scenes_it_never_saw(kind: str) -> None:
    model = opened(kind)
    errors, residuals, edges = [], [], []
    for seed in range(scenes.TEST_FROM + 500, scenes.TEST_FROM + 524):
        problem = problem_of(Solve(rho=f"synthetic:{seed}"))
        truth = problem.exact()
        told = metrics.scores(learned.answers(model, problem, 10, 1, seed)[0], problem, truth)
        errors.append(told["error_l2"])
        residuals.append(told["residual"])
        edges.append(told["boundary_violation"])
    card = model.card["metrics"]
    assert np.mean(errors) < 1.6 * card["error_l2"]
    assert np.mean(residuals) < 1.6 * card["residual"]
    assert max(edges) == 0 or kind == "fno"
    limit = {"flow": 0.05, "regression": 0.03}.get(kind)
    assert limit is None or np.mean(errors) < limit


@pytest.mark.parametrize("kind", KINDS)
def test_doubling_charges_and_edges_doubles_the_answer_up_to_a_million(kind: str) -> None:
    model, problem = opened(kind), problem_of(Solve(rho="synthetic:20"))
    one = learned.answers(model, problem)[0]
    for factor in (2.0, 1e6, -1.0, 1e-6):
        more = Problem(factor * problem.rho, "dirichlet", factor * problem.edges)
        apart = metrics.relative(learned.answers(model, more)[0] / factor - one, one)
        assert apart < (1e-5 if factor > 0 else 0.5)


def test_no_charge_gives_the_lift_alone_and_nothing_gives_zero() -> None:
    edges = ((1.0,), (0.0, 1.0), (-1.0,), (0.5,))
    lifted = gen_core.run("poisson.solve", charges=[[0.5, 0.5, 0.0, 0.1]], edges=edges)
    assert lifted.metrics["error_l2"] < 1e-12
    assert lifted.metrics["boundary_violation"] == 0
    assert "no_charge" in [notice.code for notice in lifted.warnings]
    nothing = gen_core.run("poisson.solve", charges=[[0.5, 0.5, 0.0, 0.1]])
    assert np.array_equal(nothing.content.phi, np.zeros((32, 32)))
    assert nothing.metrics["error_l2"] == nothing.metrics["residual"] == 0
    for kind in KINDS:
        assert not np.any(learned.answers(opened(kind), nothing.content.problem))


def test_what_is_unusual_is_said() -> None:
    codes = lambda **fields: [n.code for n in gen_core.run("poisson.solve", steps=2, **fields).warnings]  # noqa: E731
    assert "charge_on_boundary" in codes(charges=[[0.0, 0.5, 1.0, 0.0], [0.5, 0.5, 1.0, 0.1]])
    assert "untrained_resolution" in codes(rho="synthetic:20", size=48)
    assert "out_of_distribution" in codes(charges=[[0.5, 0.5, 1.0, 0.0]])
    usual = codes(rho="synthetic:20")
    assert set(usual) == {"synthetic_data", "adds_nothing"}


@pytest.mark.parametrize("size", [20, 64])
def test_a_grid_that_was_not_learned_is_answered_through_the_sine_series(size: int) -> None:
    result = gen_core.run("poisson.solve", rho="synthetic:20", size=size)
    assert result.content.phi.shape == (size, size)
    assert result.metrics["boundary_violation"] == 0
    assert result.metrics["error_l2"] < 0.1


def test_correction_steps_near_the_exact_solution_and_the_dial_says_the_same() -> None:
    plain = gen_core.run("poisson.solve", rho="synthetic:9", solver="flow")
    dial = plain.content.traces["cg"]["model"]
    for k in (1, 6):
        found = gen_core.run("poisson.solve", rho="synthetic:9", correction=k)
        assert found.metrics["error_l2"] == pytest.approx(float(dial.error[k]), rel=1e-6)
        zero = plain.content.traces["cg"]["zero"].error[k]
        assert found.baselines["zero_start"]["error_l2"] == pytest.approx(float(zero), rel=1e-6)
    assert (np.diff(dial.error[:20]) < 1e-9).all()
    done = gen_core.run("poisson.solve", rho="synthetic:9", correction=1, correction_method="two_grid")
    assert done.metrics["error_l2"] < 0.01


def test_the_exact_solver_takes_every_boundary_and_the_learned_ones_say_that_they_do_not() -> None:
    for boundary in ("periodic", "neumann"):
        told = gen_core.run("poisson.solve", rho="synthetic:3", boundary=boundary, solver="exact", background=True)
        assert told.metrics["residual"] < 1e-10
        with pytest.raises(RecipeError, match="choose exact"):
            Solve.read({"boundary": boundary, "solver": "flow"})
        assert Solve.read({"boundary": boundary}).solver == "exact"
        with pytest.raises(InputError, match="potential unless"):
            gen_core.run("poisson.solve", charges=CHARGE, boundary=boundary, solver="exact")


BAD = [
    ({"charges": [[1.5, 0.5, 1, 0.1]]}, "charges"),
    ({"charges": [[0.5, 0.5, float("nan"), 0.1]]}, "charges"),
    ({"charges": [[0.5, 0.5, 1e13, 0.1]]}, "charges"),
    ({"size": 8}, "size"),
    ({"size": 1000}, "size"),
    ({"steps": 26}, "steps"),
    ({"boundary": "open"}, "boundary"),
    ({"boundary": "periodic", "solver": "exact", "edges": [[0], [0], [0], [0]]}, "periodic square has none"),
    ({"background": True}, "background"),
    ({"solver": "exact", "sensors": 5}, "sensors"),
    ({"sensors": []}, "3 to 256 sensors"),
    ({"sensors": [[0.5, "a"]] * 3}, "is no sensor"),
    ({"sensors": [[0.5, 0.5, float("nan")]] * 3}, "is no sensor"),
    ({"sensors": 2.5}, "is no number of sensors"),
    ({"sensors": True}, "3 to 256 sensors"),
    ({"sensors": 2}, "choose 3 to 256"),
    ({"sensors": [[0.5, 2.0]] * 3}, "outside the square"),
    ({"sensors": [[0.5, 0.5], [0.2, 0.2, 1.0], [0.3, 0.3]]}, "mixed"),
    ({"sensors": [[0.5, 0.5, 1.0]] * 3, "rho": "synthetic:1"}, "leave rho and charges out"),
    ({"sensors": 5, "samples": 1}, "one sample tells no deviation"),
    ({"edges": [[0], [0], [0]]}, "edges"),
    ({"edges": [[], [0], [0], [0]]}, "edges"),
    ({"rho": "../charges.npy"}, "rho"),
    ({"model": "proteins-chorismate-mutase"}, "not of poisson"),
    ({"rho": "synthetic:x"}, "not known"),
    ({"rho": "scenes:1"}, "not known"),
    ({"rho": "synthetic:99999999999"}, "not known"),
    ({"weights": {"flow": "0" * 64}}, "other weights"),
]


@pytest.mark.parametrize(("fields", "said"), BAD)
def test_what_cannot_be_solved_is_refused_in_a_sentence(fields: dict[str, object], said: str) -> None:
    with pytest.raises((RecipeError, InputError, CheckpointError), match=said) as caught:
        catalog.run(Solve.read(fields))
    assert "\n" not in str(caught.value)


def test_a_recipe_with_drawn_charges_and_edges_fits_a_link() -> None:
    rng = np.random.default_rng(0)
    charges = [[round(float(v), 3) for v in (*rng.random(2), rng.normal(), 0.05)] for _ in range(60)]
    recipe = Solve.read({"charges": charges, "edges": [[0.0, 0.1, 0.3]] * 4, "sensors": None})
    assert catalog.from_query(recipe.query(), "poisson.solve") == recipe
    assert len(recipe.query()) < 8_000


def test_a_point_charge_has_a_symmetric_exact_response_and_the_learned_one_is_measured_against_it() -> None:
    exact = gen_core.run("poisson.green", solver="exact")
    assert exact.metrics["reciprocity_error"] < 1e-12
    assert exact.metrics["gauss_error"] < 1e-10
    found = gen_core.run("poisson.green")
    assert 0 < found.metrics["error_l2"] < 0.5
    assert found.baselines["exact"]["g_ab"] == pytest.approx(exact.metrics["g_ab"])
    distance, phi, truth = found.content.profile
    assert (np.diff(distance) > 0).all()
    assert (np.diff(truth[:8]) < 0).all()  # it falls away from the charge
    assert abs(phi[4] / truth[4] - 1) < 0.3
    with pytest.raises(InputError, match="lies on an edge"):
        gen_core.run("poisson.green", source=[0.0, 0.5])


def test_the_discrete_response_nears_the_logarithm_of_the_plane() -> None:
    fine = gen_core.run("poisson.green", solver="exact", size=129, source=[0.5, 0.5], probe=[0.7, 0.5])
    distance, _, truth = fine.content.profile
    near, far = np.searchsorted(distance, (0.05, 0.15))
    slope = (truth[far] - truth[near]) / np.log(distance[far] / distance[near])
    assert slope == pytest.approx(-1 / (2 * np.pi), rel=0.02)


def test_reciprocity_is_symmetric_in_its_own_two_places() -> None:
    forth = gen_core.run("poisson.green", source=[0.3, 0.4], probe=[0.6, 0.7])
    back = gen_core.run("poisson.green", source=[0.6, 0.7], probe=[0.3, 0.4])
    assert forth.metrics["g_ab"] == pytest.approx(back.metrics["g_ba"], rel=1e-4)


def test_corrections_cost_what_they_say() -> None:
    problem = problem_of(Solve(rho="synthetic:4"))
    truth = problem.exact()
    found = {method: correct.trace(correct.zero(problem), problem, truth, 5, method) for method in correct.METHODS}
    assert found["cg"].work.tolist() == [0, 1, 2, 3, 4, 5]
    assert found["two_grid"].work[1] == 6
    assert found["cg"].needed(1e-12) is None


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="set solver to regression"):
        gen_core.run("poisson.solve", model="poisson-regression-32")
    assert Green.read({"solver": "regression", "model": "poisson-regression-32"}).model == "poisson-regression-32"
