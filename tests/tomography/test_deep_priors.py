"""The diffusion prior and the autoencoder: trained on a few slices, stored, opened again, asked for a reconstruction."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from gen_core import catalog, checkpoint
from gen_core.errors import CheckpointError, RecipeError
from gen_core.tomography import diffusion, evaluate, modelfile, vae
from gen_core.tomography.recipe import Reconstruct, Train
from gen_core.tomography.train import steps

SIZE = 64


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Priors of 64 x 64 pixels, of 64 slices and one pass: they know next to nothing, but by the real way."""
    home = tmp_path_factory.mktemp("priors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LATENT_HOME", str(home / "home"))
        patch.setattr(evaluate, "SLICES", 1)
        patch.setattr(evaluate, "RANGES", (90,))
        made = {}
        for prior in ("diffusion", "vae"):
            made[prior] = home / prior
            recipe = Train(prior=prior, size=SIZE, slices=64, epochs=1, data="phantoms_wide")
            for _ in steps(recipe, made[prior], "cpu"):
                pass
        yield made


def kept(folder: Path) -> str:
    """The name of a model that was put into the store."""
    return catalog.make_recipe("tomography.reconstruct", {"model": str(folder)}).fields()["model"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(("prior", "methods"), [("diffusion", ("fbp", "posterior", "langevin")), ("vae", ("fbp", "latent_map"))])
def test_a_trained_prior_reconstructs(
    folders: dict[str, Path], prior: str, methods: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LATENT_HOME", str(tmp_path))
    card = checkpoint.read_card(folders[prior])
    assert {"psnr_90", "psnr_90_low", "psnr_90_high", "coverage90_90"} <= set(card["metrics"])
    assert "tv" in card["baselines"]
    asked = Reconstruct(
        image="synthetic:thorax:5", size=64, methods=methods, model=kept(folders[prior]), sampler_steps=6, posterior_samples=3
    )
    result = catalog.run(asked)
    assert set(result.recipe.fields()["weights"]) == {prior}
    for name in methods[1:]:
        made = result.content
        assert made.samples[name].shape == (3, SIZE, SIZE)
        assert made.deviations[name].min() > 0
        assert np.isfinite(result.metrics[f"{name}.psnr"])
        assert 0 <= result.metrics[f"{name}.coverage90"] <= 1
    with pytest.raises(RecipeError, match="knows slices of 64 x 64"):
        catalog.run(asked.replace(size=128))


def test_the_same_seed_gives_the_same_samples(folders: dict[str, Path]) -> None:
    from gen_core.tomography.geometry import scanner
    from gen_core.tomography.measure import clean, measured
    from gen_core.tomography.phantoms import phantom
    from gen_core.tomography.priors import Problem

    geometry = scanner(SIZE, 30, 90.0)
    data = measured(clean(phantom("thorax", 5), geometry), 0.01)
    problem = Problem(geometry, data.sinogram, data.sigma)
    model = modelfile.opened(kept(folders["diffusion"]), None, "diffusion")
    first, second, other = (np.asarray(diffusion.drawn(model, problem, "dds", 3, seed, 8).samples) for seed in (0, 0, 1))
    assert first.shape == (3, SIZE, SIZE)
    np.testing.assert_array_equal(first, second)
    assert np.abs(first - other).max() > 1e-3
    found = vae.explained(modelfile.opened(kept(folders["vae"]), None, "vae"), problem, 3, 0)
    assert np.shape(np.asarray(found.samples)) == (3, SIZE, SIZE)
    assert np.asarray(found.deviation).min() > 0
    residual = found.trace["residual"]
    assert residual[-1] < residual[0]


@pytest.mark.parametrize("prior", ["diffusion", "vae"])
def test_damaged_and_exchanged_weights_are_refused(folders: dict[str, Path], prior: str, tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(folders[prior], folder)
    tensors = load_file(folder / "weights.safetensors")
    del tensors["variances" if prior == "diffusion" else "misfit"]
    card = checkpoint.read_card(folder)
    save_file(tensors, folder / "weights.safetensors")
    checkpoint.put(folder, tensors, card)
    with pytest.raises(CheckpointError, match="is no"):
        modelfile.read(folder, None, prior)
    with pytest.raises(CheckpointError, match="it is of the kind"):
        modelfile.read(folders[prior], None, "vae" if prior == "diffusion" else "diffusion")


def test_a_training_that_was_broken_off_ends_the_same(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "SLICES", 1)
    monkeypatch.setattr(evaluate, "RANGES", (90,))
    recipe = Train(prior="diffusion", size=SIZE, slices=64, epochs=1, data="phantoms_wide")
    monkeypatch.setattr("gen_core.training.TOLD_EVERY", 0.0)
    work = steps(recipe, tmp_path / "again", "cpu")
    for step in work:
        if step.text.startswith("epoch 1 of 1, 5"):
            break
    work.close()
    for _ in steps(recipe, tmp_path / "again", "cpu"):
        pass
    one, two = (load_file(folder / "weights.safetensors") for folder in (folders["diffusion"], tmp_path / "again"))
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)
