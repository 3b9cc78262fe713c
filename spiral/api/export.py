"""Write a network in the formats of other programs."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spiral import __version__, extras
from spiral.errors import ConfigError
from spiral.model import mlp
from spiral.results import atomic
from spiral.search import network_files
from spiral.tasks import catalogue

if TYPE_CHECKING:
    from spiral.api.network import Network

OPSET = 17
"""Version of ONNX's operators. Gemm and Relu are the same since 14; every runtime since
2022 reads 17."""
IR_VERSION = 8
"""Version of ONNX's file format, the one that came with opset 17."""


def save(network: "Network", path: Path) -> None:
    """Write a network in the format that the name of the file ends in.

    Raises:
        ConfigError: There is no such format, or a package is missing.
    """
    write = FORMATS.get(path.suffix.lower())
    if write is None:
        raise ConfigError(
            f"{path}: expected a name ending in {', '.join(FORMATS)}, got "
            f"{path.suffix or 'none'}"
        )
    write(network, path)


def onnx(network: "Network", path: Path) -> None:
    """Write a network as ONNX: four Gemm and three Relu, opset 17.

    Input ``points`` float32 [B, 2], standardised as the task's; output ``logits``
    float32 [B, 1], class 1 where positive.

    Raises:
        ConfigError: The package ``onnx`` is missing.
    """
    _write(path, _onnx_model(network).SerializeToString())


def _onnx_model(network: "Network") -> Any:
    """Return the model; built by hand, as the graph is small and needs no tracing."""
    try:
        from onnx import TensorProto, checker, helper, numpy_helper
    except ImportError:
        raise ConfigError(
            "expected the package onnx, got none; pip install 'spiral-sweep[onnx]'"
        ) from None
    nodes, before = [], "points"
    for number in range(len(network.layers)):
        last = number == len(network.layers) - 1
        after = "logits" if last else f"z{number}"
        inputs = [before, f"{2 * number}.weight", f"{2 * number}.bias"]
        nodes.append(helper.make_node("Gemm", inputs, [after], transB=1))
        if not last:
            nodes.append(helper.make_node("Relu", [after], [f"h{number}"]))
        before = f"h{number}"
    ends = (("points", mlp.INPUTS), ("logits", 1))
    kind = TensorProto.FLOAT
    points, logits = (
        helper.make_tensor_value_info(name, kind, ["B", size]) for name, size in ends
    )
    weights = [
        numpy_helper.from_array(np.ascontiguousarray(array, np.float32), name)
        for name, array in network.arrays().items()
    ]
    graph = helper.make_graph(nodes, "network", [points], [logits], weights)
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="spiral-sweep",
        producer_version=__version__,
    )
    checker.check_model(model)
    return model


def _npz(network: "Network", path: Path) -> None:
    """Write arrays, with the masks: a kept weight may be 0."""
    named: dict[str, Any] = dict(network.arrays())
    for number, kept in enumerate(network.mask):
        named[f"{2 * number}.weight_mask"] = kept
    buffer = io.BytesIO()
    np.savez(buffer, **named)
    _write(path, buffer.getvalue())


def _state_dict(network: "Network", path: Path) -> None:
    """Write the state dict of :meth:`Network.to_torch`."""
    extras.require("torch", f"writing {path}", "write .npz or .safetensors")
    import torch

    buffer = io.BytesIO()
    torch.save(network.state_dict(), buffer)
    _write(path, buffer.getvalue())


def _safetensors(network: "Network", path: Path) -> None:
    """Write the same tensors without pickle."""
    from safetensors import numpy as safetensors

    arrays = {n: np.ascontiguousarray(a) for n, a in network.arrays().items()}
    _write(path, safetensors.save(arrays))


def _json(network: "Network", path: Path) -> None:
    """Write what the viewer saves."""
    saved = network_files.Saved(network.name, network.layers)
    task = catalogue.load(catalogue.DEFAULT)  # the viewer's
    found = network_files.evaluated(saved, task)
    _write(path, network_files.as_json([found]).encode())


def _picture(network: "Network", path: Path) -> None:
    """Draw the network."""
    from spiral.report.figures import style

    style.save(network.plot(), path)


def _write(path: Path, data: bytes) -> None:
    """Write a file at once or not at all."""
    atomic.replace_atomically(path, data, path.absolute().parent)


FORMATS: dict[str, Callable[["Network", Path], None]] = {
    ".onnx": onnx,
    ".pt": _state_dict,
    ".safetensors": _safetensors,
    ".npz": _npz,
    ".json": _json,
    **dict.fromkeys((".svg", ".png", ".pdf"), _picture),
}
"""Ending of a file's name → what writes it."""
