"""A torch model in two parts: the private one in integers, and any network after it in the clear."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Optional

import numpy as np
import torch
from numpy.typing import NDArray
from torch import fx, nn
from torch.fx.node import map_arg

from .. import _chain as chain
from .._check import instance
from .._cut import CutModel
from .._forms import Integers, Precision, integers
from ..compiled import CompiledNetwork
from ..data import Dataset, Encoder
from ..errors import ImportFailed
from .reader import COMPARED, compare, doubled, graph_of, trace, unwrapped
from .rounding import levels


class TorchModel(CutModel):
    """A model in two parts; ``public_head`` is the part after the cut, a module that reads ``[N, …]`` there."""

    def __init__(
        self,
        rounded: Integers,
        compiled: CompiledNetwork,
        cut: str,
        difference: float,
        head: nn.Module,
        shape: tuple[int, ...],
    ) -> None:
        super().__init__(rounded, compiled, cut, difference)
        self.public_head = head
        self._shape = shape

    def public(self, q: NDArray[np.float32]) -> NDArray[np.float32]:
        """The model's results for values ``[N, S]`` at the cut."""
        with torch.no_grad():
            found: NDArray[np.float32] = self.public_head(torch.from_numpy(q).reshape(len(q), *self._shape)).numpy()
        return found


def cut(
    model: nn.Module,
    data: Dataset,
    *,
    encoder: Optional[Encoder] = None,
    left: int = 4,
    right: int = 4,
    combine: int = 5,
    main: str = "digit",
    shape: Optional[Sequence[int]] = None,
) -> TorchModel:
    """Cuts a torch model: any network may follow the first operation that mixes products.

    Parameters and errors are those of :func:`halflight.onnx.load`, and ``shape`` is that of :func:`load`. For models
    whose head has only linear layers and ReLU, :func:`halflight.torch.load` gives a network that compiling fine-tunes.
    """
    encoder = encoder or Encoder.pixels(*instance(data, Dataset, "data").size, bits=4)
    model = unwrapped(model)
    z = levels(encoder, data[:COMPARED]).double()
    graph = graph_of(model)
    value, taken, node = trace(model, graph, z, encoder, shape, until_cut=True)
    if node is None or not isinstance(value.stage, chain.Head):
        raise ImportFailed(f"the model has no private part that ends in a linear operation: {chain.SHAPE}")
    forms, at = value.stage.forms, tuple(value.rows.shape[1:])
    head = _head_after(model, graph, node)
    q = torch.from_numpy(chain.outputs(forms, z.numpy())).reshape(len(z), *at)
    with torch.no_grad():
        found = doubled(head)(q).reshape(len(z), -1).numpy()
    difference = compare(model, z.reshape(len(z), *taken), found, "")
    rounded = integers(forms, encoder, data, Precision(left, right, combine))
    return TorchModel(rounded, rounded.compiled(encoder, main, None), node.name, difference, head, at)


def _head_after(model: nn.Module, graph: fx.Graph, node: fx.Node) -> nn.Module:
    """The operations after a node, as a module of the cut's value."""
    rest = fx.Graph()
    known: dict[fx.Node, fx.Node] = {}
    renamed = rest.placeholder("q")
    for other in graph.nodes:
        if other is node:
            known[other] = renamed
        elif other.op == "output":
            if any(arg not in known for arg in other.all_input_nodes):
                raise ImportFailed(f"the part after the cut at `{node.name}` also reads the input, which nobody has there in the clear")
            rest.output(map_arg(other.args[0], lambda arg: known[arg]))
        elif other.op != "placeholder" and all(arg in known for arg in other.all_input_nodes):
            known[other] = rest.node_copy(other, lambda arg: known[arg])
    own = fx.GraphModule(copy.deepcopy(model).cpu().eval(), rest)
    own.graph.eliminate_dead_code()
    own.recompile()
    return own

