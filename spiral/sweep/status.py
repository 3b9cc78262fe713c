"""How far a launch is, and whether what it wrote is whole."""

from dataclasses import dataclass, field
from pathlib import Path

from spiral.errors import CorruptPack, SchemaMismatch
from spiral.methods.registry import options
from spiral.results import columns, store


@dataclass(frozen=True)
class Status:
    """Counts of a results directory; looks at names only, so it is quick."""

    configs: int
    done: int
    failed: int
    packs: int
    packs_done: int
    packs_failed: int
    errors: dict[str, str]
    """Failed pack → its last error."""

    @property
    def complete(self) -> bool:
        """Whether every config has its row."""
        return self.done == self.configs


def status(out: Path) -> Status:
    """Return how far the launch into ``out`` is.

    Raises:
        StoreError: There is no launch.
    """
    configs, _ = store.read_manifest(out, columns=["pack"])
    sizes = configs["pack"].value_counts()
    done = [pack for pack in sizes.index if store.pack_path(out, pack).exists()]
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
    """What a full reading of a results directory found."""

    rows: int
    missing: int
    """Configs without a row."""
    corrupt: list[str] = field(default_factory=list)
    """Files that are damaged or foreign, by name."""
    reasons: dict[str, str] = field(default_factory=dict)
    """File → what is wrong with it."""

    @property
    def sound(self) -> bool:
        """Whether every file is whole (rows may still be missing)."""
        return not self.corrupt


def verify(out: Path) -> Verdict:
    """Read every byte of a launch's results and compare them with the manifest.

    Raises:
        StoreError: There is no launch.
        CorruptPack: The manifest is damaged.
    """
    configs, _ = store.read_manifest(out)
    expected = configs["pack"].value_counts().to_dict()
    total, reasons = 0, {}
    for path in store.visible_files(out):
        name = str(path.relative_to(out))
        try:
            table, _ = store.read_pack(path)
            _check_belongs(path, out, table.num_rows, expected)
            if not columns.fits(table, options()):
                raise SchemaMismatch(f"{path}: made by a later version of spiral-sweep")
        except (CorruptPack, SchemaMismatch) as error:
            reasons[name] = str(error).removeprefix(f"{path}: ")
        else:
            total += table.num_rows
    return Verdict(total, len(configs) - total, sorted(reasons), reasons)


def _check_belongs(path: Path, out: Path, count: int, expected: dict[str, int]) -> None:
    """Raise CorruptPack unless a file is a pack of the manifest at its place."""
    pack = path.stem.removeprefix("pack-")
    if path != store.pack_path(out, pack) or pack not in expected:
        raise CorruptPack(f"{path}: foreign: no pack of this launch; move it elsewhere")
    if count != expected[pack]:
        raise CorruptPack(f"{path}: has {count} rows, expected {expected[pack]}")
