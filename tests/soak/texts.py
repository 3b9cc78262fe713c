"""Bad inputs that are text: grids, overrides, command lines."""

from pathlib import Path
from random import Random
from typing import NamedTuple

from spiral.methods.registry import METHODS, config_fields
from spiral.sweep.grid import shipped
from tests.soak import files

NAMES = ("quickstart", "fidelity", "standard", "paper/slice", "search/starts")
GRIDS = [shipped.folder() / f"{name}.yaml" for name in NAMES]
"""The small ones: what is sound takes time in proportion to its configs."""

VALUES = (
    *("1", "0", "-1", "1e400", ".nan", ".inf", "NaN", "1e-320", "9" * 30, "9" * 5000),
    *("0..999999999999", "5..1", "1..10..0", "0x10", "1_000", "~", "true", "", "''"),
    *("gmp", "[gmp", "{a: b}", "[[1]]", "*a", "&a 1", "!!python/name:os.system ''"),
    *(
        "'\\0'",
        "\u202e",
        "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    ),
    *("../../../etc/passwd", "/dev/zero", "/dev/null", ".", "default@0000"),
    *(
        "paper_masks",
        "{paper_masks: {shape: [3, 3, 99]}}",
        "{orbits: {shape: [9, 9, 9]}}",
    ),
    *("keep < weights", "__import__('os')", "keep ** 9 ** 9 ** 9", "((((" * 500),
)
KEYS = (*config_fields(), "zip", "where", "name", "defaults", "blocks", "<<", "", "?")


class Case(NamedTuple):
    """One command line on one bad input."""

    words: list[str]
    garbage: bool
    """Whether to accept it would be a mistake."""
    absent: Path | None = None
    """What a refusal may not leave behind."""


# ---- grids


def grid_words(chance: Random, room: Path, grid: Path, garbage: bool) -> Case:
    """Plan a grid, or launch no more than its first mistakes."""
    out = room / "out"
    if garbage and chance.random() < 0.4:
        return Case(
            ["launch", str(grid), "--out", str(out), "--executor", "local"], True, out
        )
    return Case(["plan", str(grid)], garbage, out)


def broken_text(chance: Random, room: Path, sound: Path) -> Case:
    """Change bytes and lines of a shipped grid; it may still be one."""
    data = chance.choice(GRIDS).read_bytes()
    for _ in range(chance.randint(1, 6)):
        data = chance.choice([_bytes, _lines, _bytes, files.flip])(data, chance)
        data = data or b"\n"
    grid = room / "g.yaml"
    grid.write_bytes(data)
    return grid_words(chance, room, grid, garbage=False)


def _bytes(data: bytes, chance: Random) -> bytes:
    """Insert, delete or repeat a stretch of bytes."""
    place = chance.randrange(len(data) + 1)
    end = min(len(data), place + chance.randint(1, 20))
    new = chance.choice(
        [
            b"",
            chance.randbytes(3),
            data[place:end] * 9,
            b"\xff",
            b"\0",
            b"[{",
            b": ",
            b"\t",
        ]
    )
    return data[:place] + new + data[end:]


def _lines(data: bytes, chance: Random) -> bytes:
    """Drop, repeat, exchange or indent lines."""
    lines = data.split(b"\n")
    a, b = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    if chance.random() < 0.5:
        lines.insert(a, lines[b])
    if chance.random() < 0.3:
        lines[a] = b"  " + lines[a]
    return b"\n".join(lines)


def absurd_values(chance: Random, room: Path, sound: Path) -> Case:
    """Compose a grid of known keys and values that mostly make no sense."""
    keys = chance.sample(KEYS, chance.randint(1, 5))
    lines = [f"{key}: {_value(chance)}" for key in keys]
    if "method" not in keys and chance.random() < 0.9:
        lines.insert(0, f"method: {chance.choice([*METHODS])}")
    grid = room / "g.yaml"
    grid.write_text("\n".join(lines), encoding="utf-8", errors="surrogatepass")
    return grid_words(chance, room, grid, garbage=False)


def _value(chance: Random) -> str:
    some = [chance.choice(VALUES) for _ in range(chance.randint(1, 3))]
    return some[0] if len(some) < 3 else f"[{', '.join(some)}]"


def hopeless(chance: Random, room: Path, sound: Path) -> Case:
    """Files that no reading could make a grid."""
    deep = chance.randint(1, 30_000)
    data = chance.choice(
        [
            lambda: b"[" * deep,
            lambda: b"{a: " * deep,
            lambda: b"a:\n" + b" " * deep + b"- b\n- c: [",
            lambda: b"- " * deep,
            lambda: chance.randbytes(chance.randint(1, 5000)),
            lambda: "method: gmp\nkeep: 5".encode("utf-16"),
            lambda: b"method: dense\nseed: [" + b"0..999999," * 99 + b"0]",
            lambda: b"method: dense\nwidth: 0..999999",
            lambda: b"method: dense\nwhere: " + b"not " * deep + b"1 < 2",
            lambda: b"method: dense\nwhere: seed < " + b"9**" * deep + b"9",
            lambda: _laughs(chance.randint(2, 40)),
            lambda: b"method: dense\nzip: &a [{zip: *a}]",
            lambda: b"x" * chance.choice([10, 2**19 + 1, 2**21]),
            lambda: b"method: !!python/object/apply:os.system ['touch PWNED']",
            lambda: b"method: gmp\nkeep: 5\nkeep: 6",
            lambda: b"%YAML 9.9\n---\nmethod: gmp",
            lambda: b"method: dense\n---\nmethod: gmp",
            lambda: b"method: mask\nmatrices: " + b"1,1/" * deep,
            lambda: b"method: block\nshape: [" + b"9," * deep + b"9]",
        ]
    )()
    grid = room / "g.yaml"
    grid.write_bytes(data)
    return grid_words(chance, room, grid, garbage=True)


def _laughs(depth: int) -> bytes:
    """Aliases of aliases: 9 ** depth values."""
    lines = ["a0: &a0 [0, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, depth)]
    return "\n".join([*lines, "method: dense", f"seed: *a{depth - 1}"]).encode()


def overrides(chance: Random, room: Path, sound: Path) -> Case:
    """--set with absurd keys and values, on a sound grid."""
    grid = room / "g.yaml"
    grid.write_text("{method: [gmp, random], keep: 12, width: 3, epochs: 1}")
    texts = [f"{chance.choice(KEYS)}={_value(chance)}" for _ in range(2)]
    words = [word for text in texts for word in ("--set", text.replace("\0", ""))]
    return Case(["plan", str(grid), *words], garbage=False)


# ---- command lines

WORDS = (
    *("plan", "launch", "status", "verify", "compare", "plot", "methods", "schema"),
    *("search", "frontier", "accuracy", "boundary", "count", "shapes", "masks"),
    *("recall", "show", "--json", "--out", "--set", "--sample", "--executor", "local"),
    *("--workers", "--shard", "--limit", "--engine", "--threshold", "--by", "--csv"),
    *("--table", "--shape", "--nnz", "--file", "--dry-run", "--frontier", "-o", "-h"),
    *(
        "quickstart",
        "fidelity",
        "paper/slice",
        "nothing",
        "",
        " ",
        "-",
        "--",
        "0",
        "-1",
    ),
    *("nan", "inf", "1e999", "3,2,2", "99,99,99", "1,1", "0/2", "2/2", "9" * 25, "gmp"),
    *(
        "method,width",
        "seed",
        "../..",
        "/dev/null",
        "é",
        "\u202e",
        "%s%n",
        "$(id)",
        "*",
    ),
    *("weights", "mask", "accuracy,loss", "1..3", "3..1", "width=3", "x.png", "x.gif"),
)
LONG = {"bench", "recall", "thin", "update"}
"""Commands that rightly take minutes."""


def command_lines(chance: Random, room: Path, sound: Path) -> Case:
    """Words of command lines in any order, some folders among them."""
    folders = [str(sound), str(room), str(room / "absent"), str(room / "out")]
    pool = (*WORDS, *folders)
    words = [chance.choice(WORDS[:11]), *chance.choices(pool, k=chance.randint(0, 6))]
    out = room / "out"
    if words[0] == "launch" or "masks" in words or "shapes" in words:
        words = _harmless(words, out)
    return Case([w for w in words if w not in LONG], garbage=False, absent=out)


def _harmless(words: list[str], out: Path) -> list[str]:
    """Let no case train: the last --limit counts, and it is wrong."""
    return [w for w in words if w not in ("-h", "--")] + ["--limit", "0"]
