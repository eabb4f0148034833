"""ESMFold: a sentence where something is missing; else the real library folds, here with a tiny network of chance weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gen_core
from gen_core import catalog
from gen_core.errors import InputError, RecipeError
from gen_core.inputs.structures import read_structure
from gen_core.proteins import fold, relax
from tests.proteins.test_sample import ECM

SMALL = {
    "num_blocks": 1, "sequence_state_dim": 64, "pairwise_state_dim": 32, "sequence_head_width": 16, "pairwise_head_width": 16,
    "max_recycles": 1,
    "structure_module": {
        "sequence_dim": 32, "pairwise_dim": 16, "ipa_dim": 8, "resnet_dim": 16, "num_heads_ipa": 2, "num_qk_points": 2,
        "num_v_points": 2, "num_blocks": 1, "num_transition_layers": 1, "num_resnet_blocks": 1,
    },
}  # fmt: skip


def test_what_is_missing_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(fold.FOLDER, raising=False)
    with pytest.raises(InputError, match=fold.FOLDER):
        gen_core.run("proteins.fold", sequences=[ECM])
    with pytest.raises(RecipeError, match="sequences"):
        gen_core.run("proteins.fold", sequences=[])


def test_the_extra_names_what_is_needed() -> None:
    import tomllib

    settings = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert settings["project"]["optional-dependencies"]["fold"] == [fold.NEEDED]


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """ESMFold's architecture with few and random weights, saved as its real ones are."""
    pytest.importorskip("transformers")
    import torch
    from transformers import EsmConfig, EsmForProteinFolding
    from transformers.models.esm.configuration_esm import get_default_vocab_list

    torch.manual_seed(0)
    config = EsmConfig(
        vocab_size=33, mask_token_id=32, pad_token_id=1, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, is_folding_model=True, position_embedding_type="rotary", token_dropout=True,
        esmfold_config={"fp16_esm": False, "trunk": SMALL}, vocab_list=get_default_vocab_list(),
    )  # fmt: skip
    EsmForProteinFolding(config).save_pretrained(tmp_path / "esmfold")
    monkeypatch.setenv(fold.FOLDER, str(tmp_path / "esmfold"))
    return tmp_path / "esmfold"


def test_sequences_are_folded_and_say_how_sure_they_are(tiny: Path, tmp_path: Path) -> None:
    result = gen_core.run("proteins.fold", sequences=[ECM[:30], "mk-.LV"])
    result.save(tmp_path / "out")
    path = tmp_path / "out" / "structures" / "model_1.pdb"
    assert catalog.from_file(path) == result.recipe
    assert read_structure(path).chains[0].sequence == ECM[:30]
    assert [text for _, text in relax.read_models(tmp_path / "out")][1].count(" CA ") == 4
    atoms = [line for line in path.read_text().splitlines() if line.startswith("ATOM")]
    confidence = np.array([float(line[60:66]) for line in atoms])
    assert 1 < confidence.mean() <= 100  # not from 0 to 1
    assert result.metrics["n_models"] == 2
    assert result.warnings[0].code == "low_confidence"  # chance weights know nothing
    assert gen_core.run(result.recipe).content.texts == result.content.texts


def test_other_weights_and_other_files_are_refused(tiny: Path) -> None:
    asked = catalog.make_recipe("proteins.fold", {"sequences": [ECM[:12]], "weights": "0" * 64})
    with pytest.raises(InputError, match="other weights"):
        gen_core.run(asked)
    with pytest.raises(InputError, match="more than"):
        gen_core.run("proteins.fold", sequences=["A" * 1_500])
    (tiny / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(InputError, match="holds no ESMFold"):
        gen_core.run("proteins.fold", sequences=[ECM[:12]])
