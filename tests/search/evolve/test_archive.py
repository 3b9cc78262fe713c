"""Archives keep the best of every niche and size, whatever the order of arrival."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spiral.errors import StoreError
from spiral.search.candidate import mask_of, nnz_of
from spiral.search.evolve import archive as archives
from spiral.search.evolve import random_start
from spiral.search.evolve.archive import BASINS, SIZE, Archive, Member, Origin
from spiral.tasks import catalogue

CUBIST = catalogue.load("cubist")

ORIGIN = Origin("random", 3, 1, 0)


@pytest.fixture(scope="module")
def members():
    random = np.random.default_rng(0)
    found = []
    for number in range(400):
        candidate = random_start.start(random, (4, 2, 2), (5, 14), CUBIST)
        loss, right = random.random(), int(random.integers(10))
        mask = mask_of(candidate)
        found.append(
            Member(candidate, mask, loss, ORIGIN._replace(moves=number), right)
        )
    return found


def filled(members):
    archive = Archive()
    for member in members:
        archive.offer(member)
        archive.lead(member)
    return archive


def test_cells_hold_distinct_masks_and_no_more_than_their_size(members):
    archive = filled(members)
    cells = [cell for sizes in archive.cells.values() for cell in sizes.values()]
    assert max(map(len, cells)) == SIZE
    for cell in cells:
        assert all(mask == member.mask for mask, member in cell.items())
    kept = {id(member) for member in archive.members()}
    for member in members:
        if id(member) in kept:
            continue
        _, *niche = (
            member.candidate[0],
            *map(len, (m.biases for m in member.candidate[1:3])),
        )
        cell = archive.cells[tuple(niche)][nnz_of(member.candidate)]
        same = cell.get(member.mask)
        worst = max(other.loss for other in cell.values())
        assert member.loss >= (same.loss if same else worst)


def test_the_best_of_a_mask_stays_in_any_order(members):
    one, other = filled(members), filled(members[::-1])
    for niche, sizes in one.cells.items():
        for size, cell in sizes.items():
            best = min(member.loss for member in cell.values())
            again = other.cells[niche][size].values()
            assert best == min(member.loss for member in again)
    assert {key: (m.right, m.loss) for key, m in one.leaders.items()} == {
        key: (m.right, m.loss) for key, m in other.leaders.items()
    }


def test_archives_are_read_as_they_were_written(members, tmp_path):
    archive, path = filled(members), tmp_path / "a.parquet"
    path.write_bytes(archives.to_bytes(archive))
    again = archives.from_bytes(archives.read(path), path)
    assert archives.to_bytes(again) == path.read_bytes()
    assert [m.mask for m in again.members()] == [m.mask for m in archive.members()]
    assert len(again.leaders) == len(archive.leaders)
    masks = [leader.mask for leader in archives.leaders(path)]
    assert masks == [leader.mask for _, leader in sorted(archive.leaders.items())]


def test_basins_of_one_mask_differ_by_their_loss():
    random, archive = np.random.default_rng(0), Archive(basins=True)
    candidate = random_start.start(random, (4, 2, 2), (5, 14), CUBIST)
    losses = random.uniform(0.1, 0.9, 100)
    for loss in losses:
        archive.offer(Member(candidate, mask_of(candidate), loss, ORIGIN))
    basins = {f"{loss:.3f}": loss for loss in sorted(losses)[::-1]}  # the best of each
    best = sorted(basins.values())[:BASINS]
    assert [member.loss for member in archive.members()] == best
    again = archives.from_bytes(archives.to_bytes(archive), Path("a"), basins=True)
    assert [member.loss for member in again.members()] == best


def test_what_is_no_archive_is_refused(tmp_path):
    with pytest.raises(StoreError, match="got"):
        archives.leaders(tmp_path / "none.parquet")
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"a": [1]}), other)
    with pytest.raises(StoreError, match="columns"):
        archives.leaders(other)
    other.write_bytes(b"x" * 100)
    with pytest.raises(StoreError, match="archive"):
        archives.leaders(other)
