"""The kinds of columns, and guesses that are right or None."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gen_core.cells.columns import Column, Guess, as_series, confounding, describe_column, guess
from gen_core.inputs.table import Labels, labels


def column(name: str, levels: str | list[str], counts: tuple[int, ...] = ()) -> Column:
    found = levels.split() if isinstance(levels, str) else levels
    return Column(name, "category", tuple(found), counts or tuple(range(10, 10 + len(found))))


def numbers(name: str) -> Column:
    return Column(name, "number")


QC = [
    numbers("n_genes"),
    numbers("pct_mito"),
    column("phase", "G1 G2M S"),
    column("sex", "F M"),
    column("predicted_doublet", "False True"),
]

KNOWN = {
    "Kang 2018 as pertpy ships it": (
        [column("label", "ctrl stim"), column("cell_type", "B NK T"), column("replicate", "patient_101 patient_1015")],
        Guess("label", "ctrl", "stim", "cell_type", "replicate", None),
    ),
    "Kang 2018 as Seurat ships it": (
        [column("orig.ident", "IMMUNE_CTRL IMMUNE_STIM"), column("stim", "CTRL STIM"), column("seurat_annotations", "B NK T")],
        Guess("stim", "CTRL", "STIM", "seurat_annotations", "orig.ident", None),
    ),
    "Haber 2017: which of three perturbations is meant is the user's choice": (
        [column("batch", "B1 B2"), column("condition", "Control Hpoly.Day10 Salmonella"), column("cell_label", "Tuft Goblet")],
        Guess("condition", "Control", None, "cell_label", "batch", None),
    ),
    "sci-Plex: a drug screen with doses": (
        [column("product_name", "Abexinostat Belinostat Vehicle"), numbers("dose"), column("cell_type", "A549 K562")],
        Guess("product_name", "Vehicle", None, "cell_type", None, "dose"),
    ),
    "Norman 2019": (
        [column("perturbation", "control CEBPA KLF1"), column("gemgroup", "1 2 3"), column("leiden", "0 1 2")],
        Guess("perturbation", "control", None, "leiden", "gemgroup", None),
    ),
    "an atlas of a disease, as CELLxGENE has it": (
        [
            column("disease", "COVID-19 normal"),
            column("cell_type", "B T"),
            column("donor_id", "D1 D2"),
            column("cell_type_ontology_term_id", "CL:1 CL:2"),
            column("tissue", "blood lung"),
            column("is_primary_data", "False True"),
        ],
        Guess("disease", "normal", "COVID-19", "cell_type", "donor_id", None),
    ),
    "scanpy's pbmc68k_reduced: no perturbation": (
        [column("bulk_labels", "CD34+ Dendritic"), column("louvain", "0 1 2")],
        Guess(cell_type_key="bulk_labels"),
    ),
    "scanpy's pbmc3k": ([column("louvain", ["B cells", "NK cells"])], Guess(cell_type_key="louvain")),
    "only the sample tells the condition": (
        [column("sample", "ctrl stim"), column("celltype", "B T")],
        Guess("sample", "ctrl", "stim", "celltype", None, None),
    ),
    "a condition whose control is not named": (
        [column("treatment", "A B"), column("cell_type", "B T")],
        Guess("treatment", None, None, "cell_type", None, None),
    ),
    "a condition of yes and no": (
        [column("infected", "False True"), column("celltype", "B T")],
        Guess("infected", "False", "True", "celltype", None, None),
    ),
    "two labels that may be the control": (
        [column("condition", "DMSO control drug"), column("cell_type", "naive memory")],
        Guess("condition", None, None, "cell_type", None, None),
    ),
    "nothing to go by": ([column("group", "A B"), column("batch", "0 1"), column("x", "no yes")], Guess(replicate_key="batch")),
    "words of a control among cell types": (
        [column("cell_type", ["naive T", "normal B"]), column("annotation", "control other")],
        Guess(cell_type_key="cell_type"),
    ),
    "two columns that are as likely and not the same": (
        [column("treatment", "control drug"), column("stimulation", "control LPS IFN"), column("cell_type", "B T")],
        Guess(cell_type_key="cell_type"),
    ),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_files_are_guessed_right(name: str) -> None:
    columns, expected = KNOWN[name]
    assert guess(columns) == expected
    assert guess([*QC, *columns]) == expected
    assert guess(columns[::-1]) == expected


def test_kinds_of_columns() -> None:
    few = np.arange(300) % 7
    assert describe_column("cluster", few).levels == tuple("0123456")
    assert describe_column("cluster", few.astype(float)).counts == tuple(np.bincount(few))
    assert describe_column("dose", few).kind == "number"
    assert describe_column("drug_dose_uM", few).kind == "number"
    assert describe_column("n_counts", np.arange(300)).kind == "number"
    assert describe_column("score", np.linspace(0, 1, 300)).kind == "number"
    assert describe_column("barcode", labels(np.array([f"b{i}" for i in range(300)], dtype=object))).kind == "text"
    many = labels(np.array([f"guide{i % 600}" for i in range(6000)], dtype=object))
    assert describe_column("guide", many) == Column("guide", "text")
    assert describe_column("dose", labels(np.array(["0", "0.5", "10"] * 5, dtype=object))).kind == "number"
    assert describe_column("dose", labels(np.array(["0 uM", "5 uM"] * 5, dtype=object))).levels == ("0 uM", "5 uM")
    assert describe_column("leiden", labels(np.array(["10", "9", "2"] * 5, dtype=object))).levels == ("2", "9", "10")


def test_values_are_read_as_described() -> None:
    words = labels(np.array(["b", "", "a", "nan", "NA", "b"], dtype=object))
    assert words.levels == ("a", "b")
    assert as_series("x", words).tolist() == ["b", None, "a", None, None, "b"]
    assert as_series("dose", Labels(np.array([0, -1, 1]), ("0", "0.5")))[[0, 2]].tolist() == [0.0, 0.5]
    assert np.isnan(as_series("dose", Labels(np.array([0, -1, 1]), ("0", "0.5")))[1])
    assert as_series("cluster", np.array([1.0, np.nan, 2.0])).tolist() == ["1", None, "2"]
    assert as_series("score", np.array([0.5, np.nan])).dtype == np.float64


def test_confounding() -> None:
    obs = pd.DataFrame(
        {
            "c": ["ctrl", "ctrl", "stim", "stim"],
            "batch": ["1", "1", "2", "2"],
            "donor": ["a", "b", "c", "d"],
            "fine": ["a", "b", "a", "b"],
        }
    )
    entire, nested = confounding(obs, "c", "batch"), confounding(obs, "c", "donor")
    assert entire.code == nested.code == "confounded"
    assert "cannot be told" in entire.text
    assert "ctrl: 2, stim: 2" in nested.text
    assert confounding(obs, "c", "fine") is None
    assert confounding(obs, "c", "c") is None
    assert confounding(obs[obs.c == "ctrl"], "c", "batch") is None
    obs.loc[0, "batch"] = None
    assert confounding(obs, "c", "batch") is not None
