"""PyTorch modules: whether one computes what the weights found in it do."""

from typing import TYPE_CHECKING

import numpy as np

from spiral.errors import ConfigError
from spiral.model import array_files, mlp

if TYPE_CHECKING:
    import torch

    from spiral.api.network import Network

TOLERANCE = 1e-4
"""Largest difference of a logit from that of a module that is imported, relative to the
largest logit; float32 sums in another order differ by far less."""


def check_outputs(network: "Network", module: "torch.nn.Module") -> None:
    """Raise ConfigError unless a module has the outputs of a network.

    Points beyond the data are among those compared, with units on both sides of zero.
    """
    import torch

    line = np.linspace(-3.0, 3.0, 13, dtype=np.float32)
    points = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, mlp.INPUTS)
    dtype = next(module.parameters()).dtype
    training = module.training
    try:
        with torch.no_grad():
            found = module.train(False)(torch.tensor(points, dtype=dtype))
    finally:
        module.train(training)
    outputs = array_files.as_array(found).ravel()
    expected = network.logits(points)
    most = TOLERANCE * max(1.0, float(np.abs(expected).max()))
    if outputs.shape != expected.shape or not np.allclose(outputs, expected, 0, most):
        raise ConfigError(
            f"{type(module).__name__}: expected the outputs of four linear layers with "
            "ReLU between them (one logit for each point), got others; "
            "Network.from_state_dict(module.state_dict()) takes the weights unchecked"
        )
