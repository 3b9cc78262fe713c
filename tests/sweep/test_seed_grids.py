"""The grids in sweeps/seeds are what they say, and small."""

from pathlib import Path

import pytest

from spiral import engines
from spiral.report.stats.selection import STRATA
from spiral.sweep import calibration, packs
from spiral.sweep.grid import grid

pytestmark = pytest.mark.slow  # expands every grid of sweeps/seeds

FOLDER = Path(__file__).parent.parent.parent / "sweeps" / "seeds"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


@pytest.fixture(scope="module", params=NAMES)
def found(request):
    return grid.load(FOLDER / f"{request.param}.yaml")


def test_each_says_what_it_is_for(found):
    assert found.name in NAMES
    assert found.duplicates == 0


@pytest.mark.parametrize("name", ["structured", "robustness"])
def test_every_setting_has_five_seeds_at_three_widths(name):
    configs = grid.load(FOLDER / f"{name}.yaml").configs
    assert set(configs["width"]) == {3, 16, 64}
    own = [n for n in configs if n not in ("config_id", "seed", "init_seed")]
    own.remove("order_seed")
    assert set(STRATA) < set(own)
    assert configs.groupby(own, dropna=False)["seed"].nunique().min() >= 5


def test_each_takes_less_than_twenty_minutes_of_two_cores(found):
    # Launches of other tests may have corrected it by what they took
    calibration.save(dict.fromkeys(engines.names(), 1.0))
    minutes = {"training_methods": 60, "recipes": 30}.get(found.name, 20)
    assert packs.pack(found.configs).table["seconds"].sum() / 2 < minutes * 60
