"""The contenders of a GPU: what a card does with the packs of a case.

Not yet measured on hardware; the tests run the same contenders on the CPU.
"""

from collections.abc import Iterator
from functools import partial

import torch

from spiral import engines
from spiral.bench import baselines
from spiral.bench.cases import LOOP_STEPS, Case, Contender, engine_seconds
from spiral.engines import sparse
from spiral.engines.prices import STEPS
from spiral.engines.vmap import VmapEngine

SIZES = (512, 2_048, 8_192)
BRIEF_SIZES = (2_048,)
"""Pack sizes; the fastest differs between cases."""

HOST_NETWORKS = 200


def contenders(
    case: Case, cores: int, brief: bool = False, device: str = "cuda"
) -> Iterator[Contender]:
    """Yield the contenders of a case, a plain loop on the card first.

    Args:
        case: What to train.
        cores: Threads of engine ``sparse``, which trains on the host beside them.
        brief: Restrict packs to one size.
        device: Where all others train.
    """
    loop = partial(baselines.loop, device=device)
    yield Contender("loop", 1, 1, LOOP_STEPS, loop, device)
    for networks in BRIEF_SIZES if brief else SIZES:
        pack = networks, max(160, 400_000 // networks)
        plain, captured = VmapEngine(device), VmapEngine(device, in_blocks=True)
        compiled = partial(baselines.compiled, device=device)
        yield Contender("uncaptured", 1, *pack, engine_seconds(plain), device)
        yield Contender("captured", 1, *pack, engine_seconds(captured), device)
        yield Contender("compiled", 1, *pack, compiled, device)
        if device != "cpu" and engines.installed(f"sparse:{device}"):
            fused = engine_seconds(engines.build(f"sparse:{device}"))
            yield Contender("fused", 1, networks, STEPS, fused, device)
    host = engine_seconds(sparse.SparseEngine(cores))
    yield Contender("sparse", cores, HOST_NETWORKS, STEPS, host)


def facts() -> dict[str, object]:
    """Return what speed on the card depends on."""
    card = torch.cuda.get_device_properties(0)
    return {
        "gpu": card.name,
        "capability": f"{card.major}.{card.minor}",
        "multiprocessors": card.multi_processor_count,
        "gpu_gigabytes": round(card.total_memory / 1e9, 1),
        "cuda": torch.version.cuda,
    }
