"""A method that raises for some rows of a pack: the first of them is named."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from spiral import engines, experiment
from spiral.errors import MethodError
from spiral.methods.registry import METHODS
from spiral.protocol.job import Change, Plan
from spiral.results import packed, store
from spiral.sweep import work, worker
from tests.methods import Still, table

SEEDS = [*range(100, 120)]
EVENTS = (0, 3, 20)


@dataclass
class Picky:
    """Raises where a rule says so; ``raises(seeds, step, calls)``, -1 is the start."""

    raises: Any
    calls: list[int] = field(default_factory=list)

    def plan(self, budget):
        return Plan.simple(budget, *EVENTS)

    def start(self, view):
        return self._ask(view, -1)

    def act(self, view, state):
        return Change(), self._ask(view, view.step)

    def _ask(self, view, step):
        seeds = (view.lr * 1000).round().astype(int).tolist()
        self.calls.append(len(seeds))
        if self.raises(seeds, step, self.calls):
            raise ArithmeticError("not this one")


@pytest.fixture
def failure(monkeypatch):
    """Return what a pack of 20 rows raises, and how many rows each call had."""

    def of(rule):
        method = Picky(rule)
        entry = replace(METHODS["dense"], build=lambda: method)
        monkeypatch.setitem(METHODS, "dense", entry)
        monkeypatch.setattr(engines, "build", lambda name: Still())
        lr = [seed / 1000 for seed in SEEDS]  # which a method sees, unlike seeds
        with pytest.raises(MethodError) as caught:
            experiment.run(table("dense", 20, seed=SEEDS, lr=lr, epochs=1))
        return str(caught.value), method.calls

    return of


def named(said):
    """Return the seed of the only row that a message names."""
    assert " more" not in said
    return int(said.partition("seed ")[2].partition(",")[0])


@pytest.mark.parametrize("step", [-1, *EVENTS])
@pytest.mark.parametrize("seed", [100, 109, 110, 113, 119])
def test_the_row_that_raises_is_named_alone(step, seed, failure):
    said, calls = failure(lambda seeds, at, _: at == step and seed in seeds)
    assert named(said) == seed
    assert ("start of" if step < 0 else f"act at step {step} of") in said
    assert "ArithmeticError: not this one (test_narrow.py:" in said
    rows = sum(calls) / (EVENTS.index(step) + 2 if step >= 0 else 1)
    assert rows <= 3 * 20  # of a pack, and at most twice a pack more


def test_of_several_rows_the_first_is_named(failure):
    said, _ = failure(lambda seeds, at, _: at == 3 and {107, 104, 118} & {*seeds})
    assert named(said) == 104


def test_a_row_that_would_raise_later_is_not_named(failure):
    """The pack has not come so far; it counts what was raised first."""

    def rule(seeds, at, _):
        return (at == 3 and 115 in seeds) or (at == 20 and 101 in seeds)

    assert named(failure(rule)[0]) == 115


def test_a_row_that_raises_earlier_by_itself_is_not_taken_for_it(failure):
    said, _ = failure(
        lambda seeds, at, _: (
            (at == 3 and 115 in seeds) or (at == 0 and 100 in seeds and len(seeds) < 20)
        )
    )
    assert named(said) == 115


def test_rows_that_raise_only_together_are_named_together(failure):
    said, _ = failure(lambda seeds, at, _: at == 0 and {111, 116} <= {*seeds})
    assert "seed 110," in said
    assert "and 9 more" in said
    assert "draws random numbers outside view.stream" in said


def test_what_is_never_raised_again_is_said_of_the_pack(failure):
    said, calls = failure(lambda seeds, at, calls: at == 0 and len(calls) == 2)
    assert "seed 100," in said
    assert "and 19 more" in said
    assert "draws random numbers outside view.stream" in said
    assert calls == [20, 20, 10, 10, 10, 10]


def test_another_error_on_the_way_does_not_hide_the_first(failure, monkeypatch):
    def rule(seeds, at, _):
        if len(seeds) < 20:
            raise OSError("the disk")
        return at == 0

    said, _ = failure(rule)
    assert "ArithmeticError" in said
    assert "and 19 more" in said


def test_a_failed_pack_says_that_none_of_its_rows_is_saved(tmp_path, monkeypatch):
    method = Picky(lambda seeds, at, _: 113 in seeds)
    entry = replace(METHODS["dense"], build=lambda: method)
    monkeypatch.setitem(METHODS, "dense", entry)
    lr = [seed / 1000 for seed in SEEDS]
    configs = table("dense", 20, seed=SEEDS, lr=lr, epochs=1)
    pack = packed.pack_id(configs["config_id"])
    store.write_manifest(tmp_path, configs.assign(pack=pack, block="b"), {})
    outcome = work.attempt(worker.site(tmp_path), pack, print)
    assert "seed 113," in outcome.error
    assert outcome.error.endswith("no row of this pack (20 configs) is saved")
    assert not [*store.pack_files(tmp_path)]


def test_of_several_attempts_the_first_error_is_told(tmp_path, monkeypatch):
    errors = [FileNotFoundError("No usable temporary directory"), ImportError("then")]

    def train(site, pack, tell):
        raise errors.pop(0) if len(errors) > 1 else errors[0]

    monkeypatch.setattr(worker, "train_pack", train)
    said = work.attempt(worker.Site(tmp_path, b""), "p", print).error
    assert said.startswith("FileNotFoundError: No usable temporary directory")
    assert said.endswith("set TMPDIR to a writable folder")
