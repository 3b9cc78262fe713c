"""Networks from everywhere and for everywhere: what comes back is the same."""

from itertools import pairwise

import numpy as np
import onnxruntime
import pytest
import torch
from torch.nn.utils import prune

from spiral.api.network import Network
from spiral.errors import ConfigError, StoreError
from spiral.results import columns
from spiral.search import best_known
from spiral.tasks import cubist
from tests.report import launches

SIZES = (4, 3, 5)


@pytest.fixture(scope="module")
def best():
    """The best known network of 16 weights, and its row."""
    table = best_known.load().query("nnz == 16 and shape == '3,2,2'")
    entry = table.sort_values("accuracy").iloc[-1]
    return Network.from_entry(entry), entry


def module(sizes=SIZES, act=torch.nn.ReLU, bias=True):
    """Return a random module of linear layers."""
    torch.manual_seed(1)
    ends = (2, *sizes, 1)
    parts = []
    for inputs, outputs in pairwise(ends):
        parts += [torch.nn.Linear(inputs, outputs, bias=bias), act()]
    return torch.nn.Sequential(*parts[:-1])


def points(count=200):
    return cubist.load().x[:: 49_982 // count]


def same(one, other):
    """Compare two networks exactly."""
    for layer, twin in zip(one.layers, other.layers, strict=True):
        for part, again in zip(layer, twin, strict=True):
            np.testing.assert_array_equal(part, again)


def test_an_entry_of_the_frontier_has_the_accuracy_it_claims(best):
    network, entry = best
    assert (network.shape, network.width, network.nnz) == ((3, 2, 2), 3, 16)
    assert network.matrices == entry["matrices"]
    assert network.accuracy() == entry["correct"] / cubist.POINTS
    assert network.effective_nnz == 16
    assert "3-2-2, 16 weights" in repr(network)


def test_there_is_one_task(best):
    with pytest.raises(ConfigError, match="mnist"):
        best[0].accuracy("mnist")


def test_a_row_is_the_network_of_its_mask_and_weights(tmp_path):
    launches.write(tmp_path, "{method: gmp, width: 4, keep: 12, seed: 0..1}")
    import spiral

    rows = spiral.load_rows(tmp_path, networks=True)
    for row in rows.to_dict("records"):
        network = Network.from_row(row)
        mask, params = columns.params_of(row)
        assert (network.shape, network.nnz) == ((4, 4, 4), row["nnz"])
        flat = np.concatenate([part.ravel() for part in network.arrays().values()])
        np.testing.assert_array_equal(flat, np.where(mask, params, 0))
    with pytest.raises(ConfigError, match="networks=True"):
        Network.from_row(spiral.load_rows(tmp_path).iloc[0])


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_module_comes_back_with_the_same_outputs(bias, dtype):
    net = module(bias=bias).to(dtype)
    network = Network.from_torch(net)
    assert (network.shape, network.nnz) == (SIZES, 2 * 4 + 12 + 15 + 5)
    x = torch.tensor(points())
    expected = net(x.to(dtype)).detach().numpy()[:, 0]
    np.testing.assert_allclose(network.logits(points()), expected, atol=1e-5)
    again = network.to_torch()(x).detach().numpy()[:, 0]
    np.testing.assert_allclose(again, expected, atol=1e-5)
    assert net.training


def test_a_pruned_module_is_imported_with_its_mask():
    net = module()
    for layer in net[::2]:
        prune.l1_unstructured(layer, "weight", amount=0.5)
    network = Network.from_torch(net)
    assert network.nnz == 4 + 6 + 7 + 3  # PyTorch rounds the share that goes
    for kept, layer in zip(network.mask, net[::2], strict=True):
        np.testing.assert_array_equal(kept, layer.weight_mask.numpy() == 1)


@pytest.mark.parametrize("act", [torch.nn.Tanh, torch.nn.LeakyReLU, torch.nn.Identity])
def test_another_activation_is_not_overlooked(act):
    with pytest.raises(ConfigError, match="expected the outputs of four linear layers"):
        Network.from_torch(module(act=act))
    assert Network.from_state_dict(module(act=act).state_dict()).shape == SIZES


def test_what_is_no_network_is_a_config_error():
    with pytest.raises(ConfigError, match="state dict: expected four layers"):
        Network.from_torch(torch.nn.Linear(2, 1))


def test_a_masked_module_keeps_its_zeros_in_training(best):
    network, _ = best
    net = network.to_torch(masked=True)
    step = torch.optim.SGD(net.parameters(), lr=0.1)
    net(torch.tensor(points())).square().mean().backward()
    step.step()
    trained = Network.from_state_dict(net.state_dict())
    assert trained.matrices == network.matrices
    moved = zip(trained.layers, network.layers, strict=True)
    assert any((a.weights != b.weights).any() for a, b in moved)


def test_the_reduced_network_computes_the_same_with_less():
    weights = [np.ones((3, 2)), np.eye(3), np.eye(3), np.array([[1.0, -2.0, 0.0]])]
    weights[0][1] = 0  # a constant unit
    state = {f"{n}.weight": w for n, w in enumerate(weights)}
    state["0.bias"] = np.array([-0.5, 0.7, 0.1])
    network = Network.from_state_dict(state)
    small = network.reduced()
    assert (small.shape, small.nnz, network.nnz) == ((1, 1, 1), 5, 13 - 1)
    np.testing.assert_allclose(
        small.logits(points()), network.logits(points()), atol=1e-6
    )
    state["3.weight"] = np.array([[0.0, -2.0, 0.0]])
    assert Network.from_state_dict(state).reduced() is None


# ---- files


@pytest.mark.parametrize("name", ["x.npz", "x.pt", "x.safetensors", "x.json"])
def test_a_file_gives_back_the_network(name, best, tmp_path):
    network, _ = best
    network.save(tmp_path / name)
    same(Network.from_file(tmp_path / name), network)


def test_a_kept_weight_of_zero_survives_in_npz_and_json(tmp_path):
    ones = [np.ones(shape) for shape in [(2, 2), (2, 2), (2, 2), (1, 2)]]
    state = {f"{n}.weight": w * (n - 1.0) for n, w in enumerate(ones)}
    network = Network.from_state_dict(state, mask=ones)
    assert network.nnz == 14
    for name in ("x.npz", "x.json"):
        network.save(tmp_path / name)
        assert Network.from_file(tmp_path / name).nnz == 14


def test_a_state_dict_fits_a_sequential_of_pytorch(best, tmp_path):
    network, _ = best
    network.save(tmp_path / "x.pt")
    net = module(network.shape)
    net.load_state_dict(torch.load(tmp_path / "x.pt", weights_only=True))
    found = net(torch.tensor(points())).detach().numpy()[:, 0]
    np.testing.assert_allclose(found, network.logits(points()), rtol=1e-4, atol=1e-4)


def test_onnx_runs_with_the_same_outputs(tmp_path):
    network = Network.from_torch(module())
    network.to_onnx(tmp_path / "x.onnx")
    session = onnxruntime.InferenceSession(
        tmp_path / "x.onnx", providers=["CPUExecutionProvider"]
    )
    (found,) = session.run(None, {"points": points()})
    np.testing.assert_allclose(found[:, 0], network.logits(points()), atol=1e-5)
    assert session.get_modelmeta().producer_name == "spiral-sweep"


def test_the_best_known_network_is_as_accurate_in_onnx(best, tmp_path):
    network, entry = best
    network.save(tmp_path / "x.onnx")
    session = onnxruntime.InferenceSession(
        tmp_path / "x.onnx", providers=["CPUExecutionProvider"]
    )
    data = cubist.load()
    (found,) = session.run(["logits"], {"points": data.x})
    right = int(((found[:, 0] > 0) == (data.y > 0)).sum())
    assert abs(right - entry["correct"]) <= 2


def test_without_onnx_the_package_is_named(best, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(ConfigError, match=r"pip install 'spiral-sweep\[onnx\]'"):
        best[0].to_onnx(tmp_path / "x.onnx")


@pytest.mark.parametrize("name", ["x.svg", "x.png"])
def test_a_picture_is_drawn(name, best, tmp_path):
    best[0].save(tmp_path / name)
    assert (tmp_path / name).stat().st_size > 5000


def test_the_figure_has_the_graph_and_the_map_or_the_neurons(best):
    network, _ = best
    graph, decision = network.plot().axes
    assert "16 weights" in graph.get_title()
    assert decision.images or decision.collections
    assert len(network.plot(neurons=True).axes) == 1


def test_a_name_that_says_no_format_is_refused(best, tmp_path):
    with pytest.raises(ConfigError, match=r"ending in .onnx, .pt, .safetensors"):
        best[0].save(tmp_path / "x.h5")


def test_a_file_of_several_networks_is_no_network(best, tmp_path):
    from spiral.search import network_files

    path = tmp_path / "two.json"
    path.write_text(network_files.as_json([best[0]._saved] * 2))
    with pytest.raises(ConfigError, match="expected one network, got 2"):
        Network.from_file(path)
    with pytest.raises(StoreError, match="cannot be read"):
        Network.from_file(tmp_path / "nowhere.npz")
