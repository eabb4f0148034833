"""The sentences of the library in the words of the cells page."""

import re

import pytest

import gen_core
from app.instruments.cells_question import worded
from gen_core.cells.recipe import Perturb
from gen_core.errors import UserError


@pytest.mark.parametrize(
    "fields",
    [
        {"condition_key": "nowhere"},
        {"cell_type_key": "condition", "condition_key": "condition"},
        {"replicate_key": "cell_type"},
        {"dose_key": "donor"},
        {"target": "nobody"},
        {"sources": ("nobody",)},
    ],
)
def test_no_internal_name_is_left_in_a_sentence(fields: dict) -> None:
    with pytest.raises(UserError) as error:
        gen_core.run("cells.perturb", data="simulated", **fields)
    said = worded(str(error.value))
    assert not re.search(r"\w_key|gene_shift|weighted_shift", said), said


def test_a_columns_own_name_is_left_as_it_is() -> None:
    assert worded("the column 'cell_type' and 'my_target_data_2'") == "the column 'cell_type' and 'my_target_data_2'"
    assert Perturb.model_fields.keys() >= {"condition_key", "cell_type_key", "replicate_key", "dose_key"}
