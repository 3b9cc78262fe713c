"""A Ray cluster on this machine: nodes, workers, launchers and heads die."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

from spiral.sweep.ray.tune import LOOPBACK, SETTINGS
from tests.soak.stage import Stage, check, check_message, until
from tests.sweep.conftest import descendants

WANTED = 20
EACH = 5
"""Deaths of one turn."""

GRID = "{method: random, keep: 12, width: 3, epochs: 1000..1011, seed: 0..1}"
"""12 packs of about two seconds, so that a node dies with one at work."""


def turn(stage: Stage, chance: Random) -> int:
    """Launch on a cluster of which something dies; rows are the same in the end."""
    for name, value in {**SETTINGS, **LOOPBACK}.items():
        os.environ.setdefault(name, value)
    try:
        from ray.cluster_utils import Cluster
    except ImportError as error:
        raise NotImplementedError(f"no cluster_utils: {error}") from None
    expected = _undisturbed(stage)
    if chance.random() < 0.2:
        return _head_dies(stage, Cluster, expected)
    return _nodes_die(stage, Cluster, expected, chance)


def _head_dies(stage: Stage, make: Any, expected: dict[str, str]) -> int:
    """Kill the head in the midst of a launch; launch again on another head."""
    out, log = stage.fresh("out"), stage.folder / "launch"
    for number in range(2):
        cluster = make(
            initialize_head=True, head_node_args=_node(2), shutdown_at_exit=False
        )
        try:
            child = _launch(stage, out, cluster.address, log)
            if number == 0:
                until(lambda: stage.packs(out), "a pack")
                cluster.head_node.kill_gcs_server()
            code = child.wait(300)
        finally:
            cluster.shutdown()
        said = log.read_text()
        check((code == 0) == bool(number), f"exit code {code}: {said}")
        check(number or "no longer answers" in said, said)
    found = stage.packs(out)
    wrong = [name for name in expected if found.get(name) != expected[name]]
    check(not wrong, f"{len(found)} packs, of which not as undisturbed: {wrong}")
    return 1


def _nodes_die(
    stage: Stage, make: Any, expected: dict[str, str], chance: Random
) -> int:
    """Kill nodes, workers and launchers while they train; replace them."""
    cluster = make(
        initialize_head=True, head_node_args=_node(0), shutdown_at_exit=False
    )
    deaths, out, number = 0, stage.fresh("out"), 0
    try:
        nodes = [cluster.add_node(**_node(1)) for _ in range(2)]
        while deaths < EACH or stage.packs(out) != expected:
            log = stage.folder / f"launch-{number}"
            child = _launch(stage, out, cluster.address, log)
            deaths += _disturb(cluster, nodes, child, chance, EACH - deaths)
            code = child.wait(300)
            check(code in (0, 3, -9), f"exit code {code}: {log.read_text()}")
            if code == 3:
                check_message(
                    log.read_text(), "its worker died", "retry the failed ones"
                )
            number += 1
            check(number < 8 + deaths, f"never complete: {log.read_text()}")
            if stage.packs(out) == expected and deaths < EACH:
                out = stage.fresh(f"out-{number}")
    finally:
        cluster.shutdown()
    check(stage.packs(out) == expected, "the rows are not the undisturbed ones")
    return deaths


def _node(cpus: int) -> dict[str, Any]:
    """Return what a node is made of: loopback only, no dashboard."""
    return {
        "num_cpus": cpus,
        "node_ip_address": "127.0.0.1",
        "object_store_memory": 80 * 2**20,
        "include_dashboard": False,
    }


def _undisturbed(stage: Stage) -> dict[str, str]:
    """Return the digests of the grid's packs, trained without Ray."""
    out, stage.grid = stage.folder / "long", stage.folder / "long.yaml"
    stage.grid.write_text(GRID)
    if not out.exists():
        child = stage.launch(out)
        check(child.wait(600) == 0, child.said)
    return stage.packs(out)


def _launch(stage: Stage, out: Path, address: str, log: Path) -> Any:
    """Launch on the cluster in an interpreter of its own."""
    code = "from spiral.cli import main; main()"
    words = ["launch", str(stage.grid), "--out", str(out), "--address", address]
    words += ["--workers", "2"]
    others = {n: v for n, v in os.environ.items() if n not in LOOPBACK}
    with log.open("w") as file:
        return subprocess.Popen(
            [sys.executable, "-c", code, *words], stdout=file, stderr=file, env=others
        )


def _disturb(
    cluster: Any, nodes: list[Any], child: Any, chance: Random, most: int
) -> int:
    """Kill nodes, workers or the launcher at work, one after the other."""
    deaths = 0
    while child.poll() is None and deaths < most:
        ends = time.monotonic() + chance.uniform(1, 12)
        while child.poll() is None and time.monotonic() < ends:
            time.sleep(0.1)
        if child.poll() is not None:
            break
        workers = [pid for pid in descendants(os.getpid()) if _trains(pid)]
        victim = chance.choice(["node", "node", "worker", "launcher"])
        if victim == "launcher":
            child.kill()
        elif victim == "worker" and workers:
            os.kill(chance.choice(sorted(workers)), signal.SIGKILL)
        else:
            node = nodes.pop(chance.randrange(len(nodes)))
            cluster.remove_node(node, allow_graceful=False)
            nodes.append(cluster.add_node(**_node(1)))
        deaths += 1
    return deaths


def _trains(pid: int) -> bool:
    """Return whether a process is a worker that has a pack."""
    try:
        return b".train" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
