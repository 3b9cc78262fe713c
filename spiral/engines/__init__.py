"""Engines train packs; they never decide masks.

An engine's capabilities are data, so that a grid is checked without importing torch.

The rule of ``auto``: ``sparse`` wherever it supports the plan, else ``vmap``. Measured
on dense networks (networks/s on one core, sparse : vmap): width 16 11.7 : 1.2, 32 3.4 :
0.55; from width 128 on, where ``vmap`` was as fast as a walk along edges, layers that
keep most weights are products of matrices, which takes a third of the time. Pruned
networks are far faster with ``sparse``. Under forward masks a step of a network of
width 16 with 44 weights takes 1.5 to 2.5 µs with ``sparse``, 6 µs while hidden weights
fade, and 40 to 50 µs with ``vmap``. The rule depends on the config
alone, so that a row does not depend on the machine that made it. ``auto:cuda`` asks for
the first engine of these that runs on a GPU.
"""

import importlib
from dataclasses import dataclass

from spiral import extras, spelling
from spiral.engines.prices import ByWeights, ByWidth, Price
from spiral.errors import ConfigError, EngineUnavailable
from spiral.protocol.job import Engine, Plan

SLOTS = {1: 4.6, 700: 4.3, 2_300: 5.2, 34_000: 4.6}
"""Nanoseconds per parameter of engine ``sparse`` (see ``ByWeights``)."""

PACK = {"most": 512, "most_units": 2048}
"""Pack sizes of engine ``vmap``; those of the reference are equal, to compare them."""

EXTRA = {"forward_mask": 1.3, "sfw": 1.6, "low_rank": 1.1, "reparam": 2.0}
EXTRA |= {"adam": 2.0, "adamw": 2.0, "late_adamw": 1.1}
"""Factors on the time of a step of engine ``vmap``.

Measured processor time at widths 3, 16 and 64: forward masks over all weights 1.2, 1.0
and 1.3, over layers 1.1, 1.0 and 1.4, N:M 1.3, 1.0 and 1.4; Frank-Wolfe 1.4, 1.2 and
1.6. Adapters with AdamW take 2.7, 3.1 and 2.6, AdamW alone 1.6, 2.1 and 2.0; where it
starts late, that is only the last tenth of a training. Learned weight maps take 1.4 to
1.9 at width 3 and 1.6 to 2.4 at width 16, the soft cut of ``spartan`` 3.5 there (ratios
within one run on a busy machine). The second gradient of ``sam`` counts in the cost
profile of the method."""


@dataclass(frozen=True)
class Entry:
    """One engine and its capabilities."""

    module: str
    purpose: str
    devices: tuple[str, ...]
    price: Price
    """Its cost model, for plans and pack sizes."""
    optimisers: tuple[str, ...] = ("sgd",)
    weight_maps: tuple[str, ...] = ()
    automatic: bool = True
    """Whether ``auto`` may select it."""
    package: str | None = None
    """The optional package that it needs (``extras.PACKAGES``)."""
    on_gpu: Price | None = None
    """Its cost model on a GPU, if another; in seconds of the whole card."""


ENGINES: dict[str, Entry] = {
    "sparse": Entry(
        "spiral.engines.sparse",
        "walks lists of kept weights, Numba",
        ("cpu",),
        ByWeights(SLOTS, step_nanoseconds=25.0),
        weight_maps=("forward_mask",),
    ),
    "sparse-plain": Entry(
        "spiral.engines.sparse.twin",
        "the same without explicit vectors, the fallback of `sparse`",
        ("cpu",),
        ByWeights(SLOTS, step_nanoseconds=25.0, factor=5.0),
        weight_maps=("forward_mask",),
        automatic=False,
    ),
    "vmap": Entry(
        "spiral.engines.vmap",
        "trains a pack at once, torch.func.vmap",
        ("cpu", "cuda"),
        ByWidth(
            {
                **{1: 0.07, 3: 0.082, 6: 0.105, 8: 0.15, 16: 0.25},
                **{32: 0.85, 64: 2.6, 128: 9.3, 256: 33.0},
            },
            EXTRA,
            **PACK,
            # what it costs to start the operations of a step: five and twenty networks
            # of width 16 take 9 and 15 s
            loop_seconds=8.0,
        ),
        optimisers=("sgd", "adam", "adamw", "sam", "sfw"),
        weight_maps=("forward_mask", "low_rank", "reparam"),
        package="torch",
        # By arithmetic, not yet measured on hardware: a step moves about twelve times
        # the activations, 512 bytes a unit, at 2 TB/s; the host needs 0.1 ms a step to
        # start captured blocks. Packs of up to 130,000 units hold about 1 GB. The free
        # memory of a card does not count: a launch that is continued or divided among
        # machines must cut the same packs
        on_gpu=ByWidth(
            {1: 0.0003, 3: 0.0006, 16: 0.003, 64: 0.012, 256: 0.1},
            EXTRA,
            most=8_192,
            most_units=2**17,
            loop_seconds=2.0,
        ),
    ),
    "reference": Entry(
        "spiral.engines.reference",
        "trains one network at a time; defines correct results",
        ("cpu", "cuda"),
        ByWidth({1: 6.0, 16: 6.5, 64: 9.0, 256: 45.0}, EXTRA, **PACK),
        optimisers=("sgd", "adam", "adamw", "sam", "sfw"),
        weight_maps=("forward_mask", "low_rank", "reparam"),
        automatic=False,
        package="torch",
    ),
    "sparse:cuda": Entry(
        "spiral.engines.sparse_cuda",
        "`sparse` on a GPU, a network per block of threads",
        ("cuda",),
        # computed for a card with 132 multiprocessors (benchmarks/sparse_cuda.md)
        ByWeights({1: 0.063, 700: 0.063}, step_nanoseconds=0.44),
        automatic=False,
        package="numba_cuda",
    ),
}
"""In order of preference. An engine that is another program on a device has an entry of
its own for it."""


def entry(name: str) -> Entry:
    """Return the entry of an engine, which may be named with its device."""
    return ENGINES.get(name) or ENGINES[name.partition(":")[0]]


AUTO = {"auto": "cpu", "auto:cuda": "cuda"}
"""Requests for any engine → the device."""


def names() -> list[str]:
    """Return every legal value of a config's ``engine``."""
    devices = [
        name if device == "cpu" or ":" in name else f"{name}:{device}"
        for name, entry in ENGINES.items()
        for device in entry.devices
    ]
    return [*AUTO, *devices]


def price_of(name: str) -> Price:
    """Return the cost model of an engine on the device that its name has."""
    found = entry(name)
    return found.on_gpu if ":" in name and found.on_gpu else found.price


def unsupported(engine: str, plan: Plan) -> str | None:
    """Return the reason why an engine cannot train a plan, or None if it can."""
    able = entry(engine)
    if plan.optimiser.name not in able.optimisers:
        known = ", ".join(able.optimisers)
        return (
            f"does not support optimiser {plan.optimiser.name!r} (supported: {known})"
        )
    if plan.weight_map and plan.weight_map.name not in able.weight_maps:
        known = ", ".join(able.weight_maps) or "none"
        return (
            f"does not support weight map {plan.weight_map.name!r} (supported: {known})"
        )
    return None


def choose(requested: str, plan: Plan) -> tuple[str | None, dict[str, str]]:
    """Choose the engine of a config; a function of the config alone.

    Args:
        requested: The config's ``engine``.
        plan: Its method's plan.

    Returns:
        name: The engine, or None if none supports the plan.
        passed_over: Engine → the reason why it was not chosen.
    """
    passed_over: dict[str, str] = {}
    device = AUTO.get(requested)
    for name in [requested] if device is None else ENGINES:
        reason = _not_automatic(name, device) if device else None
        reason = reason or unsupported(name, plan)
        if reason is None:
            return f"{name}:cuda" if device == "cuda" else name, passed_over
        passed_over[name] = reason
    return None, passed_over


def _not_automatic(name: str, device: str) -> str | None:
    """Return why ``auto`` may not take an engine for a device, or None if it may."""
    if not ENGINES[name].automatic:
        return "only on request"
    return None if device in ENGINES[name].devices else f"does not run on {device}"


def build(name: str) -> Engine:
    """Return an engine that is ready to train.

    Args:
        name: A name of :func:`names` other than those of ``AUTO``.

    Raises:
        ConfigError: No engine has that name.
        EngineUnavailable: Its device is missing.
        MissingPackage: The package that it needs is not installed.
    """
    if name not in names() or name in AUTO:
        known = [each for each in names() if each not in AUTO]
        hint = spelling.suggest(name, known, spelling.ENGINES)
        raise ConfigError(f"unknown engine {name!r}; {hint}")
    check(name)
    module = importlib.import_module(entry(name).module)
    engine: Engine = module.build(name.partition(":")[2] or "cpu")
    return engine


def installed(kind: str) -> bool:
    """Return whether the package that an engine needs is installed, if any."""
    package = ENGINES[kind].package
    return package is None or extras.installed(package)


def check(name: str) -> None:
    """Check that an engine, or ``auto``, can be built on this machine.

    Raises:
        EngineUnavailable: Its device is missing.
        MissingPackage: The package that it needs is not installed.
    """
    kind, _, device = name.partition(":")
    package = entry(name).package if kind in ENGINES else None
    if package:
        extras.require(package, f"engine {name}")
    if device != "cuda":
        return
    found, by = _cuda_by_numba() if package == "numba_cuda" else _cuda_by_torch(name)
    if not found:
        raise EngineUnavailable(
            f"engine {name!r}: expected a CUDA device, but {by} finds none; "
            f"use --engine {kind}, or a machine with a GPU and its driver"
        )


def _cuda_by_torch(name: str) -> tuple[bool, str]:
    """Return whether there is a CUDA device, and what looked for it."""
    extras.require("torch", f"engine {name}")
    import torch

    return torch.cuda.is_available(), f"torch {torch.__version__}"


def _cuda_by_numba() -> tuple[bool, str]:
    """Return whether there is a CUDA device, and what looked for it."""
    import numba_cuda
    from numba import cuda

    return cuda.is_available(), f"numba-cuda {numba_cuda.__version__}"
