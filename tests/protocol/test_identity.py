"""Ids of configs: what enters them, and that they stay."""

import json
import runpy
from hashlib import blake2b
from typing import Literal

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from spiral.methods.registry import METHODS
from spiral.protocol.config import Config, Options, column, fields, first_default
from spiral.protocol.identity import fresh_seeds, identify
from spiral.sweep.grid import grid
from tests import GOLDEN_FILES

GOLDEN = GOLDEN_FILES
CASES = json.loads((GOLDEN / "config_ids.json").read_text())


class Plain(Options):
    alpha: float = Field(0.5, gt=0)
    tag: Literal["a", "b"] = "a"
    note: str | None = None


class Grown(Plain):
    """The same options one version later: one more, whose default changes nothing."""

    beta: int = 0


def table(*configs: dict, options: type[Options] = Plain) -> pd.DataFrame:
    """Return configs of method ``m`` with every field filled in."""
    known = fields(Config) | fields(options)
    full = [{f.name: f.default for f in known.values()} | c for c in configs]
    return pd.DataFrame({n: column(f, [c[n] for c in full]) for n, f in known.items()})


def ids(*configs: dict, options: type[Options] = Plain) -> list[str]:
    named = [{"method": "m", **c} for c in configs]
    return identify(table(*named, options=options), {"m": options, "other": options})


def id_of(**config: object) -> str:
    return ids(config)[0]


def digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()


def seed_of(text: str) -> int:
    """Return the derived seed whose digest is of this text."""
    found = blake2b(text.encode(), digest_size=8).digest()
    return 2**52 + int.from_bytes(found, "little") % 2**52


def fresh(*configs: dict, options: type[Options] = Plain, given=()) -> list[int]:
    found = table(*configs, options=options)
    return fresh_seeds(found, {"m": options, "other": options}, given).tolist()


def test_an_id_digests_what_differs_from_the_defaults_sorted_by_name():
    text = r'alpha=0.25;lr=1.0;method="m";note="\u00e4;";width=3;'
    assert id_of(width=3, lr=1.0, note="ä;", alpha=0.25) == digest(text)


def test_a_written_default_is_as_one_left_out():
    assert id_of(lr=0.1, alpha=0.5, seed=0, keep=None) == id_of()


def test_text_cannot_imitate_another_field():
    assert id_of(note='x";tag="b') != id_of(note="x", tag="b")


def test_a_seed_equal_to_the_main_seed_is_as_one_left_out():
    same = [{"seed": 7}, {"seed": 7, "init_seed": 7}, {"seed": 7, "order_seed": 7}]
    assert len(set(ids(*same, {"seed": 7, "init_seed": 7, "order_seed": 7}))) == 1


def test_a_seed_of_its_own_makes_another_config():
    cases = [{"seed": 7}, {"init_seed": 7}, {"order_seed": 7}, {"seed": 7}]
    cases += [{"seed": 7, "init_seed": 0}, {"seed": 7, "order_seed": 0}]
    assert len(set(ids(*cases))) == len(cases) - 1


def test_a_fresh_seed_digests_the_common_fields_without_the_method():
    configs = [{"method": "m", "lr": 1.0, "note": "x", "replicate": 2}]
    configs += [{**configs[0], "alpha": 0.25}, {**configs[0], "method": "other"}]
    configs += [{**configs[0], "stop_epoch": 3, "engine": "vmap"}]
    expected = seed_of("lr=1.0;replicate=2;")
    assert fresh(*configs) == [expected] * 4
    assert 2**52 <= expected < 2**53


def test_the_options_of_a_method_that_is_given_its_mask_enter():
    configs = [{"method": name, "note": "x"} for name in ("m", "other")]
    assert fresh(*configs, given=["other"]) == [seed_of(""), seed_of('note="x";')]


class Shadowing(Options):
    """An option named like a common field, which configs of the method then lack."""

    optimiser: Literal["sgd", "adam"] = "adam"


def test_an_option_hides_the_common_field_of_its_name():
    assert fresh({"method": "m"}, options=Shadowing) == [seed_of("")]


class Renamed(Plain):
    """An option whose value ``all`` the older ``tag: b`` says, too."""

    kind: Literal["none", "all", "some"] = Field(
        "none", json_schema_extra={"said_by": {"tag": {"b": "all"}}}
    )


def test_what_an_older_option_says_too_does_not_enter():
    older = id_of(tag="b")
    found = ids({"tag": "b", "kind": "all"}, options=Renamed)[0]
    assert found == older


def test_it_enters_where_the_older_option_says_something_else():
    cases = [{"kind": "all"}, {"tag": "b", "kind": "some"}, {"tag": "b"}, {}]
    assert len(set(ids(*cases, options=Renamed))) == 4


def test_neighbouring_floats_are_different_configs():
    assert id_of(lr=0.1 + 0.2) != id_of(lr=0.3)


def test_zero_has_no_sign():
    """Trained alike, and a table that holds both must not mix them up."""
    parse = fields(Config)["weight_decay"].parse
    zeros = [{"weight_decay": parse(0.0)}, {"weight_decay": parse(-0.0)}]
    alone = [ids(zero)[0] for zero in zeros]
    assert alone == ids(*zeros) == ids(*zeros[::-1])[::-1]
    assert len(set(alone)) == 1


def test_an_option_added_with_a_no_op_default_keeps_ids():
    configs = [{"alpha": 0.25}, {}, {"tag": "b", "seed": 3}]
    assert ids(*configs, options=Grown) == ids(*configs)
    assert ids({"beta": 1}, options=Grown) != ids({}, options=Grown)


class Changed(Plain):
    """The same options two versions later: a default is another one."""

    alpha: float = Field(0.75, gt=0, json_schema_extra=first_default(0.5))


def test_a_changed_default_keeps_the_ids_of_rows_that_had_the_first():
    old = [{"alpha": 0.5}, {"alpha": 0.25}, {"alpha": 0.75}]
    assert ids(*old, options=Changed) == ids(*old)
    assert ids({"alpha": 0.5}, options=Changed) == ids({})


def test_a_config_with_a_changed_default_has_an_id_that_contains_it():
    assert ids({}, options=Changed) == [digest('alpha=0.75;method="m";')]
    assert ids({}, options=Changed) == ids({"alpha": 0.75})


def test_methods_with_equal_options_are_different_configs():
    assert id_of(method="m") != id_of(method="other")


CONFIGS = st.fixed_dictionaries(
    {
        "width": st.sampled_from([3, 4, 16]),
        "lr": st.sampled_from([0.1, 0.2, 0.30000000000000004]),
        "keep": st.sampled_from([None, 1, 12]),
        "seed": st.integers(0, 2),
        "init_seed": st.none() | st.integers(0, 2),
        "note": st.none() | st.text(max_size=2),
        "method": st.sampled_from(["m", "other"]),
    }
)


def resolved(config: dict) -> tuple:
    full = config | {"init_seed": config["init_seed"] or 0}
    if config["init_seed"] is None:
        full["init_seed"] = config["seed"]
    return tuple(full.items())


@settings(max_examples=40)
@given(st.lists(CONFIGS, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_an_id_depends_on_its_own_config_alone(configs, random):
    together = ids(*configs)
    assert [ids(config)[0] for config in configs] == together
    order = random.sample(range(len(configs)), len(configs))
    assert ids(*[configs[i] for i in order]) == [together[i] for i in order]
    assert len(set(together)) == len({resolved(config) for config in configs})


# ---- golden

SFW = {
    "e81ac8e5b52f57e5615d25a0b996d4c5": {"ball_share": 0.3},  # all there was in 0.1.0
    "4cbdbbf807d7357f83badaf9a23a20a4": {},
}


@pytest.mark.parametrize("expected", SFW)
def test_sfw_at_its_first_default_and_at_the_one_of_today(expected):
    config = {"method": "sfw", "keep": 20, **SFW[expected]}
    found = grid.loads(json.dumps(config)).configs
    assert found["config_id"].tolist() == [expected]
    assert found["ball_share"].item() == SFW[expected].get("ball_share", 0.02)


def test_the_golden_file_has_every_kind_of_config():
    methods = {case["config"]["method"] for case in CASES.values()}
    assert methods >= {*METHODS}
    assert len({case["id"] for case in CASES.values()}) == len(CASES)


def test_make_golden_reproduces_the_file(tmp_path):
    """Finished work is found by its id; a change here orphans every result."""
    stale = {name: {"config": case["config"]} for name, case in CASES.items()}
    (tmp_path / "config_ids.json").write_text(json.dumps(stale))
    runpy.run_path(str(GOLDEN / "regenerate.py"))["rewrite"](tmp_path)
    written = (tmp_path / "config_ids.json").read_bytes()
    assert json.loads(written) == CASES
    assert written == (GOLDEN / "config_ids.json").read_bytes()
