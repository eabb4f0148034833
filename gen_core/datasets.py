"""The data sets that a recipe can name, and where their bytes are.

Bundled data is made by the project's own simulators or ships inside a dependency; public data is fetched once, when its
user asks for it, checked by its digest, and kept in the content store like an upload.
"""

from __future__ import annotations

import importlib
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from gen_core import store
from gen_core.errors import InputError, MissingContent


@dataclass(frozen=True)
class DataSet:
    """One named data set. `path` names the function that gives a bundled one as a file ("module:function")."""

    name: str
    system: str
    title: str
    summary: str
    synthetic: bool
    licence: str
    source: str
    path: str | None = None
    url: str | None = None
    sha256: str | None = None
    size: int | None = None  # bytes
    role: str = "data"  # the recipe's field that takes it
    layer: str | None = None  # the matrix to read where a recipe names none; None for X
    map_only: bool = False  # whether nothing was perturbed in it


DATA = (
    DataSet(
        "simulated",
        "cells",
        "Simulated response (synthetic)",
        "2,400 synthetic cells of six types from four donors; the true response of every single cell is known.",
        True,
        "MIT",
        "made by this project's simulator",
        path="gen_core.cells.simulate:single_dose",
    ),
    DataSet(
        "simulated_doses",
        "cells",
        "Simulated doses (synthetic)",
        "3,600 synthetic cells of six types, untreated and at five doses from 0.1 to 10 µM.",
        True,
        "MIT",
        "made by this project's simulator",
        path="gen_core.cells.simulate:five_doses",
    ),
    DataSet(
        "pbmc68k_reduced",
        "cells",
        "PBMC 68k, reduced (map only)",
        "700 real blood cells, 765 genes, no perturbation: a map to walk on.",
        False,
        "BSD-3-Clause, as part of scanpy",
        "Zheng et al. 2017, https://doi.org/10.1038/ncomms14049, as shipped inside scanpy",
        path="gen_core.cells.data:scanpy_pbmc",
        layer="raw",  # its X is scaled, which is no expression
        map_only=True,
    ),
    DataSet(
        "kang2018",
        "cells",
        "Kang 2018, interferon-beta",
        "24,673 real blood cells of eight donors, control and stimulated with interferon-beta.",
        False,
        "public measurements, GEO GSE96583",
        "Kang et al. 2018, https://doi.org/10.1038/nbt.4042",
        url="https://exampledata.scverse.org/pertpy/kang_2018.h5ad",
        sha256="e6a5adac64dcdeb36eaba27db49b63e0c64bb0ed4a64c6705971506b41c39830",
        size=38_356_412,
    ),
    DataSet(
        "simulated_pathway",
        "cells",
        "Simulated pathways (synthetic)",
        "The gene sets that the simulator's treatment really changes, and some that it does not.",
        True,
        "MIT",
        "made by this project's simulator",
        path="gen_core.cells.simulate:pathways",
        role="gene_sets",
    ),
    DataSet(
        "micrographs",
        "images",
        "Rendered micrographs (synthetic)",
        "Any number of polycrystals, 64 x 64, whose eleven factors are known: grains, boundaries, particles, colour, light.",
        True,
        "MIT",
        "rendered by this project",
        path="gen_core.images.bundled:micrographs",
    ),
    DataSet(
        "micrographs_cells",
        "images",
        "Rendered fluorescent cells (synthetic)",
        "The same eleven factors drawn as cells in fluorescence: membranes, fibres, nuclei.",
        True,
        "MIT",
        "rendered by this project",
        path="gen_core.images.bundled:cells",
    ),
    DataSet(
        "chorismate_mutase",
        "proteins",
        "Chorismate mutase (synthetic sequences)",
        "1,000 synthetic sequences of the AroQ family, drawn from the bundled model; its statistics are of 1,259 real ones.",
        True,
        "Apache-2.0 (the alignment that the model was trained on)",
        "Russ et al. 2020, https://doi.org/10.1126/science.aba3304, the alignment as in spqb/adabmDCApy",
        path="gen_core.proteins.known:stand_ins",
        sha256="4e72e098d4844cf70094b7e32840c044973af23412124a7578a1044f62645ccc",  # of the real alignment
        role="family",
    ),
    DataSet(
        "pdb_1ecm",
        "proteins",
        "Chorismate mutase of E. coli, backbone",
        "The backbone of 91 residues of chain A, PDB entry 1ECM: the template of the bundled family.",
        False,
        "CC0 (Protein Data Bank)",
        "Lee et al. 1995, J. Am. Chem. Soc. 117, 3627; https://doi.org/10.2210/pdb1ECM/pdb",
        path="gen_core.proteins.template:as_file",
        role="template",
    ),
    DataSet(
        "chorismate_mutase_designs",
        "proteins",
        "Designs of chorismate mutase (synthetic sequences)",
        "48 synthetic sequences: drawn around the naturals, from the prior, at a low temperature, and site by site.",
        True,
        "Apache-2.0 (the alignment that the model was trained on)",
        "drawn from the bundled model",
        path="gen_core.proteins.known:designs",
        role="sequences",
    ),
    DataSet(
        "phantoms_thorax",
        "tomography",
        "Chest slices (synthetic)",
        "Any number of random chests painted with ellipses: wall, lungs, heart, vessels, spine, ribs, lesions; their "
        "projections are known in closed form.",
        True,
        "MIT",
        "made by this project",
        path="gen_core.tomography.bundled:thorax",
    ),
    DataSet(
        "phantoms_wide",
        "tomography",
        "Chest, belly and head slices (synthetic)",
        "Any number of random chests, bellies and heads painted with ellipses, a third each.",
        True,
        "MIT",
        "made by this project",
        path="gen_core.tomography.bundled:wide",
    ),
    DataSet(
        "ct_small",
        "tomography",
        "A small CT slice (pydicom's example)",
        "A real slice of 128 x 128 pixels, as it comes with pydicom for its tests.",
        False,
        "MIT, as part of pydicom",
        "CT_small.dcm of pydicom's test files",
        path="gen_core.tomography.bundled:ct_small",
        role="image",
    ),
    DataSet(
        "double_well",
        "defects",
        "Double well (synthetic)",
        "Single particles that cross from one well to another; synthetic, any number, force and diffusion constant known.",
        True,
        "MIT",
        "made by this project's simulator",
        path="gen_core.defects.bundled:double_well",
    ),
    DataSet(
        "rotating",
        "defects",
        "Trap that turns (synthetic)",
        "Single particles in a trap that also drives them around, which no potential does; synthetic, truth known.",
        True,
        "MIT",
        "made by this project's simulator",
        path="gen_core.defects.bundled:rotating",
    ),
    DataSet(
        "stationary",
        "defects",
        "Double well at rest (synthetic)",
        "The double well when nothing changes any more: its snapshots cannot tell the diffusion constant; synthetic.",
        True,
        "MIT",
        "made by this project's simulator",
        path="gen_core.defects.bundled:stationary",
    ),
    DataSet(
        "pairs",
        "defects",
        "Repelling defects (synthetic)",
        "Ten defects of one sign in a trap that repel each other as vortices do; synthetic, law of the pairs known.",
        True,
        "MIT",
        "made by this project's simulator",
        path="gen_core.defects.bundled:pairs",
    ),
    DataSet(
        "pairs_signed",
        "defects",
        "Defects of two signs (synthetic)",
        "Five defects of each sign in a trap: like ones repel, unlike ones attract; synthetic, law known.",
        True,
        "MIT",
        "made by this project's simulator",
        path="gen_core.defects.bundled:pairs_signed",
    ),
    DataSet(
        "appex_poly",
        "defects",
        "Landscape quadratic (synthetic)",
        "2,000 particles of a landscape of the literature at three times, the test of nn-APPEX; synthetic, truth known.",
        True,
        "MIT",
        "made by this project's simulator; the potential as in JKOnet*, https://github.com/antonioterpin/jkonet-star",
        path="gen_core.defects.bundled:appex_poly",
    ),
    DataSet(
        "appex_styblinski_tang",
        "defects",
        "Landscape Styblinski-Tang (synthetic)",
        "2,000 particles of a landscape of the literature at three times, the test of nn-APPEX; synthetic, truth known.",
        True,
        "MIT",
        "made by this project's simulator; the potential as in JKOnet*, https://github.com/antonioterpin/jkonet-star",
        path="gen_core.defects.bundled:appex_styblinski_tang",
    ),
    DataSet(
        "appex_bohachevsky",
        "defects",
        "Landscape Bohachevsky (synthetic)",
        "2,000 particles of a landscape of the literature at three times, the test of nn-APPEX; synthetic, truth known.",
        True,
        "MIT",
        "made by this project's simulator; the potential as in JKOnet*, https://github.com/antonioterpin/jkonet-star",
        path="gen_core.defects.bundled:appex_bohachevsky",
    ),
    DataSet(
        "appex_wavy_plateau",
        "defects",
        "Landscape wavy plateau (synthetic)",
        "2,000 particles of a landscape of the literature at three times, the test of nn-APPEX; synthetic, truth known.",
        True,
        "MIT",
        "made by this project's simulator; the potential as in JKOnet*, https://github.com/antonioterpin/jkonet-star",
        path="gen_core.defects.bundled:appex_wavy_plateau",
    ),
    DataSet(
        "appex_oakley_ohagan",
        "defects",
        "Landscape Oakley-O'Hagan (synthetic)",
        "2,000 particles of a landscape of the literature at three times, the test of nn-APPEX; synthetic, truth known.",
        True,
        "MIT",
        "made by this project's simulator; the potential as in JKOnet*, https://github.com/antonioterpin/jkonet-star",
        path="gen_core.defects.bundled:appex_oakley_ohagan",
    ),
)


def named(name: str) -> DataSet | None:
    """The data set of this name; None for a file of the user's own."""
    return next((d for d in DATA if d.name == name), None)


def path_of(name: str, field: str = "data") -> Path:
    """The file that a recipe's content field names: a digest in the store, or a data set's name.

    Raises MissingContent where the file is not on this machine, InputError where there is no such name.
    """
    if name.startswith("sha256:"):
        return store.find(name, field)
    found = next((d for d in DATA if d.name == name and d.role in (field, field.removeprefix("target_"))), None)
    if found is None:
        names = ", ".join(d.name for d in DATA if d.role == field.removeprefix("target_"))
        given = f"there are {names}, or a file of your own" if names else "give a file of your own"
        raise InputError(f"{field}: there is no data set {name!r}; {given}.")
    if found.path is not None:
        module, function = found.path.split(":")
        return cast(Path, getattr(importlib.import_module(module), function)())
    try:
        return store.find(f"sha256:{found.sha256}", field)
    except MissingContent:
        raise InputError(
            f"{found.title} is not on this machine yet: fetch it on its page, or download {found.url} and drop it there."
        ) from None


def fetch(name: str, progress: Callable[[float, str], None] = lambda share, text: None, timeout: float = 10) -> str:
    """Download a public data set into the store and return its digest.

    Raises InputError where there is no network, or where what came is not what the catalogue names (then it is deleted).
    """
    found = next(d for d in DATA if d.name == name and d.url is not None)
    assert found.url is not None
    assert found.size is not None
    try:
        with urllib.request.urlopen(found.url, timeout=timeout) as response:
            counted = cast(IO[bytes], _Counted(response, found.size, progress))
            digest = store.add(counted, f"{found.name}.h5ad")
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        raise InputError(f"{found.title} could not be fetched: there is no network, or {found.url} does not answer.") from None
    if digest != f"sha256:{found.sha256}":
        store.delete(digest)
        raise InputError(f"What {found.url} sent is not the file the catalogue names; it was deleted.")
    return digest


class _Counted:
    """A stream that tells how far it is and stops a little after the size it should have."""

    def __init__(self, stream: object, size: int, progress: Callable[[float, str], None]) -> None:
        self.stream, self.size, self.progress, self.done = stream, size, progress, 0

    def read(self, n: int) -> bytes:
        block: bytes = self.stream.read(n) if self.done <= self.size else b""  # type: ignore[attr-defined]
        self.done += len(block)
        self.progress(min(self.done / self.size, 1.0), "fetching")
        return block
