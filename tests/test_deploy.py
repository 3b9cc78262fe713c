"""What clusters are given: scripts that run, files that their readers accept."""

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import jsonschema
import pandas as pd
import pytest
import ray.autoscaler
import yaml

from spiral.cli import main

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
GRID = "{method: random, width: 3, keep: [9, 12, 15, 18], epochs: [1, 2], batch: 2000}"


@pytest.fixture
def commands(tmp_path):
    """A folder of commands: this package, and SLURM's as far as the script needs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    texts = {
        "spiral-sweep": f'exec "{sys.executable}" -m spiral "$@"',
        "srun": 'if [ -n "$END" ]; then exit "$END"; fi; "$@"',
        "scontrol": f'echo "$@" >> "{tmp_path}/scontrol"',
    }
    for name, text in texts.items():
        file = folder / name
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return folder


def submit(commands, task, first, count, end=""):
    """Run one task of an array; return its exit code."""
    folder = commands.parent
    (folder / "grid.yaml").write_text(GRID)
    slurm = {
        "SLURM_ARRAY_TASK_ID": str(task),
        "SLURM_ARRAY_TASK_COUNT": str(count),
        "SLURM_ARRAY_TASK_MIN": str(first),
        "SLURM_CPUS_PER_TASK": "1",
        "SLURM_JOB_ID": "77",
        "END": str(end),
        "PATH": f"{commands}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    script = ["bash", str(DEPLOY / "slurm-array.sh"), "grid.yaml", "out"]
    ran = subprocess.run(
        script, cwd=folder, env=os.environ | slurm, capture_output=True, check=False
    )
    return ran.returncode


@pytest.mark.slow
@pytest.mark.parametrize("first", [0, 1])
def test_the_tasks_of_an_array_train_everything_once(first, commands):
    out = commands.parent / "out"
    assert submit(commands, first, first, 2) == 0
    assert 0 < len(pd.read_parquet(out)) < 8
    assert submit(commands, first + 1, first, 2) == 0
    rows = pd.read_parquet(out)
    assert len(rows) == 8
    assert rows["config_id"].is_unique


@pytest.mark.parametrize(("end", "again"), [(143, True), (3, False), (1, False)])
def test_a_task_at_its_time_limit_is_queued_again(end, again, commands):
    assert submit(commands, 0, 0, 2, end) == end
    queued = commands.parent / "scontrol"
    assert (queued.read_text() if queued.exists() else "") == (
        "requeue 77\n" if again else ""
    )


def test_ray_accepts_the_description_of_its_cluster():
    schema = Path(ray.autoscaler.__file__).parent / "ray-schema.json"
    cluster = yaml.safe_load((DEPLOY / "ray-up.yaml").read_text())
    jsonschema.validate(cluster, json.loads(schema.read_text()))
    assert cluster["head_node_type"] in cluster["available_node_types"]


def test_the_job_of_kubernetes_has_one_image_and_results_on_its_head_only():
    job = yaml.safe_load((DEPLOY / "kuberay-job.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    pods = [group["template"]["spec"] for group in groups]
    (image,) = {each["containers"][0]["image"] for each in pods}
    assert "spiral-sweep" in image
    head, *workers = pods
    (mount,) = head["containers"][0]["volumeMounts"]
    assert mount["name"] == head["volumes"][0]["name"]
    assert f"--out {mount['mountPath']}/" in job["spec"]["entrypoint"]
    assert workers
    for pod in workers:
        assert "volumes" not in pod
        assert "volumeMounts" not in pod["containers"][0]
    constraints = (ROOT / "constraints.txt").read_text()
    assert f"ray=={cluster['rayVersion']}\n" in constraints


def test_commands_in_these_files_exist():
    files = [*DEPLOY.iterdir(), ROOT / "Containerfile"]
    text = "\n".join(path.read_text() for path in files)
    used = re.findall(r"spiral-sweep (\w+) .*?--out", text)
    assert used
    assert {*used} <= main.commands.keys()


def test_the_image_has_what_the_package_is_built_from():
    text = (ROOT / "Containerfile").read_text()
    copied = [
        word
        for line in re.findall(r"^COPY (.*)$", text, re.M)
        for word in line.split()[:-1]
    ]
    assert {"spiral", "sweeps", "setup.cfg"} <= {*copied}
    assert all((ROOT / name).exists() for name in copied)
    extras = re.search(r"\.\[([\w,]+)\]", text)[1].split(",")
    setup = (ROOT / "setup.cfg").read_text()
    assert all(f"\n{extra} =\n" in setup for extra in extras)
    assert {*re.findall(r"^ +(\w+)\) index", text, re.M)} == {"cpu", "cuda"}
