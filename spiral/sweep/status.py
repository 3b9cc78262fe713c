"""The progress of a launch, and the integrity of its results."""

from dataclasses import dataclass, field
from pathlib import Path

from spiral.errors import CorruptPack, SchemaMismatch
from spiral.methods.registry import options
from spiral.results import buckets, store, versions


@dataclass(frozen=True)
class Status:
    """Counts of a results directory, from file names alone, hence quick."""

    configs: int
    done: int
    failed: int
    packs: int
    packs_done: int
    packs_failed: int
    errors: dict[str, str]
    """Failed pack → its latest error."""

    @property
    def complete(self) -> bool:
        """Whether every config has a row."""
        return self.done == self.configs


def status(out: Path) -> Status:
    """Return the progress of the launch into ``out``.

    Raises:
        StoreError: The directory has no manifest.
    """
    configs, _ = store.read_manifest(out, columns=["pack"])
    sizes = configs["pack"].value_counts()
    done = store.present(out, sizes.index)
    # A worker may have finished a pack whose failure is still on record
    errors = {p: e for p, e in store.failures(out).items() if p not in done}
    failed = [pack for pack in errors if pack in sizes.index]
    return Status(
        configs=len(configs),
        done=int(sizes[done].sum()),
        failed=int(sizes[failed].sum()),
        packs=len(sizes),
        packs_done=len(done),
        packs_failed=len(failed),
        errors=errors,
    )


@dataclass(frozen=True)
class Verdict:
    """The result of reading a results directory completely."""

    rows: int
    missing: int
    """Configs without a row."""
    corrupt: list[str] = field(default_factory=list)
    """Names of files that are damaged or foreign."""
    reasons: dict[str, str] = field(default_factory=dict)
    """File → the reason."""

    @property
    def sound(self) -> bool:
        """Whether every file is intact (rows may still be missing)."""
        return not self.corrupt


def verify(out: Path) -> Verdict:
    """Read every byte of a launch's results and compare them with the manifest.

    Raises:
        StoreError: The directory has no manifest.
        CorruptPack: The manifest is damaged.
    """
    configs, _ = store.read_manifest(out)
    expected = configs["pack"].value_counts().to_dict()

    def rows(path: Path) -> int | str:
        """Return the rows of a sound file, or what is wrong with it."""
        try:
            table, _ = store.read_pack(path)
            _check_belongs(path, out, table.num_rows, expected)
            if not versions.fits(table, options(), configs.columns):
                raise SchemaMismatch(
                    f"{path}: written by a later version of spiral-sweep"
                )
        except (CorruptPack, SchemaMismatch) as error:
            return str(error).removeprefix(f"{path}: ")
        return table.num_rows

    files = [*store.visible_files(out)]
    found = {
        str(path.relative_to(out)): count
        for path, count in zip(files, buckets.mapped(out, rows, files), strict=True)
    }
    reasons = {name: count for name, count in found.items() if isinstance(count, str)}
    total = sum(count for count in found.values() if isinstance(count, int))
    return Verdict(total, len(configs) - total, sorted(reasons), reasons)


def _check_belongs(path: Path, out: Path, count: int, expected: dict[str, int]) -> None:
    """Raise CorruptPack unless a file is a pack of the manifest with its name."""
    pack = store.pack_of(path)
    if path != store.pack_path(out, pack) or pack not in expected:
        raise CorruptPack(
            f"{path}: foreign: not a pack of this launch; move it elsewhere"
        )
    if count != expected[pack]:
        raise CorruptPack(f"{path}: expected {expected[pack]} rows, got {count}")
