"""Who gets engine ``sparse:cuda``: those who ask for it, where it can run."""

import numpy as np
import pytest

from spiral import engines, extras
from spiral.errors import EngineUnavailable, MissingPackage
from spiral.protocol.job import Adam, Budget, ForwardMask, Plan, Sgd

NAME = "sparse:cuda"


def plan(**more):
    return Plan.simple(Budget(1, 390), **more)


def test_it_is_taken_on_request_with_momentum_of_either_kind():
    assert engines.names().count(NAME) == 1
    for nesterov in (False, True):
        chosen = engines.choose(NAME, plan(optimiser=Sgd(nesterov)))
        assert chosen == (NAME, {})


def test_auto_never_takes_it_even_alone(monkeypatch):
    assert engines.choose("auto", plan())[0] != NAME
    monkeypatch.setattr(engines, "ENGINES", {NAME: engines.ENGINES[NAME]})
    assert engines.choose("auto", plan()) == (None, {NAME: "only on request"})


def test_what_it_cannot_train_is_said_in_words():
    name, reasons = engines.choose(NAME, plan(optimiser=Adam()))
    assert name is None
    assert reasons == {NAME: "does not support optimiser 'adam' (supported: sgd)"}
    name, reasons = engines.choose(NAME, plan(weight_map=ForwardMask({}, np.ones(390))))
    assert name is None
    said = "does not support weight map 'forward_mask' (supported: none)"
    assert reasons == {NAME: said}


def test_without_its_package_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(extras, "installed", lambda package: package != "numba_cuda")
    with pytest.raises(MissingPackage, match=r"pip install 'spiral-sweep\[cuda\]'"):
        engines.build(NAME)


def test_without_a_card_the_driver_is_named(monkeypatch):
    monkeypatch.setattr(extras, "installed", lambda package: True)
    monkeypatch.setattr(engines, "_cuda_by_numba", lambda: (False, "numba-cuda 0.30"))
    said = "numba-cuda 0.30 finds none; use --engine sparse, or a machine with a GPU"
    with pytest.raises(EngineUnavailable, match=f"{said} and its driver"):
        engines.build(NAME)
