"""Threaded models: a sequence of the family on the backbone of its template. Not a prediction, and it says so in each file.

The template's backbone is kept as it is; a residue takes the place of the template's residue in its column. What stands in a
column where either has a gap is left out, and so are side chains beyond C-beta.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from gen_core.datasets import path_of
from gen_core.errors import UserError
from gen_core.inputs.structures import read_structure
from gen_core.proteins import identity
from gen_core.proteins.alphabet import GAP, LETTERS
from gen_core.proteins.model import posterior, probabilities
from gen_core.proteins.structurefile import Backbone, mmcif_text, pdb_text
from gen_core.proteins.template import Template, open_template, source_of
from gen_core.result import Notice

if TYPE_CHECKING:
    from gen_core.proteins.modelfile import FamilyModel
    from gen_core.proteins.recipe import Sample
    from gen_core.proteins.sample import Drawn

Array = np.ndarray
Colour = Literal["conservation", "mutation", "log_likelihood", "plddt"]
MOST = 200  # models written by one run
SAID = "Template backbone, not a prediction"
STAND_INS = "synthetic stand-ins for the family's own"
FULL = float(np.log2(20))  # bits of a site that is always the same
LEAST_LOG = -6.0  # nats at which the legend's scale of log likelihoods begins


@dataclass(frozen=True)
class Legend:
    """What a B-factor means: its name, its unit, and both ends of the scale as numbers and in words."""

    title: str
    unit: str
    low: float
    high: float
    low_words: str
    high_words: str

    @property
    def low_said(self) -> str:
        """The low end for a legend."""
        return f"{self.low_words} ({self.low:.0f} {self.unit})" if self.unit else self.low_words

    @property
    def high_said(self) -> str:
        """The high end."""
        return f"{self.high_words} ({self.high:.1f} {self.unit})" if self.unit else self.high_words


LEGENDS: Mapping[Colour, Legend] = {
    "conservation": Legend("conservation of the family's column", "bits", 0.0, FULL, "any residue", "always the same residue"),
    "mutation": Legend("difference from the nearest known sequence", "", 0.0, 1.0, "the same residue", "another residue"),
    "log_likelihood": Legend("log likelihood of the residue", "nats", LEAST_LOG, 0.0, "unexpected here", "expected here"),
    "plddt": Legend("confidence of the prediction (pLDDT)", "of 100", 40.0, 95.0, "unsure", "sure"),
}


@dataclass(frozen=True, eq=False)
class Threaded:
    """A sequence on its template: letters (n), backbone (n, 4, 3) in Å and residue numbers of the template, the model's
    columns (n,) they stand in, values (n,) for the B-factor, and how many residues have no place on the template."""

    name: str
    sequence: str
    backbone: Array
    numbers: tuple[str, ...]
    columns: Array
    values: Array
    left_out: int
    colour: Colour
    template: Template
    synthetic: bool = False  # whether the known sequences it is coloured by are

    @property
    def caption(self) -> str:
        """What it is, in one sentence."""
        missing = f"; {self.left_out} without a place there" if self.left_out else ""
        beside = f" Coloured against {STAND_INS}." if self._synthetic else ""
        return f"{self.name}: {len(self.sequence)} residues on {self.template.words}{missing}. {SAID}.{beside}"

    @property
    def _synthetic(self) -> bool:
        return self.synthetic and self.colour == "mutation"

    def _written(self) -> Backbone:
        legend = LEGENDS[self.colour]
        unit = f" in {legend.unit}" if legend.unit else ""
        remarks = [
            f"{SAID}. The backbone is that of {self.template.words}, as it is; residues are renamed by the family's columns.",
            f"{self.left_out} residues of the sequence have no place on the template and are left out.",
            "C-beta atoms stand in ideal geometry; the rest of the side chains is left out.",
            f"B-factor: {legend.title}{unit}: {legend.low:.2f} is {legend.low_words}, {legend.high:.2f} {legend.high_words}.",
            "The B-factor is no confidence of a structure.",
        ]
        if self._synthetic:
            remarks.append(f"The known sequences are {STAND_INS}.")
        title = f"{self.name} threaded on {self.template.words}"
        return Backbone(self.sequence, self.backbone, self.numbers, self.values, self.template.chain.name, title, remarks)

    def pdb(self) -> str:
        """As a PDB file; its recipe is put in by `stamp`."""
        return pdb_text(self._written())

    def mmcif(self) -> str:
        """As an mmCIF file."""
        return mmcif_text(self._written())


def thread(template: Template, codes: Array, values: Array, name: str, colour: Colour, synthetic: bool = False) -> Threaded:
    """One sequence codes (L,) on the template, with values (L,) of its columns; `synthetic` where the known ones are."""
    columns = np.flatnonzero((codes != GAP) & (template.places >= 0))
    places = template.places[columns]
    return Threaded(
        name,
        "".join(LETTERS[code] for code in codes[columns]),
        template.chain.backbone[places],
        tuple(template.chain.numbers[i] for i in places),
        columns,
        values[columns],
        int((codes != GAP).sum()) - len(columns),
        colour,
        template,
        synthetic,
    )


def values_of(colour: Colour, model: FamilyModel, known: Array, codes: Array, z: Array | None = None) -> Array:
    """Values (n, L) of sequences codes (n, L): bits of conservation, 0 or 1 for a difference from the nearest known (m, L), or
    log likelihood in nats at latent points z (n, k), without them at the means of the sequences' own posteriors."""
    if colour == "conservation":
        return np.broadcast_to(conservation(model.moments.sites), codes.shape)
    if colour == "mutation":
        return (codes != known[identity.nearest(codes, known)[1]]).astype(np.float64)
    points = posterior(model.net, codes)[0] if z is None else z
    p = np.take_along_axis(probabilities(model.net, points), codes[:, :, None].astype(np.int64), 2)[:, :, 0]
    return np.asarray(np.log(np.maximum(p, 1e-9)), np.float64)


def conservation(sites: Array) -> Array:
    """Information (L,) in bits of site frequencies (L, 21), gaps left aside: log2 20 less the entropy (Schneider 1986)."""
    p = sites[:, :GAP].astype(np.float64)
    p /= np.maximum(p.sum(1, keepdims=True), 1e-12)
    return np.asarray(FULL + (p * np.log2(np.maximum(p, 1e-12))).sum(1))


def refuse_early(recipe: Sample) -> None:
    """Before anything is trained: raise RecipeError where there can be no template, InputError where its file is none."""
    if recipe.template is not None:
        read_structure(path_of(recipe.template, "template"))
    elif recipe.model == "train":
        source_of(recipe, None)


def missing(made: Drawn) -> str | None:
    """Why there is no template for a draw, in a sentence; None where there is one."""
    try:
        template_for(made)
    except UserError as error:
        return str(error)
    return None


def template_for(made: Drawn) -> Template:
    """The template of a draw. Raises RecipeError where its family has none, InputError where the given one does not fit."""
    return open_template(source_of(made.recipe, made.model.card), made.recipe.template_chain, made.model)


def models_of(made: Drawn, rows: Array | list[int], colour: Colour | None = None) -> list[Threaded]:
    """The samples of these rows of a draw on its template, named as in its files. Raises what `template_for` does."""
    from gen_core.proteins.files import name_of

    template, colour = template_for(made), colour or made.recipe.b_factor
    rows = np.asarray(rows, int)
    if not len(rows):
        return []
    values = values_of(colour, made.model, made.known.codes, made.codes[rows], made.draw.z[rows])
    return [thread(template, made.codes[i], values[k], name_of(int(i)), colour, made.known.synthetic) for k, i in enumerate(rows)]


def template_itself(made: Drawn, colour: Colour | None = None) -> Threaded:
    """The template's own sequence in the family's columns, coloured as its models: what they are shown beside."""
    template, colour = template_for(made), colour or made.recipe.b_factor
    values = values_of(colour, made.model, made.known.codes, template.codes[None])
    return thread(template, template.codes, values[0], "template", colour, made.known.synthetic)


def written_rows(made: Drawn) -> Array:
    """The samples that models are written of: the first that are kept."""
    return np.flatnonzero(made.kept)[:MOST]


def notices_of(made: Drawn) -> list[Notice]:
    """What a reader of the models must know."""
    told = [Notice("template_backbone", f"{SAID}: every model has the backbone of {template_for(made).words}.")]
    if (kept := int(made.kept.sum())) > MOST:
        told.append(Notice("structures_capped", f"Models are written of the first {MOST} of {kept:,} kept samples."))
    return [*told, *template_for(made).notices]
