"""Reads a torch model, operation by operation of its traced graph."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Callable, Optional

import numpy as np
import torch
from torch import fx, nn
from torch.fx.node import map_arg

from .. import _chain as chain
from .._check import instance
from .._forms import Integers, network
from ..data import Dataset, Encoder
from ..errors import ImportFailed
from ..networks import Network
from .modules import PrivateQuadratic
from .rounding import levels

#: Items on which the model and what was read of it are compared.
COMPARED = 64


def load(
    model: nn.Module,
    data: Dataset,
    *,
    encoder: Optional[Encoder] = None,
    main: str = "digit",
    collateral: Sequence[str] = (),
    shape: Optional[Sequence[int]] = None,
) -> Network:
    """A torch model as a network that :func:`halflight.compile` takes.

    Any linear operations may precede the square or product: convolutions, average pooling, slices, permutations,
    normalisation by running statistics. They are unrolled into one matrix of units by inputs, so a convolution costs as
    many units as it has output numbers.

    Parameters
    ----------
    model : nn.Module
        Of the supported shape (see :mod:`halflight.torch`); its only input is ``z`` of the encoder, flat, or as
        pictures in row order with or without a channel axis. Compiled and parallel models, and exported programs, are
        unwrapped. For a saved state dict, make the model and call ``load_state_dict`` first. A single logit stands for
        two classes.
    data : Dataset
        Labelled items: the accuracy is measured on them, their classes of ``main`` name the logits, and the model is
        compared with its imported form on the first 64.
    encoder : Encoder, optional
        By default ``Encoder.pixels`` of the data's size: ``z = pixel / 255``. Further scaling, such as
        ``(x − mean) / std``, belongs in the model's forward.
    main, collateral : str, list of str
        Label columns for compiling and audits.
    shape : sequence of int, optional
        The shape in which the model takes an item, without the batch axis; by default flat, rows and columns, or one
        channel, whichever works.

    Returns
    -------
    Network
        Computes what the model computes, up to rounding of float32; ``difference`` is the largest difference found, as
        a fraction of the largest logit.

    Raises
    ------
    ImportFailed
        Names the layer or operation at fault, and the supported ones; or the model differs from its imported form.
    """
    encoder = encoder or Encoder.pixels(*instance(data, Dataset, "data").size)
    if main not in data.names:
        raise ImportFailed(f"the data have no label `{main}`: they have {data.names}")
    model = unwrapped(model)
    z = levels(encoder, data[:COMPARED]).double()
    value, taken, _ = trace(model, graph_of(model), z, encoder, shape)
    forms, head = chain.finish(value)
    found = compare(model, z.reshape(len(z), *taken), chain.logits(forms, head, z.numpy()), value.ended)
    head = chain.two_logits(head, forms, len(data.classes(main)))
    source = f"PyTorch {torch.__version__}, {type(model).__name__}"
    made = network(forms, head, encoder=encoder, data=data, main=main, collateral=collateral, source=source)
    made.difference = found
    return made


def unwrapped(model: Any) -> nn.Module:
    """The model inside compiled and parallel wrappers; refuses what cannot be read, by name."""
    for _ in range(8):
        inner = getattr(model, "_orig_mod", None)
        if inner is None and type(model).__name__ in ("DataParallel", "DistributedDataParallel"):
            inner = model.module
        if inner is None:
            break
        model = inner
    if type(model).__name__ == "ExportedProgram":
        model = model.module()
    if isinstance(model, torch.jit.ScriptModule):
        raise ImportFailed("the model is a script, which cannot be read: give the nn.Module that it was made from, or export it to ONNX")
    if not isinstance(model, nn.Module):
        raise ImportFailed(f"the model is of type {type(model).__name__}: give an nn.Module")
    return model


def trace(
    model: nn.Module, graph: fx.Graph, z: torch.Tensor, encoder: Encoder, shape: Optional[Sequence[int]], until_cut: bool = False
) -> tuple[chain.Traced, tuple[int, ...], Optional[fx.Node]]:
    """The model's result for items ``z``, or the value at the cut; the shape of an item; the cut."""
    double = doubled(model)
    columns = z.shape[1]
    height, width = encoder.size
    shapes: list[tuple[int, ...]] = [(columns,)] if shape is None else [tuple(shape)]
    if shape is None and height * width == columns:
        shapes += [(height, width), (1, height, width)]
    if int(np.prod(shapes[0])) != columns:
        raise ImportFailed(f"`shape` is {shapes[0]}, but an item has {columns} numbers")
    tries = chain.Tries("the model returns nothing")
    for place, taken in enumerate(shapes):
        run = Run(double, chain.inputs(z.numpy(), taken))
        try:
            value = run.all(graph, until_cut)
        except ImportFailed as error:
            tries.failed(run.done, error)
            continue
        for other in shapes[place + 1 :]:
            if not _agree(double, z, taken, other):
                raise ImportFailed(f"the model accepts items of the shapes {taken} and {other}, with different results: give `shape`")
        return value, taken, run.cut
    raise tries.error


def _agree(double: nn.Module, z: torch.Tensor, a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Whether the model gives the same result in two shapes, or refuses the second."""
    with torch.no_grad():
        try:
            found = double(z.reshape(len(z), *b))
        except Exception:  # The model's own forward, which may raise anything.
            return True
        own = double(z.reshape(len(z), *a))
    return own.shape != found.shape or chain.close(own.numpy(), found.numpy())


def graph_of(model: nn.Module) -> fx.Graph:
    """The model's operations in evaluation mode."""
    if isinstance(model, fx.GraphModule):
        return model.graph
    was_training = model.training
    model.eval()
    try:
        return _Tracer().trace(model)
    except Exception as error:  # Tracing runs the model's own forward, which may raise anything.
        raise ImportFailed(
            f"the model cannot be traced ({type(error).__name__}: {error}): write its forward without branches on values, "
            "or as an nn.Sequential"
        ) from error
    finally:
        model.train(was_training)


def doubled(model: nn.Module) -> nn.Module:
    """A copy in floats of 64 bits, in evaluation mode, on the CPU."""
    double = copy.deepcopy(model).cpu().double()
    for layer in double.modules():
        layer.training = False
    return double


def compare(model: nn.Module, items: torch.Tensor, found: chain.Matrix, ended: str) -> float:
    """The largest difference between the model and its imported form, as a fraction of the largest number."""
    with torch.no_grad():
        own = doubled(model)(items).reshape(len(items), -1).numpy()
        read = torch.from_numpy(found)
        if ended in _ENDS:
            read = _ENDS[ended](read)
    difference = chain.difference(own, read.numpy()) if own.shape == tuple(read.shape) else float("inf")
    if not difference <= chain.TOLERANCE:
        raise ImportFailed(
            f"the model and what was read of it differ by {difference:.1e} of the largest number on {len(items)} items of the "
            "data: an operation depends on the batch, on other state or on chance"
        )
    return difference


class _Tracer(fx.Tracer):  # type: ignore[misc, unused-ignore]
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        if isinstance(m, PrivateQuadratic):
            return True
        leaf: bool = super().is_leaf_module(m, module_qualified_name)
        return leaf


_ENDS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "softmax": lambda values: values.softmax(1),
    "log_softmax": lambda values: values.log_softmax(1),
    "sigmoid": torch.sigmoid,
}
_MULTIPLY = {"mul", "multiply", "imul", "mul_"}
_SQUARE = {"square"}
_POWER = {"pow"}
_RELU = {"relu", "relu_"}
_SAME = {"float", "double", "contiguous", "detach", "clone", "alias", "dropout", "detach_", "lift_fresh_copy"}


class Run:
    """One pass over a graph, on probes."""

    def __init__(self, model: nn.Module, start: chain.Traced) -> None:
        self.model = model
        self.start = chain.Traced(start.stage, torch.from_numpy(start.rows))
        self.values: dict[fx.Node, Any] = {}
        #: Operations that went well.
        self.done = 0
        #: The first one after which all is public.
        self.cut: Optional[fx.Node] = None

    def all(self, graph: fx.Graph, until_cut: bool = False) -> chain.Traced:
        """The model's result, or the value at the cut."""
        for node in graph.nodes:
            if node.op == "output":
                found = self._known(node.args[0])
                if isinstance(found, (tuple, list)) and len(found) == 1:
                    found = found[0]
                if not isinstance(found, chain.Traced):
                    raise ImportFailed("the model must return one tensor that depends on its input")
                return found
            value = self.values[node] = self._value(node)
            self.done += 1
            if self.cut is None and isinstance(value, chain.Traced) and isinstance(value.stage, chain.Head):
                self.cut = node
                if until_cut:
                    return value
        raise ImportFailed("the model returns nothing")

    def _known(self, argument: Any) -> Any:
        return map_arg(argument, lambda node: self.values[node])

    def _value(self, node: fx.Node) -> Any:
        if node.op == "placeholder":
            if any(isinstance(value, chain.Traced) for value in self.values.values()):
                raise ImportFailed(f"the model has a second input `{node.target}`: only one is encrypted")
            return self.start
        if node.op == "get_attr":
            constant: Any = self.model
            for part in str(node.target).split("."):
                constant = getattr(constant, part)
            return constant.detach().cpu().double() if _floats(constant) else constant
        arguments, named = self._known(node.args), self._known(node.kwargs)
        parts = _traced([arguments, named])
        if node.op == "call_module":
            layer = self.model.get_submodule(str(node.target))
            what = f"layer `{node.target}` ({type(layer).__name__})"
            if not parts:
                raise ImportFailed(f"{what} reads something else than the model's input")
            return self._layer(layer, what, parts, arguments, named)
        name = _name(node)
        what = f"operation `{node.name}`"
        if not parts:
            return self._call(_callable(node), arguments, named, what)
        return self._operation(node, name, what, parts, arguments, named)

    def _layer(self, layer: nn.Module, what: str, parts: list[chain.Traced], arguments: Any, named: Any) -> Any:
        value = parts[0]
        if isinstance(layer, PrivateQuadratic):
            return _private(layer, value, what)
        if isinstance(layer, nn.ReLU):
            return _tensor(chain.relu(value, what))
        if isinstance(layer, (nn.Softmax, nn.LogSoftmax)):
            return _last(value, "softmax" if isinstance(layer, nn.Softmax) else "log_softmax", layer.dim, what)
        if isinstance(layer, nn.Sigmoid):
            return _last(value, "sigmoid", 1, what)
        if isinstance(layer, nn.Linear) and value.rows.shape[-1] != layer.in_features:
            raise ImportFailed(
                f"{what} reads {layer.in_features} numbers and gets {value.rows.shape[-1]}: check the size of the images"
            )
        if isinstance(layer, nn.modules.batchnorm._BatchNorm) and layer.running_mean is None:
            raise ImportFailed(f"{what} keeps no running statistics: set track_running_stats=True, so that it can be folded in")
        return self._run(layer, parts, arguments, named, what)

    def _operation(
        self, node: fx.Node, name: str, what: str, parts: list[chain.Traced], arguments: Any, named: Any
    ) -> Any:
        value = parts[0]
        if name in _SAME and isinstance(arguments[0], chain.Traced):
            return value
        if name in _RELU:
            return _tensor(chain.relu(value, what))
        if name in ("softmax", "_softmax", "log_softmax", "_log_softmax"):
            dim = named.get("dim", arguments[1] if len(arguments) > 1 else None)
            return _last(value, name.lstrip("_"), dim, what)
        if name == "sigmoid":
            return _last(value, "sigmoid", 1, what)
        if name in _SQUARE or (name in _POWER and list(arguments[1:]) == [2] and not named):
            return _tensor(chain.multiply(value, value, what))
        if name in _MULTIPLY and len(arguments) == 2 and all(isinstance(side, chain.Traced) for side in arguments):
            return _tensor(chain.multiply(arguments[0], arguments[1], what))
        return self._run(_callable(node), parts, arguments, named, what)

    def _run(self, function: Any, parts: list[chain.Traced], arguments: Any, named: Any, what: str) -> Any:
        """The operation itself, on the probes; they also prove that it is affine."""
        value = parts[0]
        if any(other.stage is not value.stage for other in parts):
            raise ImportFailed(f"{what} joins two parts of the model on different sides of a product or a ReLU: {chain.SHAPE}")
        for part in parts:
            chain.unended(part, what)
        found = self._call(function, _mapped(arguments, _rows), _mapped(named, _rows), what)
        return _mapped_tensors(found, lambda rows: self._after(value, rows, what))

    def _after(self, value: chain.Traced, rows: torch.Tensor, what: str) -> Any:
        if not rows.is_floating_point():
            raise ImportFailed(f"{what} gives {rows.dtype}, which truncates numbers: {chain.SHAPE}")
        made = chain.after(value, rows.detach().double().numpy(), what)
        return _tensor(made)

    def _call(self, function: Any, arguments: Any, named: Any, what: str) -> Any:
        try:
            with torch.no_grad():
                return function(*arguments, **named)
        except ImportFailed:
            raise
        except Exception as error:  # The model's own operation, which may raise anything.
            text = str(error).split("\n")[0]
            raise chain.Unfit(f"{what} cannot be run on items of this shape ({type(error).__name__}: {text})") from error


def _private(layer: PrivateQuadratic, value: chain.Traced, what: str) -> chain.Traced:
    (left, left_bias), right, combine = layer.weights()
    z = value.rows.flatten(1)
    if z.shape[1] != layer.left.in_features:
        raise ImportFailed(f"{what} reads {layer.left.in_features} numbers but gets {z.shape[1]}: check the size of the images")
    with torch.no_grad():
        first = _tensor(chain.after(value, (z @ left.T + left_bias).numpy(), what))
        second = first
        if right is not None:
            narrow = z if layer.columns is None else z[:, layer.columns]
            second = _tensor(chain.after(value, (narrow @ right[0].T + right[1]).numpy(), what))
        product = _tensor(chain.multiply(first, second, what))
        found = chain.after(product, (product.rows @ combine.T).numpy(), what)
    return _tensor(found)


def _last(value: chain.Traced, kind: str, dim: Optional[int], what: str) -> chain.Traced:
    if dim not in (None, 1, -1) or value.rows.ndim != 2:
        raise ImportFailed(f"{what} works along axis {dim} of {value.rows.ndim}: end the model with one along the classes, dim=1")
    return chain.last(value, kind, what)


def _tensor(value: chain.Traced) -> chain.Traced:
    rows = value.rows if isinstance(value.rows, torch.Tensor) else torch.from_numpy(np.ascontiguousarray(value.rows))
    return chain.Traced(value.stage, rows, value.ended)


def _name(node: fx.Node) -> str:
    """``mul`` for ``torch.mul``, ``operator.mul``, ``x.mul`` and ``aten.mul.Tensor``."""
    target: Any = node.target
    if isinstance(target, str):
        return target
    packet = getattr(target, "overloadpacket", target)
    return str(getattr(packet, "__name__", packet)).rsplit(".", 1)[-1]


def _callable(node: fx.Node) -> Any:
    if node.op == "call_method":
        return _method(str(node.target))
    return node.target


def _method(name: str) -> Callable[..., Any]:
    return lambda value, *arguments, **named: getattr(value, name)(*arguments, **named)


def _floats(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.is_floating_point()


def _rows(part: chain.Traced) -> Any:
    return part.rows


def _traced(given: Any) -> list[chain.Traced]:
    found: list[chain.Traced] = []
    _mapped(given, lambda part: found.append(part))
    return found


def _mapped(given: Any, work: Callable[[chain.Traced], Any]) -> Any:
    if isinstance(given, chain.Traced):
        return work(given)
    if isinstance(given, (list, tuple)) and not isinstance(given, torch.Size):
        parts = [_mapped(part, work) for part in given]
        return parts if isinstance(given, list) else tuple(parts)
    if isinstance(given, dict):
        return {key: _mapped(part, work) for key, part in given.items()}
    if isinstance(given, slice):
        return slice(*(_mapped(part, work) for part in (given.start, given.stop, given.step)))
    return given


def _mapped_tensors(found: Any, work: Callable[[torch.Tensor], Any]) -> Any:
    if isinstance(found, torch.Tensor):
        return work(found)
    if isinstance(found, (list, tuple)) and any(isinstance(part, torch.Tensor) for part in found):
        return [_mapped_tensors(part, work) for part in found]
    return found


def to_integers(layer: PrivateQuadratic) -> Integers:
    """The integers of a layer that :meth:`PrivateQuadratic.quantise` prepared, as in the forward pass.

    ``q = worth·output`` on the encoder's grid; make a network of them with ``.compiled(encoder, main, classes)``.
    """
    if layer.grid is None:
        raise ImportFailed("the layer reads floats: call quantise(encoder, data) first, and fine-tune")
    grid, (first, second, outputs) = layer.grid, layer.steps()
    (left, left_bias), right, combine = layer.weights()
    sides = [(left, left_bias, first)]
    if right is not None:
        sides.append((*right, second))
    rows = []
    for weight, bias, scale in sides:
        constant = (bias + grid["low"] * weight.sum(1)) / scale
        whole = torch.cat([constant[:, None], grid["step"] * weight / scale[:, None]], dim=1)
        rows.append(whole.detach().double().round().to(torch.int32).cpu().numpy())
    D = (combine * (first * second) / outputs[:, None]).detach().double().round().to(torch.int32).cpu().numpy()
    worth = outputs.detach().double().cpu().numpy()
    return Integers(rows[0], rows[1] if right is not None else None, D, worth, np.zeros(len(D)))
