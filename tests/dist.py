"""``make dist``: the archives are whole, and the wheel works where no checkout is.

The wheel goes into a new environment outside the tree. Its dependencies are those of
this environment, as downloading them again takes minutes and proves nothing: a line in
a ``.pth`` file makes their folder known, but runs no ``.pth`` file in that folder, so
that the editable install there stays out of sight. With ``--fresh``, as before a
release, they are downloaded all the same, in the versions that were tested.
"""

import json
import os
import shlex
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

import click

ROOT = Path(__file__).parent.parent
SMALL = ["--set", "seed=0", "--set", "keep=26", "--set", "epochs=1"]


def check(holds: bool, text: str) -> None:
    """End with a message unless a condition holds."""
    if not holds:
        sys.exit(f"make dist: {text}")


def tracked() -> set[str]:
    """Return the files of the checkout that git knows, but not git's and CI's own."""
    listed = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True)
    return {name for name in listed.splitlines() if not name.startswith(".")}


def check_source(archive: Path) -> None:
    """The source archive has every tracked file."""
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    missing = sorted(tracked() - names)
    check(not missing, f"{archive.name} lacks {missing}; see MANIFEST.in")


def check_wheel(archive: Path) -> None:
    """The wheel has the package and the grids, and nothing but those."""
    with zipfile.ZipFile(archive) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    grids = {name for name in tracked() if name.startswith("sweeps/")}
    wanted = {name for name in tracked() if name.startswith("spiral/")}
    wanted |= {name.replace("sweeps/", "spiral/grids/", 1) for name in grids}
    wrong = sorted(wanted ^ names)
    check(not wrong, f"{archive.name} lacks or adds {wrong}; see setup.cfg")


def install(wheel: Path, folder: Path, fresh: bool) -> Path:
    """Install a wheel into a new environment and return the folder of its commands."""
    venv.create(folder, with_pip=False)
    paths = sysconfig.get_paths(vars={"base": str(folder), "platbase": str(folder)})
    scripts = Path(paths["scripts"])
    pip = [sys.executable, "-m", "pip", "--python", str(scripts / "python"), "install"]
    if fresh:
        what = ["--constraint", str(ROOT / "constraints.txt"), f"{wheel}[all]"]
    else:
        borrowed = Path(paths["purelib"]) / "borrowed.pth"
        borrowed.write_text(sysconfig.get_path("purelib") + "\n")
        what = ["--no-deps", "--no-index", "--ignore-installed", str(wheel)]
    subprocess.run([*pip, "--quiet", *what], check=True)
    return scripts


class Away:
    """A user with a home folder of their own, far from the checkout."""

    def __init__(self, scripts: Path, home: Path) -> None:
        home.mkdir()
        self.scripts, self.home = scripts, home
        self.environment = {**os.environ, "HOME": str(home), "PYTHONSAFEPATH": "1"}
        self.environment.pop("PYTHONPATH", None)

    def run(self, *words: str) -> str:
        """Run a command of the environment and return what it printed."""
        click.echo(f"$ {shlex.join(words)}")
        command = [str(self.scripts / words[0]), *words[1:]]
        return subprocess.run(
            command,
            cwd=self.home,
            env=self.environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout


def use(user: Away) -> None:
    """Do with the installed wheel what a new user does first."""
    place = user.run("python", "-c", "import spiral; print(spiral.__file__)")
    check(place.startswith(str(user.scripts.parent)), f"spiral is that in {place}")
    user.run("spiral-sweep", "--version")
    planned = json.loads(user.run("spiral-sweep", "plan", "quickstart", "--json"))
    check(planned["configs"] > 0, "plan finds no configs in quickstart")
    small = ["quickstart", *SMALL, "--out", "small", "--executor", "local"]
    user.run("spiral-sweep", "launch", *small)
    compared = json.loads(user.run("spiral-sweep", "compare", "small", "--json"))
    check(bool(compared["excess"]), "compare finds nothing in what was trained")
    click.echo(user.run("spiral-sweep", "frontier", "show"))


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--fresh", is_flag=True)
def main(folder: Path, fresh: bool) -> None:
    """Check the archives in a folder."""
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    check_source(source)
    check_wheel(wheel)
    with tempfile.TemporaryDirectory() as away:
        scripts = install(wheel, Path(away, "venv"), fresh)
        use(Away(scripts, Path(away, "home")))
    click.echo(f"{wheel.name}, {source.name}: whole; the wheel works outside the tree")


if __name__ == "__main__":
    main()
