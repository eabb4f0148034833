"""A small scan that the tests of samplers share."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gen_core.tomography.denoiser import Gaussian
from gen_core.tomography.geometry import scanner
from gen_core.tomography.priors import Problem


@pytest.fixture(scope="module")
def problem(prior: Gaussian) -> Problem:
    """A draw of a test file's own `prior`, scanned over 100 degrees in 12 views."""
    geometry = scanner(prior.size, 12, 100.0)
    rng = np.random.default_rng(1)
    truth = prior.draw(1, torch.Generator().manual_seed(3))[0, 0].numpy()
    made = Problem(geometry, np.zeros(geometry.shape, np.float32), np.full(geometry.shape, 0.3))
    data = made.operator.forward(truth) + 0.3 * rng.standard_normal(geometry.shape)
    return Problem(geometry, data.astype(np.float32), np.full(geometry.shape, 0.3))
