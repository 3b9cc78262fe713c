"""Where the time of the training loop goes, by torch's profiler."""

import json
import sys
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity

from spiral.bench.baselines import finish
from spiral.bench.cases import engine_seconds
from spiral.engines.vmap import VmapEngine
from spiral.protocol.job import TrainState
from spiral.sweep import calibration

STEPS = 64
MOST = 15


def profile(
    device: str, width: int, networks: int, in_blocks: bool
) -> dict[str, object]:
    """Return the time of a step, the share the device was busy, and what kept it so."""
    engine = VmapEngine(device, in_blocks=in_blocks)
    job = calibration.dense(width, networks)
    taken = engine_seconds(engine)(job, TrainState.fresh(job), STEPS)
    state = engine.advance(job, TrainState.fresh(job), STEPS)
    activities = [ProfilerActivity.CPU]
    activities += [ProfilerActivity.CUDA] if device != "cpu" else []
    with torch.profiler.profile(activities=activities) as seen:
        engine.advance(job, state, 2 * STEPS)
        finish(device)
    key = "self_cpu_time_total" if device == "cpu" else "self_device_time_total"
    times = {each.key: getattr(each, key) / 1e6 for each in seen.key_averages()}
    longest = sorted(times, key=times.__getitem__, reverse=True)[:MOST]
    return {
        "width": width,
        "networks": networks,
        "captured": in_blocks,
        "microseconds_per_step": round(1e6 * taken / STEPS, 2),
        "busy": round(sum(times.values()) / taken, 3),
        "longest": {name: round(1e6 * times[name] / STEPS, 2) for name in longest},
    }


def main(target: str) -> None:
    """Profile some packs on the card and write a JSON file."""
    found = [
        profile("cuda", width, networks, in_blocks)
        for width, networks in ((3, 2_048), (3, 8_192), (16, 2_048))
        for in_blocks in (False, True)
    ]
    Path(target).write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
