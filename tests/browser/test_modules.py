"""What the page computes: the same numbers as NumPy, torch and the engines."""

import json

import numpy as np
import pytest
import torch

from spiral import engines
from spiral.model import gradients, masks, mlp, schedules
from spiral.protocol.job import Budget, Plan, TrainJob, TrainState
from spiral.protocol.orders import epoch_order
from spiral.report.viewer import points
from spiral.search import best_known, network
from spiral.tasks import catalogue, cubist
from tests.browser import stage

pytestmark = pytest.mark.browser
DATA = cubist.load()


@pytest.fixture(scope="module")
def work(visit_for_module, tmp_path_factory):
    """A page with all that the worker has, and the points."""
    names = (
        *(
            "compile",
            "logits",
            "measure",
            "fieldOf",
            "zeroLines",
            "thumbnails",
            "wholeOf",
        ),
        *("buildPoints", "epochOrder", "initialParams", "SCHEDULES", "trainer"),
    )
    carried = points.of_task(catalogue.load("cubist"))["points"]
    recipe = f"globalThis.points = buildPoints({json.dumps(carried)});"
    page = stage.modules(
        visit_for_module,
        tmp_path_factory.mktemp("work"),
        "work.js",
        *names,
        extra=recipe,
    )
    return page.evaluate


@pytest.fixture(scope="module")
def mask_page(visit_for_module, tmp_path_factory):
    names = ("withBiases", "anatomy", "keepTop")
    folder = tmp_path_factory.mktemp("masks")
    return stage.modules(visit_for_module, folder, "masks.js", *names).evaluate


def pruned(width, keep, seed):
    """Return a random network with its largest weights kept."""
    params = 3 * mlp.initial_params(seed, width)
    scores = np.abs(params[mlp.is_weight(width)])[None]
    mask = masks.with_biases(masks.keep_top(scores, np.array([keep])), width)[0]
    return mask, np.where(mask, params, np.float32(0)), width


def best(nnz):
    """Return the best network known of a size."""
    entry = best_known.leaders(best_known.load()).query("nnz <= @nnz").iloc[-1]
    return network.unpacked(entry["matrices"], entry["params"])


NETWORKS = {
    "dense 16": pruned(16, 560, 0),
    "26 of 16": pruned(16, 26, 1),
    "20 of 7": pruned(7, 20, 2),
    "dense 33": pruned(33, mlp.weight_count(33), 3),
    "best of 16": best(16),
    "best of 27": best(27),
}


def test_points_are_those_of_python_to_the_bit(work):
    x, y, label = work(
        "[Array.from(points.x), Array.from(points.y), [...points.label]]"
    )
    np.testing.assert_array_equal(np.stack([x, y], 1).astype(np.float32), DATA.x)
    np.testing.assert_array_equal(label, DATA.y)


@pytest.mark.parametrize(("seed", "width"), [(0, 3), (7, 16), (2**53, 40)])
def test_a_seed_draws_the_same_initial_weights(seed, width, work):
    drawn = work(f"Array.from(initialParams({seed}, {width}))")
    np.testing.assert_array_equal(np.float32(drawn), mlp.initial_params(seed, width))


@pytest.mark.parametrize(("seed", "epoch"), [(0, 0), (3, 17)])
def test_a_seed_visits_the_points_in_the_same_order(seed, epoch, work):
    order = work(f"Array.from(epochOrder({seed}, {epoch}, points.count))")
    np.testing.assert_array_equal(order, epoch_order(seed, epoch, cubist.POINTS))


@pytest.mark.parametrize("name", NETWORKS)
def test_logits_agree_with_torch(name, work):
    mask, params, width = NETWORKS[name]
    x = DATA.x[::997]
    code = f"Array.from(logits(compile({stage.model(mask, params, width)}), "
    found = work(
        code + f"{stage.numbers(x[:, 0], '<f8')}, {stage.numbers(x[:, 1], '<f8')}))"
    )
    # In float64, as the page computes: steep networks amplify float32's rounding
    tensors = torch.tensor(params).double(), torch.tensor(x.T.copy()).double()
    wanted = mlp.logits(*tensors, width, relu=torch.relu).numpy()
    assert np.abs(found - wanted).max() <= 1e-5 * max(1, np.abs(wanted).max())


@pytest.mark.parametrize("name", NETWORKS)
def test_counts_and_loss_agree_with_numpy(name, work):
    mask, params, width = NETWORKS[name]
    found = work(f"measure(compile({stage.model(mask, params, width)}), points)")
    z = mlp.logits(params.astype(np.float64), DATA.x.T.astype(np.float64), width)
    right = np.where(DATA.y > 0, z > 0, z < 0).sum()
    signed = np.where(DATA.y > 0, -z, z)
    assert abs(found["correct"] - right) <= 1
    assert found["loss"] == pytest.approx(np.logaddexp(0, signed).mean(), rel=1e-9)
    first, bias = mlp.matrices(np.where(mask, params, 0.0).astype(np.float64), width)[0]
    fires = (first @ DATA.x.T + bias[:, None] > 0).mean(axis=1)
    used = [row.any() for row in mlp.matrices(mask, width)[0][0]]
    assert np.array(found["fires"][0])[used] == pytest.approx(fires[used], abs=1e-4)


@pytest.mark.parametrize("value", [np.nan, 0.0])
def test_a_logit_of_nan_or_zero_is_wrong(value, work):
    mask, params, width = NETWORKS["20 of 7"]
    broken = stage.model(mask, np.full_like(params, value), width)
    assert work(f"measure(compile({broken}), points).correct") == 0


@pytest.mark.parametrize("view", [(0, 0, 2.25), (0.4, -1.1, 0.3)])
def test_a_map_is_the_logit_at_the_middle_of_each_pixel(view, work):
    mask, params, width = NETWORKS["best of 27"]
    x, y, half = view
    net = f"compile({stage.model(mask, params, width)})"
    square = f"{{ x: {x}, y: {y}, half: {half} }}"
    size = 48
    found = np.reshape(
        work(f"Array.from(fieldOf({net}, {square}, {size}))"), (size, -1)
    )
    middle = (np.arange(size) + 0.5) / size * 2 * half - half
    grid = np.stack(np.meshgrid(x + middle, (y + middle)[::-1])).reshape(2, -1)
    wanted = mlp.logits(params.astype(np.float64), grid, width).reshape(size, size)
    assert np.ptp(wanted) > 1
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


def test_zero_lines_cover_the_pixels_where_a_unit_switches(work):
    """One unit of layer 1, x₁ - 0.5: its line is the column of pixels at 0.5."""
    width, size = 1, 64
    mask = np.ones(mlp.param_count(width), bool)
    params = np.float32([1, 0, -0.5, 1, -9, 1, -9, 1, 0])
    net = f"compile({stage.model(mask, params, width)})"
    planes = work(
        f"zeroLines({net}, {{ x: 0, y: 0, half: 2.25 }}, {size})"
        ".map((plane) => Array.from(plane))"
    )
    covered = np.reshape(planes[0], (size, size)) > 0
    column = int((0.5 + 2.25) / 4.5 * size)
    (columns,) = np.nonzero(covered.all(axis=0))
    assert column in columns
    assert 1 <= covered.any(axis=0).sum() <= 3


def test_small_maps_hold_every_unit(work):
    mask, params, width = NETWORKS["dense 16"]
    net = f"compile({stage.model(mask, params, width)})"
    code = f"const net = {net}, small = thumbnails(net, 16, wholeOf(2.25)); "
    code += "small.map((row, l) => row.map((z, u) => z && Math.max(...fieldOf(net, "
    code += (
        "{ x: 0, y: 0, half: 2.25 }, 16, [l, u]).map((v, i) => Math.abs(v - z[i])))))"
    )
    differences = work(
        f"(() => {{ {code.replace('small.map', 'return small.map', 1)} }})()"
    )
    assert [len(row) for row in differences] == [2, 16, 16, 16, 1]
    assert {value for row in differences for value in row if value is not None} == {0}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_gradient_agrees_with_autograd(name, work):
    mask, params, width = NETWORKS[name]
    chosen = epoch_order(4, 0, cubist.POINTS)[:128]
    found = work(
        f"Array.from(trainer({stage.model(mask, params, width)}, 128)"
        f".slope(points, {chosen.tolist()}))"
    )
    weights = torch.tensor(params.astype(np.float64), requires_grad=True)
    x = torch.tensor(DATA.x[chosen].T.astype(np.float64))
    y = torch.tensor(DATA.y[chosen].astype(np.float64))
    gradients.loss_of_one(width)(weights, x, y).backward()
    wanted = np.where(mask, weights.grad.numpy(), 0.0)
    found = np.where(mask, found, 0.0)
    np.testing.assert_allclose(found, wanted, atol=1e-5 * max(1, np.abs(wanted).max()))


@pytest.mark.parametrize("schedule", ["cosine", "step"])
def test_training_takes_the_steps_of_the_reference_engine(schedule, work):
    mask, _, width = pruned(7, 30, 5)
    start = np.where(mask, mlp.initial_params(5, width), np.float32(0))
    plan = Plan.simple(Budget(2, 390))
    job = TrainJob(
        width=width,
        plan=plan,
        initial=start[None],
        lr=np.array([0.1]),
        schedule=(schedule,),
        momentum=np.array([0.9]),
        weight_decay=np.array([5e-4]),
        order_seeds=np.array([5]),
    )
    state = TrainState(0, start[None], mask[None], np.zeros_like(start)[None])
    wanted = engines.build("reference").advance(job, state, 40).params[0]
    found = work(
        f"(() => {{ const pupil = trainer({stage.model(mask, start, width)}, 128), "
        "order = epochOrder(5, 0, points.count); "
        "for (let k = 0; k < 40; k++) pupil.step(points, "
        "order.subarray(k * 128, k * 128 + 128), "
        f"{{ lr: 0.1 * SCHEDULES.{schedule}(0, 2), momentum: 0.9, decay: 5e-4 }}); "
        "return Array.from(pupil.params); })()"
    )
    np.testing.assert_allclose(found, wanted, atol=2e-5)
    assert np.abs(wanted - start).max() > 0.05


@pytest.mark.parametrize("epochs", [1, 10, 50])
def test_schedules_are_those_of_python(epochs, work):
    for name, schedule in schedules.SCHEDULES.items():
        factors = work(
            f"Array.from({{ length: {epochs} }}, "
            f"(_, epoch) => SCHEDULES.{name}(epoch, {epochs}))"
        )
        assert factors == pytest.approx(schedule(epochs).tolist(), abs=1e-15)


@pytest.mark.parametrize("keep", [0, 3, 9, 14, 25, 44])
def test_masks_count_and_follow_paths_as_python_does(keep, mask_page):
    width = 4
    random = np.random.default_rng(keep)
    weights = np.zeros(mlp.weight_count(width), bool)
    weights[random.permutation(weights.size)[:keep]] = True
    wanted = masks.with_biases(weights[None], width)
    sparse = np.zeros(mlp.param_count(width), bool)
    sparse[mlp.is_weight(width)] = weights
    found = mask_page(
        f"(() => {{ const mask = withBiases({stage.numbers(sparse, '|u1')}, {width}); "
        f"const a = anatomy(mask, {width}); return {{ mask: Array.from(mask), "
        "useful: Array.from(a.useful), ...{ nnz: a.nnz, effective: a.effective, "
        "params: a.params, roles: a.roles } }; })()"
    )
    np.testing.assert_array_equal(np.array(found["mask"]) > 0, wanted[0])
    on_path = masks.on_path(wanted, width)[0]
    np.testing.assert_array_equal(
        np.array(found["useful"], bool)[mlp.is_weight(width)], on_path
    )
    sizes = (found["nnz"], found["effective"], found["params"])
    assert sizes == (keep, on_path.sum(), wanted.sum())


def test_units_are_live_constant_dead_or_absent(mask_page):
    """Layer 1: live, dead, absent; layer 2: live, constant, dead; layer 3: live."""
    text = "11,01,00/100,000,010/110,000,000/100"
    weights = np.array([c == "1" for c in text.replace("/", "").replace(",", "")])
    mask = masks.with_biases(weights[None], 3)[0]
    roles = mask_page(f"anatomy({stage.numbers(mask, '|u1')}, 3).roles")
    assert roles == [
        ["live", "dead", "absent"],
        ["live", "constant", "dead"],
        ["live", "absent", "absent"],
    ]


@pytest.mark.parametrize("keep", [0, 1, 7, 40, 44])
def test_the_largest_are_kept_and_of_equals_the_first(keep, mask_page):
    width = 4
    random = np.random.default_rng(3)
    params = random.integers(-4, 5, mlp.param_count(width)).astype(np.float32)
    pool = np.ones(len(params), bool)
    found = mask_page(
        f"Array.from(keepTop({stage.numbers(params)}, {stage.numbers(pool, '|u1')}, "
        f"{keep}, {width}))"
    )
    scores = np.abs(params[mlp.is_weight(width)])[None]
    wanted = masks.with_biases(masks.keep_top(scores, np.array([keep])), width)[0]
    np.testing.assert_array_equal(np.array(found) > 0, wanted)
