"""Which engine trains a config, and what is said when none can."""

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from spiral import engines
from spiral.engines import reference, vmap
from spiral.errors import ConfigError, EngineUnavailable
from spiral.protocol.job import Budget, Plan


def plan(**more):
    """Return a plan; an optimiser or weight map may be a name that no engine knows."""
    named = {key: SimpleNamespace(name=name) for key, name in more.items()}
    return Plan.simple(Budget(1, 390), **named)


def test_names_are_auto_and_every_engine_on_every_device():
    names = engines.names()
    assert names[:2] == ["auto", "auto:cuda"]
    assert {"vmap", "vmap:cuda", "reference", "reference:cuda"} < set(names)
    assert len(names) == len(set(names))


def test_every_engine_has_a_purpose_and_builds_itself():
    for name, entry in engines.ENGINES.items():
        assert entry.purpose
        if "cpu" in entry.devices:
            assert hasattr(engines.build(name), "advance")


def test_auto_takes_the_first_automatic_engine():
    automatic = [name for name, e in engines.ENGINES.items() if e.automatic]
    name, _ = engines.choose("auto", plan())
    assert name == automatic[0]
    assert name != "reference"


@pytest.mark.parametrize("name", engines.names()[2:])
def test_a_requested_engine_is_taken_with_its_device(name):
    assert engines.choose(name, plan()) == (name, {})


def test_auto_never_takes_what_is_only_on_request(monkeypatch):
    only = {"reference": engines.ENGINES["reference"]}
    monkeypatch.setattr(engines, "ENGINES", only)
    assert engines.choose("auto", plan()) == (None, {"reference": "only on request"})


def test_auto_takes_an_engine_of_a_gpu_only_where_it_is_asked_to(monkeypatch):
    able = {
        n for n, e in engines.ENGINES.items() if e.automatic and "cuda" in e.devices
    }
    for available in (True, False):  # a config means the same on every machine
        monkeypatch.setattr(torch.cuda, "is_available", lambda answer=available: answer)
        assert ":" not in engines.choose("auto", plan())[0]
        name, _ = engines.choose("auto:cuda", plan())
        assert name in {f"{kind}:cuda" for kind in able}
        assert engines.choose("auto:cuda", plan(optimiser="sfw"))[0] == "vmap:cuda"


def test_auto_on_a_gpu_says_which_engines_run_on_none(monkeypatch):
    only = {name: engines.ENGINES[name] for name in ("sparse-plain", "reference")}
    host = replace(engines.ENGINES["vmap"], devices=("cpu",))
    monkeypatch.setattr(engines, "ENGINES", {**only, "host": host})
    name, reasons = engines.choose("auto:cuda", plan())
    assert name is None
    assert reasons["reference"] == "only on request"
    assert reasons["host"] == "does not run on cuda"


def test_auto_passes_over_what_cannot_and_says_why(monkeypatch):
    usual = engines.ENGINES["vmap"]
    able = replace(usual, optimisers=("sgd", "lion"))
    entries = {"vmap": usual, "able": able}
    monkeypatch.setattr(engines, "ENGINES", entries)
    name, passed_over = engines.choose("auto", plan(optimiser="lion"))
    assert name == "able"
    assert "not support optimiser 'lion'" in passed_over["vmap"]


@pytest.mark.parametrize("requested", ["auto", "vmap", "reference:cuda"])
def test_no_engine_has_an_unheard_of_optimiser(requested):
    name, reasons = engines.choose(requested, plan(optimiser="magic"))
    assert name is None
    assert reasons


@pytest.mark.parametrize("name", ["vmap", "vmap:cuda", "reference"])
def test_unsupported_is_said_in_words(name):
    text = engines.unsupported(name, plan(optimiser="lion"))
    known = "sgd, adam, adamw, sam, sfw"
    assert text == f"does not support optimiser 'lion' (supported: {known})"
    text = engines.unsupported(name, plan(weight_map="topk"))
    known = "forward_mask, low_rank, reparam"
    assert text == f"does not support weight map 'topk' (supported: {known})"
    assert engines.unsupported(name, plan()) is None


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        *(
            (name, "choose from .*reference")
            for name in ("auto", "", "vmap:tpu", "jax")
        ),
        ("VMAP", "did you mean 'vmap'"),
        ("vmap:cpu", "did you mean 'vmap'"),
    ],
)
def test_unknown_names_are_refused_with_the_near_or_the_known_ones(name, hint):
    with pytest.raises(ConfigError, match=f"unknown engine {name!r}; {hint}"):
        engines.build(name)


def test_build_gives_the_engine_of_that_name_and_device():
    assert engines.build("vmap") == vmap.VmapEngine("cpu")
    assert engines.build("reference") == reference.ReferenceEngine("cpu")


@pytest.mark.parametrize("name", ["auto", "auto:cuda"])
def test_a_request_for_any_engine_is_not_one(name):
    with pytest.raises(ConfigError, match="unknown engine"):
        engines.build(name)


def test_packs_of_a_gpu_are_thousands_of_networks():
    for width in (3, 16, 64):
        there, here = (engines.price_of(n) for n in ("vmap:cuda", "vmap"))
        assert there.most_networks(width) >= 2_048 > here.most_networks(width)
    assert engines.price_of("reference:cuda") is engines.price_of("reference")


@pytest.mark.parametrize("name", ["vmap:cuda", "reference:cuda"])
def test_without_cuda_the_message_says_what_to_do(name, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    kind = name.partition(":")[0]
    with pytest.raises(EngineUnavailable, match=f"use --engine {kind}"):
        engines.build(name)
    with pytest.raises(EngineUnavailable, match="use --engine auto"):
        engines.check("auto:cuda")


def test_no_engine_is_named_where_packs_are_planned_launched_and_shown():
    """What differs between engines is in their entries; commands name none."""
    names, root = {*engines.ENGINES}, Path(engines.__file__).parents[1]
    rooms = ("sweep", "cli", "report", "results", "search", "experiment")
    files = [path for room in rooms for path in (root / room).rglob("*.py")]
    for path in files:
        nodes = ast.walk(ast.parse(path.read_text()))
        named = {n.value for n in nodes if isinstance(n, ast.Constant)} & names
        assert named == set(), path


def test_choosing_does_not_need_torch():
    code = (
        "import sys; from spiral import engines; "
        "from spiral.protocol.job import Budget, Plan; "
        "engines.choose('auto', Plan.simple(Budget(1, 1))); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
