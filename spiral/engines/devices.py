"""What the torch engines do to a device: copies to it, exact products, capture.

The paths for CUDA have been run on fake tensors and, with plain calls in place of
capture, on the CPU; they have not been measured on hardware.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

WARM_UP = 2
"""Runs before a capture, in which libraries allocate what they need once."""


def upload(array: np.ndarray, device: str) -> Tensor:
    """Copy an array from host memory to a device; nothing else in an engine does."""
    return torch.tensor(array, device=device)


def download(tensor: Tensor) -> np.ndarray:
    """Copy a tensor to host memory; that of a captured block is used again."""
    found: np.ndarray = tensor.cpu().numpy().copy()
    return found


@contextmanager
def exact() -> Iterator[None]:
    """Compute products in float32, without TF32, whatever the process has set."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def settle(device: str) -> None:
    """Let cuBLAS sum in one order on every stream; it reads this when it starts."""
    if device != "cpu":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def record(run: Callable[[], None], device: str) -> Callable[[], None]:
    """Return a function that repeats what ``run`` does to its tensors.

    On a GPU the launches of ``run`` are captured in a CUDA graph, and the function
    replays it; elsewhere it is ``run`` itself.
    """
    if device == "cpu":
        return run
    here, side = torch.cuda.current_stream(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(here)
    with torch.cuda.stream(side):
        for _ in range(WARM_UP):
            run()
    here.wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    replay: Callable[[], None] = graph.replay
    return replay
