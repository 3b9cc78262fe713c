"""``network``: networks from other programs, and for them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spiral.cli.frontier import file, frontier_target, keep, known_before, task
from spiral.cli.launch import conclude, how, resumable, settings_of
from spiral.cli.launch import train as train_grid
from spiral.cli.options import PLACE, RESULTS, as_json, sets, show
from spiral.errors import ConfigError

if TYPE_CHECKING:
    from spiral.search.network_files import Saved


@click.group()
def network() -> None:
    """Import networks of other programs, and export networks for them."""


@network.command("import")
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=PLACE)
@file
@task
@as_json
def import_networks(
    files: tuple[Path, ...], path: Path | None, task: str, as_json: bool
) -> None:
    """Evaluate networks of other programs, and add them to the frontier.

    FILE holds the four layers of a network 2→a→b→c→1 with ReLU between them: an .npz,
    a .safetensors file or a PyTorch state dict, whatever the names of its layers, with
    the buffers of torch.nn.utils.prune or without; or networks saved by the viewer
    (.json). Whole models (pickles) are refused, as loading one runs its code: save
    model.state_dict().

    The same files can be given to `view`, and as `init` in a grid.
    """
    from spiral.search import best_known, network_files
    from spiral.tasks import catalogue

    target, data = frontier_target(path, task), catalogue.load(task)
    found = [saved for each in files for saved in network_files.read(each, data)]
    known = [*known_before(path, task), network_files.entries(found, data)]
    message = keep(best_known.merge(known), path, target, task)
    facts = [_facts(saved) for saved in found]
    if as_json:
        show({"networks": facts, "frontier": str(target)})
        return
    for fact in facts:
        click.echo(
            f"{fact['name']}: {fact['shape']}, {fact['nnz']} weights "
            f"({fact['effective_nnz']} on a path), accuracy {fact['accuracy']:.4f}"
        )
    click.echo(message)


def _facts(saved: "Saved") -> dict[str, Any]:
    """Return what is printed of a network."""
    from spiral.api.network import Network

    found = Network(saved.stack, saved.name)
    return {
        "name": saved.name,
        "shape": "-".join(map(str, found.shape)),
        "nnz": found.nnz,
        "effective_nnz": found.effective_nnz,
        "accuracy": saved.accuracy,
    }


@network.command("rows")
@click.argument("places", metavar="FILE|DIR…", nargs=-1, required=True, type=PLACE)
@click.option("--out", required=True, type=PLACE, help="Results directory.")
@click.option(
    "--train",
    is_flag=True,
    help="Train the masks from scratch [evaluate the networks as they are].",
)
@sets
@how
@as_json
def network_rows(
    places: tuple[Path, ...],
    out: Path,
    train: bool,
    sets: tuple[str, ...],
    as_json: bool,
    **options: Any,
) -> None:
    """Write masks and networks of other programs as rows of method `mask`.

    FILE is one of those of `network import`, or has the four masks alone (zeros and
    ones), which need --train; DIR has several. The rows can be compared, drawn and
    viewed as those of any launch. With --train, --set seed=0..9 trains each mask from
    ten initial weights; other keys of a grid are set in the same way.
    """
    with resumable() as begun:
        from spiral.api import elsewhere  # slow: signals may arrive

        grid = elsewhere.grid_of(places, train, sets)
        train_grid(grid, out, settings_of(options), begun)
        conclude(begun[0], as_json)


@network.command("export")
@click.argument("place", metavar="DIR|FILE", type=RESULTS)
@click.argument("which", metavar="[ID]", required=False)
@click.option(
    "-o",
    "--output",
    type=PLACE,
    required=True,
    help="Write to this file: .onnx, .pt (a PyTorch state dict), .safetensors, .npz, "
    ".json (as the viewer), or .svg, .png, .pdf (a picture).",
)
@click.option(
    "--reduced",
    is_flag=True,
    help="Drop units without effect; the outputs stay the same.",
)
@as_json
def export_network(
    place: Path, which: str | None, output: Path, reduced: bool, as_json: bool
) -> None:
    """Write one network in the format of another program.

    ID is the beginning of a config_id, or METHOD@KEEP for the best network of a method
    and size. DIR may also be `frontier`, with the number of weights as ID, or a FILE of
    one network, without ID.
    """
    found = _found(place, which)
    if reduced:
        found = found.reduced()
        if found is None:
            raise ConfigError(
                f"{place}: expected a network whose output depends on its input, got a "
                "constant one; leave out --reduced"
            )
    found.save(output)
    facts = {"file": str(output), "nnz": found.nnz, "accuracy": found.accuracy()}
    if as_json:
        show(facts)
    else:
        click.echo("{file}: {nnz} weights, accuracy {accuracy:.4f}".format(**facts))


def _found(place: Path, which: str | None) -> Any:
    """Return the network that was asked for."""
    from spiral.api.network import Network
    from spiral.results import read

    if place.is_file():
        return Network.from_file(place)
    if which is None:
        raise ConfigError(
            f"{place}: expected the ID of a network, got none; give the beginning of "
            "a config_id, or METHOD@KEEP such as gmp@26"
        )
    if str(place) == FRONTIER and not place.exists():
        return Network.from_entry(_leader(which))
    return Network.from_row(read.find(place, which))


FRONTIER = "frontier"
"""Stands for the best known networks in place of a directory."""


def _leader(which: str) -> Any:
    """Return the best known network of a number of weights."""
    from spiral.search import best_known

    leaders = best_known.leaders(best_known.load())
    chosen = leaders[leaders["nnz"].astype(str) == which]
    if chosen.empty:
        sizes = ", ".join(map(str, leaders["nnz"]))
        raise ConfigError(f"expected a size of the frontier ({sizes}), got {which!r}")
    return chosen.iloc[0]
