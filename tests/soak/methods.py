"""Methods that break their contract: their packs fail in words, the others stay."""

import os
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from spiral.methods import registry
from spiral.methods.controls import random
from spiral.protocol.job import Change, View
from spiral.results import store
from tests.soak.kills import send
from tests.soak.stage import Stage, check, check_message, until

WANTED = 20


@dataclass(frozen=True)
class Bad(random.Random):
    """Prunes at random, and then does what it must not."""

    deed: str = ""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Misbehave."""
        change, _ = super().act(view, state)
        assert change.masks is not None
        return getattr(self, self.deed)(view, change), None

    def raises(self, view: View, change: Change) -> Change:
        raise ZeroDivisionError("this method divides by zero")

    def shape(self, view: View, change: Change) -> Change:
        return replace(change, masks=change.masks[:, :-1])  # type: ignore[index]

    def kind(self, view: View, change: Change) -> Change:
        return replace(change, params=np.zeros(view.params.shape))  # type: ignore[arg-type]

    def touches(self, view: View, change: Change) -> Change:
        view.params[:] = 0
        return change

    def nothing(self, view: View, change: Change) -> Any:
        return None

    def many(self, view: View, change: Change) -> Change:
        return replace(change, masks=np.ones_like(change.masks))

    def nan(self, view: View, change: Change) -> Change:
        return replace(change, params=np.full(view.params.shape, np.nan, np.float32))

    def exits(self, view: View, change: Change) -> Change:
        raise SystemExit(0)

    def hangs(self, view: View, change: Change) -> Change:
        while True:
            time.sleep(0.01)

    def dies(self, view: View, change: Change) -> Change:
        os.kill(os.getpid(), signal.SIGSEGV)
        return change


SAID = {
    "raises": "ZeroDivisionError: this method divides by zero",
    "shape": "expected Change.masks to be bool",
    "kind": "expected Change.params to be float32",
    "touches": "read-only",
    "nothing": "got (NoneType, NoneType)",
    "exits": "SystemExit",
}
STATUS = {"many": "infeasible", "nan": "diverged"}


@dataclass(frozen=True)
class Named:
    """Makes method ``random`` misbehave in a process; call it to begin."""

    deed: str

    def __call__(self) -> None:
        """Replace the builder of the method."""
        entry = replace(random.RANDOM, build=lambda **_: Bad(deed=self.deed))
        registry.METHODS["random"] = entry


def turn(stage: Stage, chance: Random) -> int:
    """Launch with one bad method among good ones."""
    deeds = [*SAID, *STATUS, "hangs", "dies"]
    deed = deeds[stage.turns % len(deeds)]
    stage.turns += 1
    out = stage.fresh("out")
    child = stage.launch(out, harm=Named(deed))
    if deed == "hangs":
        until(lambda: len(stage.packs(out)) == 8, "the packs of the other method")
        send(child.process.pid, chance.choice([signal.SIGINT, signal.SIGTERM]))
    code = child.wait()
    if deed in STATUS:
        check(code == 0 and STATUS[deed] in child.said, f"{code}: {child.said}")
        _drop(stage, out)
    elif deed in SAID:
        check(code == 3, f"exit code {code}: {child.said}")
        check_message(child.said, SAID[deed], "retry the failed ones")
    else:
        check(code in (130, 143, -11), f"exit code {code}: {child.said}")
    check(len(stage.packs(out)) == 8, "a good pack is missing")
    stage.finish(out)
    return 1


def _drop(stage: Stage, out: Path) -> None:
    """Remove the packs whose values are rightly others."""
    for name, digest in stage.packs(out).items():
        if digest != stage.expected[name]:
            (store.results_folder(out) / name).unlink()
