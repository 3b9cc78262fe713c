import numpy as np
import pytest

from spiral.protocol import orders
from spiral.protocol.orders import epoch_order
from tests.engines import make_job


@pytest.mark.parametrize("points", [3, 256, 49_982])
def test_an_epoch_visits_every_point_once(points):
    order = epoch_order(0, 0, points)
    assert np.array_equal(np.sort(order), np.arange(points))
    with pytest.raises(ValueError, match="read-only"):
        order[0] = 1


def test_order_depends_on_seed_epoch_and_number_of_points():
    found = [epoch_order(s, e, 500) for s in range(2) for e in range(2)]
    assert len({tuple(order[:20]) for order in found}) == 4
    orders.forget()
    epoch_order(1, 1, 499)
    assert np.array_equal(epoch_order(1, 1, 500), found[3])


def test_few_orders_of_many_points_are_kept(monkeypatch):
    monkeypatch.setattr(orders, "KEPT", 100)
    orders.forget()
    small, large = epoch_order(0, 0, 10), epoch_order(0, 0, 90)
    epoch_order(0, 1, 10), epoch_order(0, 1, 90)
    assert epoch_order(0, 0, 10) is small
    assert epoch_order(0, 0, 90) is not large
    assert np.array_equal(epoch_order(0, 0, 90), large)
    orders.forget()  # those kept have the limit of this test


def test_many_batches_of_many_seeds_draw_each_order_once(monkeypatch):
    drawn = []

    def noted(seed, epoch, points):
        drawn.append((seed, epoch))
        return epoch_order(seed, epoch, points)

    monkeypatch.setattr(orders, "epoch_order", noted)
    job = make_job(range(700, 740), batch=20)
    for step in range(60):
        job.batch_at(step)
    assert sorted(drawn) == [(seed, 0) for seed in range(700, 740)]
