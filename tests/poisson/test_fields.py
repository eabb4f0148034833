"""Arrays that a user brings: read where they are square and finite, refused in one sentence where not."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gen_core import catalog
from gen_core.errors import InputError
from gen_core.inputs.fields import read_field
from gen_core.poisson.problem import problem_of

VALUES = np.arange(400.0).reshape(20, 20) - 200


def written(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def saved(folder: Path, name: str, values: np.ndarray, **more: np.ndarray) -> Path:
    out = io.BytesIO()
    if name.endswith("npy"):
        np.save(out, values)
    else:
        np.savez(out, rho=values, **more)
    return written(folder, name, out.getvalue())


def lines(mark: str) -> str:
    return "\n".join(mark.join(f"{v:g}" for v in row) for row in VALUES)


def test_each_kind_of_file_gives_the_same_numbers(tmp_path: Path) -> None:
    paths = [
        saved(tmp_path, "a.npy", VALUES),
        saved(tmp_path, "b.npz", VALUES, phi=np.zeros((3, 3))),
        saved(tmp_path, "c.npy", VALUES.astype(np.int16)),
        saved(tmp_path, "d.npy", np.asfortranarray(VALUES).astype(">f8")),
        written(tmp_path, "e.csv", lines(",")),
        written(tmp_path, "f.tsv", "# a comment\n" + lines("\t") + "\n\n"),
        written(tmp_path, "g.txt", lines(" ")),
        written(tmp_path, "h.csv", "\ufeff" + lines(";")),
        saved(tmp_path, "i.npy", VALUES[None]),
    ]
    for path in paths:
        assert np.array_equal(read_field(path).values, VALUES), path.name


def test_a_picture_stands_upright_and_its_grey_is_the_charge(tmp_path: Path) -> None:
    grey = np.zeros((20, 20), np.uint8)
    grey[0, 3] = 255
    Image.fromarray(grey).save(tmp_path / "p.png")
    found = read_field(tmp_path / "p.png").values
    assert found[-1, 3] == 1
    assert found.sum() == 1


BAD = {
    "nan.npy": ("no numbers .2 are NaN", np.where(np.isin(VALUES, (3, 9)), np.nan, VALUES)),
    "wide.npy": ("20 rows and 40 columns", np.zeros((20, 40))),
    "cube.npy": ("3 dimensions", np.zeros((20, 20, 20))),
    "line.npy": ("1 dimensions", np.zeros(20)),
    "small.npy": ("3 rows", np.zeros((3, 3))),
    "large.npy": ("2,049 rows", np.zeros((2049, 2049), np.uint8)),
    "complex.npy": ("complex numbers", np.zeros((20, 20), complex)),
    "words.npy": ("no plain numbers", np.full((20, 20), "x")),
    "huge.npy": ("beyond 1e30", np.full((20, 20), 1e31)),
}


@pytest.mark.parametrize("name", BAD)
def test_an_array_that_is_no_charge_density_is_refused_in_a_sentence(name: str, tmp_path: Path) -> None:
    said, values = BAD[name]
    with pytest.raises(InputError, match=said):
        read_field(saved(tmp_path, name, values))


def test_hostile_files_are_refused_in_a_sentence(tmp_path: Path) -> None:
    objects = io.BytesIO()
    np.save(objects, np.array([[{}, 1], [2, 3]], dtype=object), allow_pickle=True)
    claims = io.BytesIO()
    np.lib.format.write_array_header_1_0(claims, {"descr": "<f8", "fortran_order": False, "shape": (1 << 20, 1 << 20)})
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("other.npy", saved(tmp_path, "x.npy", VALUES).read_bytes())
    cases = {
        "empty": b"",
        "objects.npy": objects.getvalue(),
        "claims.npy": claims.getvalue(),
        "cut.npy": saved(tmp_path, "whole.npy", VALUES).read_bytes()[:500],
        "none.npz": packed.getvalue(),
        "ragged.csv": "1,2,3\n1,2\n1,2,3\n",
        "long.csv": "1,2,3\n1," + "2" * 200_000 + ",3\n1,2,3\n",
        "words.csv": "a,b,c\n1,2,3\n1,2,3\n",
        "infinite.csv": "\n".join(["inf,2,3,4"] * 4),
        "page.html": "<html><body>x</body></html>",
        "protein.fasta": ">a\nMKV\n",
        "binary": bytes(range(256)) * 8,
        "broken.png": b"\x89PNG\r\n\x1a\n" + b"\0" * 50,
        "cell.csv": "1,2\n" * 3000,
    }
    for name, content in cases.items():
        with pytest.raises(InputError) as caught:
            read_field(written(tmp_path, name, content))
        text = str(caught.value)
        assert text.endswith((".", ")")), name
        assert "\n" not in text
        assert len(text) < 250, name


def test_a_file_is_known_by_its_content_and_keeps_its_own_size(tmp_path: Path) -> None:
    path = saved(tmp_path, "charges.npy", VALUES)
    recipe = catalog.make_recipe("poisson.solve", {"rho": str(path), "solver": "exact"})
    assert recipe.fields()["rho"].startswith("sha256:")
    problem = problem_of(recipe)  # type: ignore[arg-type]
    assert problem.size == 20
    assert np.array_equal(problem.rho, VALUES)
    told = [note.code for note in problem.notes]
    assert told == ["charge_on_boundary"]  # the outermost nodes carry charge, where the potential is given
    coarser = problem_of(recipe.replace(size=16))  # type: ignore[arg-type]
    assert coarser.size == 16
    assert "resampled" in [note.code for note in coarser.notes]
