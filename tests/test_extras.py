"""Optional packages: what works without them, and what one is told instead."""

import pandas as pd
import pytest

from spiral import extras
from spiral.errors import MissingPackage
from tests import without

ONE = "launch quickstart --set seed=0 --set epochs=1 --out"
LAUNCH = f"{ONE.removesuffix('--out')} --sample 0.4 --out"
WORKS = {
    "launch": f"{LAUNCH} runs --executor local --workers 2",
    "status": "status runs",
    "compare": "compare runs",
    "shipped": "compare standard --methods gmp,random",
    "plot": "plot accuracy runs -o accuracy.png",
    "view": "view runs -o view.html",
    "report": "report runs -o report.html",
    "rank": "rank",
    "frontier": "frontier show",
    "methods": "methods",
    "plan": "plan quickstart --set optimiser=adam",
}
HERE = "--executor local --workers 1"
FAILS = {
    "engine": f"{LAUNCH} refused {HERE} --engine vmap",
    "auto": f"{LAUNCH} refused {HERE} --set optimiser=adam",
    "executor": f"{LAUNCH} refused --executor ray",
    "method": f"{ONE} snip {HERE} --set method=snip --set keep=20",
    "bench": "bench",
    "export": "export runs --mlflow file:tracker",
    "network": "network export frontier 14 -o network.pt",
    "bucket": "status s3://bucket/runs",
}
TOLD = {
    "engine": ("torch", "engine vmap needs PyTorch; install it by"),
    "auto": ("torch", "engine vmap needs PyTorch; install it by"),
    "executor": ("ray", "or use --executor local"),
    "method": ("torch", "method snip needs PyTorch; install it by"),
    "bench": ("torch", "the command bench needs PyTorch"),
    "export": ("mlflow", "an export to MLflow needs MLflow"),
    "network": ("torch", "or write .npz or .safetensors"),
    "bucket": ("cloud", "a results directory in a bucket needs obstore"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("light")


@pytest.fixture(scope="module")
def ran(folder):
    """What each command did in a Python without torch, ray, mlflow and obstore."""
    every = WORKS | FAILS
    lines = [line.split() for line in every.values()]
    absent = ("torch", "ray", "mlflow", "obstore")
    found = without.commands(folder, absent, lines)
    return dict(zip(every, found, strict=True))


@pytest.mark.parametrize("name", WORKS)
def test_training_on_sparse_reading_and_drawing_need_neither(ran, name):
    assert ran[name]["code"] == 0, ran[name]["err"]


def test_the_rows_are_those_of_engine_sparse(ran, folder):
    rows = pd.read_parquet(folder / "runs")
    assert {"gmp", "magnitude", "random"} <= {*rows["method"]}
    assert {*rows["engine_used"]} == {"sparse"}


@pytest.mark.parametrize("name", FAILS)
def test_what_needs_one_names_the_extra(ran, name):
    package, sentence = TOLD[name]
    said = ran[name]["err"]
    assert f"`pip install 'spiral-sweep[{package}]'`" in said
    assert sentence in said
    assert "Traceback" not in said
    # a method is found out in its pack; others may train
    assert ran[name]["code"] == (3 if name == "method" else MissingPackage.exit_code)


def test_a_launch_that_is_refused_writes_nothing(ran, folder):
    assert ran["engine"]["code"]
    assert not (folder / "refused").exists()


def test_the_sentence_is_about_what_was_asked(monkeypatch):
    monkeypatch.setattr(extras, "PACKAGES", {"nowhere_to_be": "Nowhere"})
    sentence = "a needs Nowhere; install it by `pip install 'spiral-sweep"
    with pytest.raises(MissingPackage, match=rf"^{sentence}\[nowhere_to_be\]'`, or b$"):
        extras.require("nowhere_to_be", "a", "b")


def test_only_a_missing_optional_package_is_explained(monkeypatch):
    assert extras.explained(ImportError(name="numpy"), "a") is None
    assert extras.explained(ImportError("no name"), "a") is None
    assert extras.explained(ImportError(name="torch.func"), "a") is None  # is there
    monkeypatch.setattr(extras, "installed", lambda package: False)
    told = extras.explained(ModuleNotFoundError(name="torch.func"), "a")
    assert "a needs PyTorch" in str(told)


def test_an_installed_package_is_required_in_silence():
    extras.require("torch", "a")
