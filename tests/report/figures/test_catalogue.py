"""The catalogue is what the command line and the page have."""

import inspect

import click
import pytest

from spiral.cli import main
from spiral.report.figures import catalogue

PLOT = main.commands["plot"]
PLOTTED = [entry for entry in catalogue.FIGURES if entry.takes != "study"]
STUDIES = [entry for entry in catalogue.FIGURES if entry.takes == "study"]


def test_names_are_unique_with_the_former_ones():
    names = [n for entry in catalogue.FIGURES for n in (entry.name, *entry.aliases)]
    assert len({*names}) == len(names)


@pytest.mark.parametrize("entry", PLOTTED, ids=lambda entry: entry.name)
def test_every_figure_is_a_command_that_gives_it_its_arguments(entry):
    command = PLOT.commands[entry.name]
    assert command.help.startswith(entry.shows)
    given = {param.name for param in command.params} - {"output", "as_json"}
    if entry.takes == "rows":
        given -= {"folders", "thresholds", "where", "only", "frontier"}
        given -= {"seed_split", "each_size", "equal_settings", "task"}
        given |= {"source"}
    if entry.takes == "transfer":
        given -= {"folders", "where", "only", "task"}
        given -= {"seed_split", "each_size", "equal_settings"}
        given |= {"found"}
    if entry.takes == "budgets":
        given = given - {"only", "task"} | {"methods"}
    assert given == {*inspect.signature(entry.draw).parameters}


def test_the_commands_are_those_of_the_catalogue():
    assert [*PLOT.commands] == [entry.name for entry in PLOTTED]
    assert [*main.commands["diagnose"].commands] == [entry.name for entry in STUDIES]


@pytest.mark.parametrize("entry", STUDIES, ids=lambda entry: entry.name)
def test_a_study_is_drawn_by_its_own_command(entry):
    assert PLOT.get_command(click.Context(PLOT), entry.name) is None
    command = main.commands["diagnose"].commands[entry.name]
    first, *others = inspect.signature(entry.draw).parameters
    assert first == "found"
    assert {*others, "output"} <= {param.name for param in command.params}


@pytest.mark.parametrize("entry", catalogue.FIGURES, ids=lambda entry: entry.name)
def test_every_entry_names_its_command(entry):
    group, name = entry.command.split()
    assert main.commands[group].get_command(click.Context(main), name).name == name


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
