"""Every method has one look, and equal figures are equal files."""

import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from spiral.errors import ConfigError, StoreError
from spiral.methods.registry import METHODS
from spiral.report.figures import layout, style


def sample():
    return layout.draw(lambda axes: axes.plot([1, 2], [3, 4], label="a line"))


def test_shipped_methods_have_the_looks_of_their_entries():
    for name, entry in METHODS.items():
        assert (style.colour(name), style.marker(name)) == (entry.colour, entry.marker)


def test_looks_are_handed_in_and_ordered(monkeypatch):
    monkeypatch.setattr(style, "_LOOKS", {})
    style.register({"b": ("#112233", "o"), "a": ("#112233", "s"), "c": ("", "")})
    assert style.look("a") == ("#112233", "s")
    assert style.look("c")[1] == "*"  # an entry without a look
    assert style.ordered(["z", "a", "c", "b", "a"]) == ["b", "a", "c", "z"]
    style.register({"a": ("#000000", "v")})
    assert style.look("b")[1] == "*"


def test_unregistered_methods_get_a_look_by_their_name_that_no_shipped_one_has():
    names = [f"Mine-{number:08x}" for number in range(50)]
    found = [style.look(name) for name in names]
    assert found == [style.look(name) for name in names]
    assert style.look("Mine-00000000") == ("#a1123d", "*")
    assert len({to_rgb(colour) for colour, _ in found}) > 45
    shipped = {entry.marker for entry in METHODS.values()}
    assert not shipped & {marker for _, marker in found}


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".PNG"])
def test_equal_figures_are_equal_files(tmp_path, suffix):
    files = [tmp_path / "deep" / f"{name}{suffix}" for name in "ab"]
    for file in files:
        drawn = sample()
        style.save(drawn, file)
    first, second = (file.read_bytes() for file in files)
    assert first == second
    assert len(first) > 5000


def test_saving_one_figure_twice_gives_equal_bytes(tmp_path):
    drawn = sample()
    for file in (tmp_path / "a.svg", tmp_path / "b.svg"):
        style.save(drawn, file)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.png.txt"])
def test_other_file_types_are_refused(tmp_path, name):
    with pytest.raises(ConfigError, match=r"ending in \.png, \.svg, \.pdf"):
        style.save(Figure(), tmp_path / name)
    assert not (tmp_path / name).exists()


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write"):
        style.save(Figure(), tmp_path / "file" / "a.png")


def test_bytes_are_those_of_the_file(tmp_path):
    style.save(sample(), tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_bytes() == style.to_bytes(sample(), ".svg")


def test_methods_stand_in_the_order_of_their_looks_and_others_after():
    assert style.ordered(["zeta", "rigl", "gmp", "alpha", "gmp"]) == [
        "gmp",
        "rigl",
        "alpha",
        "zeta",
    ]
