"""The catalogue is what the command line and the page have."""

import inspect

import click
import pytest

from spiral.cli import main
from spiral.report.figures import catalogue

PLOT = main.commands["plot"]


def test_names_are_unique_with_the_former_ones():
    names = [n for entry in catalogue.FIGURES for n in (entry.name, *entry.aliases)]
    assert len({*names}) == len(names)


@pytest.mark.parametrize("entry", catalogue.FIGURES, ids=lambda entry: entry.name)
def test_every_figure_is_a_command_that_gives_it_its_arguments(entry):
    command = PLOT.commands[entry.name]
    assert command.help.startswith(entry.shows)
    given = {param.name for param in command.params} - {"output", "as_json"}
    if entry.takes == "rows":
        given -= {"folders", "thresholds", "where", "only", "seed_split", "frontier"}
        given |= {"source"}
    if entry.takes == "budgets":
        given = given - {"only"} | {"methods"}
    assert given == {*inspect.signature(entry.draw).parameters}


def test_the_commands_are_those_of_the_catalogue():
    assert [*PLOT.commands] == [entry.name for entry in catalogue.FIGURES]


def test_a_former_name_is_the_same_command_and_is_not_listed():
    context = click.Context(PLOT)
    assert PLOT.get_command(context, "gaps").name == "excess"
    assert "gaps" not in PLOT.list_commands(context)
    assert PLOT.get_command(context, "nothing") is None


def test_the_page_draws_from_rows_alone():
    """Figures of the page have no argument but the rows, all others being options."""
    for entry in catalogue.FIGURES:
        if entry.in_report:
            first, *others = inspect.signature(entry.draw).parameters.values()
            assert first.name == "source"
            assert all(p.default is not inspect.Parameter.empty for p in others)
