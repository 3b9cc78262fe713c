"""A pretended GPU: tensors without numbers, on machines without one.

Under torch's fake tensors an operation on tensors of two devices raises, as does
reading a number (``.item()``) and an index whose size depends on numbers. What torch
would allow but a step must not do, :class:`Watch` refuses: results in host memory.
Torch without CUDA cannot index these tensors by brackets ("not linked with support"),
so steps use ``select``, ``split`` and their like.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_leaves

from spiral.engines import blocks, losses, traced


class HostTensor(AssertionError):
    """An operation left its result in host memory."""


class Watch(TorchDispatchMode):
    """Refuses results in host memory."""

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        found = operation(*args, **(kwargs or {}))
        for leaf in tree_leaves(found):
            if isinstance(leaf, torch.Tensor) and leaf.device.type == "cpu":
                raise HostTensor(f"{operation} returned a tensor in host memory")
        return found


class Uploads:
    """Counts copies from host memory, and refuses those of a captured block."""

    def __init__(self):
        self.count, self.captures = 0, 0

    def record(self, run, device):
        """Stand for ``devices.record``."""

        def again():
            before, self.captures = self.count, self.captures + 1
            run()
            assert self.count == before, "a captured block copies from host memory"

        return again

    def copy(self, array, device=None, **_):
        """Stand for ``torch.tensor``; what is on the device has no numbers."""
        assert device == "cuda", f"a tensor made in host memory: {array}"
        self.count += 1
        values = np.asarray(array)
        kind = getattr(torch, str(values.dtype))
        return torch.empty(values.shape, dtype=kind, device="cuda")


def written(mine, other):
    """Stand for ``Tensor.copy_``, whose binding asks for CUDA."""
    return torch.ops.aten.copy_(mine, other)


@contextmanager
def cuda() -> Iterator[Uploads]:
    """Pretend that there is a GPU, and count what is copied to it."""
    uploads, real = Uploads(), traced.trace

    def aside(*args):
        """Trace on the CPU, as always: there nothing is pretended."""
        with _disable_current_modes():
            return real(*args)

    with (
        patch.object(traced, "trace", aside),
        patch.object(losses, "trace", aside),
        patch.object(blocks, "record", uploads.record),
        patch.object(torch, "tensor", uploads.copy),
        patch.object(torch.Tensor, "copy_", written),
        FakeTensorMode(),
        Watch(),
        torch.no_grad(),
    ):
        yield uploads
