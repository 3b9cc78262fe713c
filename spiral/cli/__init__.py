"""The command line: parse, call one function, print."""

import errno
from typing import Any

import click

from spiral import __version__
from spiral.cli import (
    bench,
    certify,
    columns,
    compare,
    data,
    diagnose,
    evolve,
    export,
    frontier,
    grids,
    halving,
    launch,
    methods,
    network,
    phases,
    plan,
    plots,
    rank,
    report,
    search,
    status,
    summary,
    tasks,
    view,
)
from spiral.errors import SpiralError


class Commands(click.Group):
    """Turns the project's errors into a message and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except SpiralError as error:
            click.echo(f"error: {error}", err=True)
            raise SystemExit(error.exit_code) from None
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # the reader of a pipe has closed it: click exits quietly
            where = f"{str(error.filename)[:200]}: " if error.filename else ""
            click.echo(
                f"error: {where}{error.strerror or error}; make it accessible or give "
                "another path, then run the command again",
                err=True,
            )
            raise SystemExit(1) from None
        except KeyboardInterrupt:
            click.echo(
                "stopped; no file is half-written. Run the same command to continue",
                err=True,
            )
            raise SystemExit(130) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Rank pruners against the sparsest networks known on the Cubist Spiral.

    Exit codes: 0 success, 1 internal error, 2 invalid usage or grid, 3 some packs
    failed, 4 damaged results, 130 stopped by SIGINT, 143 by SIGTERM, SIGUSR1 or SIGHUP
    (run the same command to continue).
    """


for command in (
    plan.plan,
    grids.grid,
    launch.launch,
    status.status,
    status.verify,
    compare.compare,
    diagnose.diagnose,
    plots.plot,
    report.report,
    view.view,
    methods.methods,
    methods.schema,
    columns.columns,
    tasks.tasks,
    bench.bench,
    search.search,
    frontier.frontier,
    network.network,
    rank.rank,
    summary.summary,
    data.data,
    export.export,
):
    main.add_command(command)

for command in (phases.shapes, phases.masks, halving.recall, evolve.evolve):
    search.search.add_command(command)

frontier.frontier.add_command(certify.certify)
