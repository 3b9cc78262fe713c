"""One network: read from anywhere, evaluated, drawn, written for other programs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float

from spiral.api import modules
from spiral.errors import ConfigError
from spiral.model import masks, mlp, stack, state_dict
from spiral.model.stack import Stack
from spiral.results import columns
from spiral.search import best_known, network_files
from spiral.search import network as searched
from spiral.search.network_files import Saved
from spiral.tasks import catalogue

if TYPE_CHECKING:
    import torch
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Network:
    """A network 2→a→b→c→1 with ReLU between its layers, and which weights it keeps.

    >>> import spiral
    >>> best = spiral.frontier().query("accuracy >= 0.95").sort_values("nnz").iloc[0]
    >>> network = spiral.Network.from_entry(best)
    >>> network.nnz, network.accuracy() >= 0.95
    (14, True)
    """

    layers: Stack
    """Three hidden layers and the output layer: ``kept``, ``weights`` (0 where not
    kept) and ``biases`` of each, in float32."""
    name: str = "network"

    # ---- read

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Network":
        """Return the network of a row of results, with all units of its width.

        Args:
            row: A row with ``mask``, ``weights`` and ``width``, for example of
                ``load_rows(DIR, networks=True)``.

        Raises:
            ConfigError: It has no mask or weights, as most rows of summaries.
        """
        known = all(name in row for name in ("mask", "weights", "width"))
        if not known or not isinstance(row["mask"], bytes):
            raise ConfigError(
                "expected a row with mask, weights and width, got one without; read it "
                "by load_rows(DIR, networks=True); most rows of summaries have none"
            )
        width = int(row["width"])
        flat = stack.Flat(*columns.params_of(row), width)
        name = f"{row['method']}, {row['config_id']}" if "method" in row else "row"
        return cls(stack.of_flat(flat), name)

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any]) -> "Network":
        """Return a network of the frontier (a row of ``spiral.frontier()``)."""
        found = best_known.network_of(entry)
        flat = stack.Flat(*searched.unpacked(found.matrices, found.params))
        return cls(stack.of_flat(flat, found.shape), "best known")

    @classmethod
    def from_state_dict(
        cls, state: Mapping[str, Any], mask: Any = None, name: str = "network"
    ) -> "Network":
        """Return the network of four named matrices and their biases.

        Names do not matter: layers are matrices [out, in] whose sizes fit together. The
        buffers of ``torch.nn.utils.prune`` (``weight_orig``, ``weight_mask``) are
        understood. Biases may be missing.

        Args:
            state: Arrays or tensors, as of ``module.state_dict()``.
            mask: Which weights are kept: arrays with the same names, or four matrices,
                input side first. By default those that ``state`` says, else all that
                are not zero.
            name: A name for people.

        Raises:
            ConfigError: There is no such network.

        >>> import numpy as np
        >>> state = {
        ...     "in": np.ones((3, 2)), "mid": np.ones((1, 3)),
        ...     "deep": np.ones((2, 1)), "out": np.array([[1.0, 0.0]]),
        ... }
        >>> Network.from_state_dict(state)
        Network(3-1-2, 12 weights: 'network')
        """
        try:
            return cls(state_dict.find(state, mask).stack, name)
        except ValueError as error:
            raise ConfigError(f"state dict: {error}") from None

    @classmethod
    def from_torch(cls, module: "torch.nn.Module", mask: Any = None) -> "Network":
        """Return the network of a PyTorch module.

        Args:
            module: Four linear layers with ReLU between them, pruned or not.
            mask: As of :meth:`from_state_dict`.

        Raises:
            ConfigError: It is no such module. Its outputs on a grid of points are
                compared, so that another activation is not overlooked.
        """
        found = cls.from_state_dict(module.state_dict(), mask, type(module).__name__)
        # With a mask of the caller's the module may compute something else
        if mask is None:
            modules.check_outputs(found, module)
        return found

    @classmethod
    def from_file(cls, path: Path | str) -> "Network":
        """Return the network of an ``.npz``, safetensors, PyTorch or JSON file.

        Raises:
            StoreError: It cannot be read, or has several networks or none.
        """
        found = network_files.read(Path(path), catalogue.load(catalogue.DEFAULT))
        if len(found) != 1:
            raise ConfigError(
                f"{path}: expected one network, got {len(found)}; "
                "`spiral-sweep network import` reads all of them"
            )
        return cls(found[0].stack, found[0].name)

    # ---- facts

    @property
    def shape(self) -> tuple[int, int, int]:
        """Hidden units of the three layers."""
        return stack.sizes_of(self.layers)

    @property
    def width(self) -> int:
        """Units of the widest layer."""
        return max(self.shape)

    @property
    def nnz(self) -> int:
        """Weights kept; biases do not count."""
        return sum(int(layer.kept.sum()) for layer in self.layers)

    @property
    def effective_nnz(self) -> int:
        """Kept weights on a path from input to output."""
        flat = stack.flat_of(self.layers)
        return int(masks.on_path(flat.mask[None], flat.width).sum())

    @property
    def matrices(self) -> str:
        """The mask in the words of option ``matrices`` of method ``mask``."""
        return self._saved.matrices

    @property
    def mask(self) -> list[Bool[np.ndarray, "out in"]]:
        """Which weights are kept, a matrix for each layer."""
        return [layer.kept for layer in self.layers]

    @property
    def _saved(self) -> Saved:
        return Saved(self.name, self.layers, origin="spiral.Network")

    def __repr__(self) -> str:
        """Return shape, size and name."""
        shape = "-".join(map(str, self.shape))
        return f"Network({shape}, {self.nnz} weights: {self.name!r})"

    # ---- evaluate

    def logits(self, points: Float[np.ndarray, "B 2"]) -> Float[np.ndarray, " B"]:
        """Return the outputs on standardised points; class 1 where positive."""
        flat = stack.flat_of(self.layers)
        params = np.where(flat.mask, flat.params, 0.0)
        found: np.ndarray = mlp.logits(params, np.asarray(points).T, flat.width)
        return found

    def accuracy(self, task: str = catalogue.DEFAULT) -> float:
        """Return the share of a task's points classified correctly, in float64.

        Raises:
            ConfigError: There is no such task.
        """
        data = catalogue.load(catalogue.canonical(task))
        found = network_files.evaluated(self._saved, data)
        return found.accuracy or 0.0

    def reduced(self) -> "Network | None":
        """Return the smallest network with the same outputs; None if constant.

        Units without inputs are folded into the biases they feed, units that do not
        reach the output are dropped, and hidden units are numbered canonically.
        """
        found = searched.reduced(*stack.flat_of(self.layers))
        if found is None:
            return None
        flat = stack.Flat(*searched.unpacked(found.matrices, found.params))
        return Network(stack.of_flat(flat, found.shape), self.name)

    def plot(self, neurons: bool = False) -> "Figure":
        """Return a figure of its graph beside its decision map.

        Args:
            neurons: Whether to show where each neuron is active instead.
        """
        from spiral.report.figures import search
        from spiral.report.figures.networks import Drawn

        title = f"{self.name}\n{self.nnz} weights, accuracy {self.accuracy():.4f}"
        flat = stack.flat_of(self.layers)
        params = np.where(flat.mask, flat.params, np.float32(0))
        drawn = Drawn(title, flat.mask, params, flat.width)
        return search.inside([drawn]) if neurons else search.gallery([drawn])

    # ---- write

    def arrays(self) -> dict[str, Float[np.ndarray, "..."]]:
        """Return the arrays of :meth:`state_dict`, without PyTorch."""
        found = {}
        for number, layer in enumerate(self.layers):
            # Numbers of an nn.Sequential with a ReLU after each hidden layer
            found[f"{2 * number}.weight"] = layer.weights
            found[f"{2 * number}.bias"] = layer.biases
        return found

    def state_dict(self) -> dict[str, "torch.Tensor"]:
        """Return the state dict of :meth:`to_torch`; weights not kept are 0."""
        import torch

        return {name: torch.tensor(array) for name, array in self.arrays().items()}

    def to_torch(self, masked: bool = False) -> "torch.nn.Sequential":
        """Return the network as a PyTorch module, from points [B, 2] to logits [B, 1].

        Args:
            masked: Whether to mask the weights by ``torch.nn.utils.prune``, so that
                those not kept stay 0 in further training.
        """
        import torch
        from torch.nn.utils import prune

        linear = [
            torch.nn.Linear(layer.weights.shape[1], len(layer.weights))
            for layer in self.layers
        ]
        parts = [part for each in linear for part in (each, torch.nn.ReLU())]
        module = torch.nn.Sequential(*parts[:-1])
        module.load_state_dict(self.state_dict())
        if masked:
            for each, layer in zip(linear, self.layers, strict=True):
                kept = torch.tensor(layer.kept)
                prune.custom_from_mask(each, "weight", kept)  # type: ignore[no-untyped-call]
        return module

    def to_onnx(self, path: Path | str) -> None:
        """Write the network as ONNX (opset 17, see ``api.export``).

        Raises:
            ConfigError: The package ``onnx`` is missing.
        """
        from spiral.api import export

        export.onnx(self, Path(path))

    def save(self, path: Path | str) -> None:
        """Write the network in the format that the name of the file ends in.

        ``.onnx``, ``.pt``, ``.safetensors``, ``.npz`` or ``.json`` for programs,
        ``.svg``, ``.png`` or ``.pdf`` for people.

        Raises:
            ConfigError: The name ends in nothing of this, or a package is missing.
        """
        from spiral.api import export

        export.save(self, Path(path))
