"""Gene sets: good ones counted right, bad ones told in a sentence."""

from pathlib import Path

import numpy as np
import pytest

from gen_core.cells import genesets
from gen_core.errors import InputError


def gmt(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "sets.gmt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_sets_are_read_and_their_change_is_the_mean(tmp_path: Path) -> None:
    sets = genesets.read_gmt(gmt(tmp_path, "UP\thttp://x\tA\tb\tC\tZZZ\n\nFEW\t-\tA\tB\nDOWN\t\tD\tE\tF\n"))
    genes = np.array(list("ABCDEFGH"))
    control = np.ones(8)
    predicted = control + np.array([1, 2, 3, -1, -2, -3, 0, 0])
    table = genesets.changes(sets, genes, control, predicted, None).set_index("gene_set")
    assert set(table.index) == {"UP", "DOWN"}
    assert table.loc["UP", "predicted_change"] == pytest.approx(2)
    assert table.loc["UP", "n_found"] == 3
    assert table.loc["UP", "n_genes"] == 4
    assert table.observed_change.isna().all()
    assert table.loc["UP", "predicted_z"] > 0 > table.loc["DOWN", "predicted_z"]


@pytest.mark.parametrize(
    ("content", "sentence"), [("", "empty"), ("one,two\n", "no genes"), ("UP\tx\n", "Line 1"), (b"\xff\xfe\x00\x01", "not text")]
)
def test_bad_files(tmp_path: Path, content: str | bytes, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        genesets.read_gmt(gmt(tmp_path, content))


def test_sets_of_other_genes_are_told(tmp_path: Path) -> None:
    sets = genesets.read_gmt(gmt(tmp_path, "UP\tx\tENSG1\tENSG2\tENSG3\n"))
    with pytest.raises(InputError, match="name genes in the same way"):
        genesets.changes(sets, np.array(["A"]), np.ones(1), np.ones(1), None)
