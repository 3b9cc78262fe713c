"""``reference`` against the loop anybody would write with torch.nn and torch.optim."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from tests.engines import advance, furthest, make_job, some_masks
from tests.tolerances import tolerance

STEPS = 20
IDS = (4, 5)
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def build_network(params: np.ndarray, width: int) -> nn.Sequential:
    """Return the usual modules holding these flat parameters."""
    sizes = [2, width, width, width, 1]
    linears = [nn.Linear(a, b) for a, b in pairwise(sizes)]
    parts = [part for linear in linears for part in (linear, nn.ReLU())]
    network = nn.Sequential(*parts[:-1])
    nn.utils.vector_to_parameters(torch.tensor(params), network.parameters())
    return network


def hide(network: nn.Sequential, kept: torch.Tensor) -> None:
    """Multiply all parameters by the mask."""
    flat = nn.utils.parameters_to_vector(network.parameters()).detach()
    nn.utils.vector_to_parameters(flat * kept, network.parameters())


def plain_loop(job, n: int, kept: np.ndarray) -> np.ndarray:
    """Train with autograd and SGD; zero the masked parameters after every step."""
    network, keep = build_network(job.initial[n], job.width), torch.tensor(kept)
    optimiser = torch.optim.SGD(
        network.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4
    )
    hide(network, keep)
    for step in range(STEPS):
        x, y = (torch.tensor(part[n]) for part in job.batch_at(step))
        optimiser.zero_grad()
        nn.BCEWithLogitsLoss()(network(x)[:, 0], y).backward()
        optimiser.step()
        hide(network, keep)
    return nn.utils.parameters_to_vector(network.parameters()).detach().numpy()


@pytest.mark.parametrize("width", [2, 4, 16])
@pytest.mark.parametrize("masked", [False, True])
def test_agrees_with_a_plain_torch_loop(width, masked):
    job = make_job(IDS, width)
    kept = some_masks(IDS, width) if masked else np.ones(job.initial.shape, bool)
    got = advance("reference", job, STEPS, kept).params
    for n in range(len(IDS)):
        gap = furthest(got[n], plain_loop(job, n, kept[n]))
        assert gap <= tolerance("steps_20")


def test_training_moves_the_network_far_more_than_the_tolerance():
    job = make_job(IDS)
    moved = advance("reference", job, STEPS).params - job.initial
    assert np.abs(moved).max() > 1000 * tolerance("steps_20")
