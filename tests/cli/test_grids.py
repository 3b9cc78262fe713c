"""``grid import``: what it prints, where it writes, and what it refuses."""

from spiral.sweep.grid import grid
from tests.cli import run, run_json

SWEEP = """
method: random
parameters:
  learning_rate: {values: [0.1, 0.05]}
  sparsity: {value: 0.9}
  dropout: {min: 0.1, max: 0.5}
"""


def test_the_grid_goes_to_stdout_and_what_is_lost_to_stderr(tmp_path):
    file = tmp_path / "sweep.yaml"
    file.write_text(SWEEP)
    ran = run("grid", "import", file)
    assert ran.code == 0
    assert len(grid.loads(ran.out).configs) == 2
    assert "learning_rate → lr: [0.1, 0.05]" in ran.err
    assert "sparsity → keep: 56 (of 560 weights at width 16)" in ran.err
    assert f"{file}:6:3: dropout: no counterpart" in ran.err


def test_a_new_file_is_written_and_can_be_planned(tmp_path):
    file, out = tmp_path / "sweep.yaml", tmp_path / "grid.yaml"
    file.write_text(SWEEP)
    found = run_json("grid", "import", file, "-o", out)
    assert out.read_text() == found["text"]
    assert {one["field"] for one in found["mapped"]} == {"method", "lr", "keep"}
    assert [one["name"] for one in found["left"]] == ["method", "dropout"]
    assert run_json("plan", out)["configs"] == 2
    again = run("grid", "import", file, "-o", out)
    assert again.code == 2
    assert "expected a new file" in again.err


def test_a_grid_that_needs_editing_says_so(tmp_path):
    file = tmp_path / "overrides.yaml"
    file.write_text("- optimizer=adam\n- nesterov=true\n")
    ran = run("grid", "import", file)
    assert ran.code == 0
    assert "the grid needs editing" in ran.err


def test_what_is_no_sweep_is_a_mistake(tmp_path):
    file = tmp_path / "sweep.yaml"
    file.write_text("lr: 3\n")
    ran = run("grid", "import", file)
    assert ran.code == 2
    assert "expected a W&B sweep" in ran.err
