"""Reads a torch model of the supported shape, node by node of its traced graph."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, Optional

import numpy as np
import torch
from torch import fx, nn

from .. import _chain as chain
from .._forms import Integers, Precision, best_scales, network
from ..data import Dataset, Encoder
from ..errors import ImportFailed
from ..networks import Network
from .modules import PrivateQuadratic


def load(
    model: nn.Module,
    data: Dataset,
    *,
    encoder: Optional[Encoder] = None,
    main: str = "digit",
    collateral: Sequence[str] = (),
) -> Network:
    """A torch model as a network that :func:`halflight.compile` takes.

    Parameters
    ----------
    model : nn.Module
        Of the supported shape (see :mod:`halflight.torch`); its one input is ``z`` of the encoder, flat or as
        pictures in row order. For a saved state dict, make the model and ``load_state_dict`` first.
    data : Dataset
        Labelled items to measure the accuracy on, and whose classes of ``main`` name the logits.
    encoder : Encoder, optional
        By default ``Encoder.pixels`` of the data's size: ``z = pixel / 255``. Further scaling, such as
        ``(x − mean) / std``, belongs into the model's forward.
    main, collateral : str, list of str
        Label columns for compiling and audits.

    Returns
    -------
    Network
        Computes what the model does, to rounding of float32.

    Raises
    ------
    ImportFailed
        Names the layer or operation that does not fit, and what would.
    """
    encoder = encoder or Encoder.pixels(*data.size)
    columns = encoder.inputs[0] - 1
    value = trace(model, columns)
    forms, head = chain.finish(value)
    if not data.names or main not in data.names:
        raise ImportFailed(f"the data have no label `{main}`: they have {data.names}")
    source = f"PyTorch {torch.__version__}, {type(model).__name__}"
    return network(forms, head, encoder=encoder, data=data, main=main, collateral=collateral, source=source)


def trace(model: nn.Module, columns: int) -> chain.Value:
    """What the model computes of ``columns`` inputs, by its traced graph."""
    tracer = _Tracer()
    was_training = model.training
    model.eval()
    try:
        graph = tracer.trace(model)
    except Exception as error:  # Tracing runs the model's own forward, which may raise anything.
        raise ImportFailed(
            f"the model cannot be traced ({type(error).__name__}: {error}): write its forward without branches on values, "
            "or as an nn.Sequential"
        ) from error
    finally:
        model.train(was_training)
    values: dict[fx.Node, Any] = {}
    for node in graph.nodes:
        found = _evaluate(model, node, values, columns)
        if node.op == "output":
            if not isinstance(found, chain.VALUES):
                raise ImportFailed("the model must return one tensor")
            return found
        values[node] = found
    raise ImportFailed("the model returns nothing")


class _Tracer(fx.Tracer):  # type: ignore[misc, unused-ignore]
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        if isinstance(m, PrivateQuadratic):
            return True
        leaf: bool = super().is_leaf_module(m, module_qualified_name)
        return leaf


_IDENTITY = {
    torch.flatten,
    torch.reshape,
    torch.squeeze,
    nn.functional.dropout,
    "flatten",
    "view",
    "reshape",
    "squeeze",
    "contiguous",
    "float",
}
_SHAPES = {"size", "dim", getattr}
_BINARY = {
    operator.mul: "mul",
    torch.mul: "mul",
    "mul": "mul",
    operator.add: "add",
    torch.add: "add",
    "add": "add",
    operator.sub: "sub",
    torch.sub: "sub",
    "sub": "sub",
    operator.truediv: "div",
    torch.div: "div",
    torch.true_divide: "div",
    "div": "div",
}
_POWERS = {operator.pow, torch.pow, "pow"}
_SQUARES = {torch.square, "square"}
_RELU = {torch.relu, nn.functional.relu, "relu", "relu_"}
_LAST = {torch.softmax, torch.log_softmax, nn.functional.softmax, nn.functional.log_softmax, "softmax", "log_softmax"}


def _evaluate(model: nn.Module, node: fx.Node, values: dict[fx.Node, Any], columns: int) -> Any:
    arguments = [_known(argument, values) for argument in node.args]
    if node.op == "placeholder":
        if any(isinstance(value, chain.VALUES) for value in values.values()):
            raise ImportFailed(f"the model has a second input `{node.target}`: only one is encrypted")
        return chain.inputs(columns)
    if node.op == "output":
        return arguments[0]
    if node.op == "get_attr":
        constant: Any = model
        for part in str(node.target).split("."):
            constant = getattr(constant, part)
        return constant
    if node.op == "call_module":
        return _module(model.get_submodule(str(node.target)), str(node.target), arguments[0])
    if not any(isinstance(argument, chain.VALUES) for argument in arguments):
        return None  # Shapes and the like.
    return _function(node, arguments)


def _known(argument: Any, values: dict[fx.Node, Any]) -> Any:
    return values[argument] if isinstance(argument, fx.Node) else argument


def _module(layer: nn.Module, name: str, value: Any) -> chain.Value:
    what = f"layer `{name}` ({type(layer).__name__})"
    if not isinstance(value, chain.VALUES):
        raise ImportFailed(f"{what} reads something else than the model's input")
    if isinstance(layer, PrivateQuadratic):
        return _private(layer, value, what)
    if isinstance(layer, (nn.Flatten, nn.Identity, nn.Dropout)):
        return value
    if isinstance(layer, nn.Linear):
        bias = None if layer.bias is None else _array(layer.bias)
        return chain.linear(value, _array(layer.weight), bias, what)
    if isinstance(layer, nn.BatchNorm1d):
        return _batch_norm(layer, value, what)
    if isinstance(layer, nn.ReLU):
        return chain.relu(value, what)
    if isinstance(layer, (nn.Softmax, nn.LogSoftmax)):
        return chain.last(value, what)
    raise ImportFailed(f"{what} has no place in the supported shape: {chain.SHAPE}")


def _private(layer: PrivateQuadratic, value: chain.Value, what: str) -> chain.Value:
    (left, left_bias), right, combine = layer.weights()
    first = chain.linear(value, _array(left), _array(left_bias), what)
    second = first
    if right is not None:
        weight = _array(right[0])
        if layer.columns is not None:
            wide = np.zeros((weight.shape[0], layer.left.in_features))
            wide[:, layer.columns.cpu().numpy()] = weight
            weight = wide
        second = chain.linear(value, weight, _array(right[1]), what)
    return chain.linear(chain.multiply(first, second, what), _array(combine), None, what)


def _batch_norm(layer: nn.BatchNorm1d, value: chain.Value, what: str) -> chain.Value:
    if layer.running_mean is None or layer.running_var is None:
        raise ImportFailed(f"{what} keeps no running statistics: set track_running_stats=True, so that it can be folded in")
    scale = 1.0 / np.sqrt(_array(layer.running_var) + layer.eps)
    if layer.weight is not None:
        scale = scale * _array(layer.weight)
    shift = -_array(layer.running_mean) * scale
    if layer.bias is not None:
        shift = shift + _array(layer.bias)
    return chain.scale(value, scale, shift, what)


def _function(node: fx.Node, arguments: list[Any]) -> Any:
    target, what = node.target, f"operation `{node.name}`"
    value, rest = arguments[0], arguments[1:]
    if target in _IDENTITY:
        return value
    if target in _SHAPES:
        return None
    if target is nn.functional.linear:
        weight, bias = (*rest, node.kwargs.get("bias"), None)[:2]
        return chain.linear(value, _array(weight), None if bias is None else _array(bias), what)
    if target in _RELU:
        return chain.relu(value, what)
    if target in _LAST:
        return chain.last(value, what)
    if target in _SQUARES or (target in _POWERS and rest == [2]):
        return chain.multiply(value, value, what)
    if target in _BINARY:
        return _binary(_BINARY[target], value, rest[0], what)
    raise ImportFailed(f"{what} has no place in the supported shape: {chain.SHAPE}")


def _binary(kind: str, a: Any, b: Any, what: str) -> chain.Value:
    if isinstance(a, chain.VALUES) and isinstance(b, chain.VALUES):
        if kind != "mul":
            raise ImportFailed(f"{what} adds two parts of the model: only products of two linear layers are supported")
        return chain.multiply(a, b, what)
    if isinstance(a, chain.VALUES):
        number = _array(b)
        if kind == "mul":
            return chain.scale(a, number, 0.0, what)
        if kind == "div":
            return chain.scale(a, 1.0 / number, 0.0, what)
        return chain.scale(a, 1.0, number if kind == "add" else -number, what)
    number = _array(a)
    if kind == "div":
        raise ImportFailed(f"{what} divides by a part of the model: under encryption there are sums and products only")
    if kind == "mul":
        return chain.scale(b, number, 0.0, what)
    return chain.scale(b, 1.0 if kind == "add" else -1.0, number, what)


def _array(values: Any) -> Any:
    if isinstance(values, torch.Tensor):
        return values.detach().cpu().double().numpy().reshape(values.shape)
    return np.asarray(values, dtype=np.float64)


def levels(encoder: Encoder, data: Dataset) -> torch.Tensor:
    """Inputs on the encoder's grid, ``low + step · level``: float ``[N, n − 1]``, what is really encrypted."""
    low, step, _ = encoder.grid
    return torch.from_numpy((low + step * encoder.encode(data)[0][:, 1:]).astype(np.float32))


def grid_of(
    layer: PrivateQuadratic, encoder: Encoder, data: Dataset, precision: Precision
) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """The grid of a layer's rounded weights, and first scales, chosen over the levels of ``data``."""
    low, step, _ = encoder.grid
    u, v = encoder.encode(data)
    like = layer.left.weight
    (left, left_bias), right, combine = layer.weights()
    rows = [best_scales(step * _array(left), (u[:, 1:].astype(float) ** 2).mean(0), precision.left)]
    z = low + step * u[:, 1:]
    product = z @ _array(left).T + _array(left_bias)
    if right is None:
        product = product**2
        worth = rows[0] ** 2
    else:
        rows.append(best_scales(step * _array(right[0]), (v[:, 1:].astype(float) ** 2).mean(0), precision.right))
        product = product * ((low + step * v[:, 1:]) @ _array(right[0]).T + _array(right[1]))
        worth = rows[0] * rows[1]
    outputs = best_scales(_array(combine) * worth, product.var(axis=0) / worth**2, precision.combine)
    tensors = [torch.as_tensor(scale, dtype=like.dtype, device=like.device) for scale in (*rows, outputs)]
    names = ["left", "right", "outputs"] if right is not None else ["left", "outputs"]
    bits = (precision.left, precision.right, precision.combine)
    return {"low": low, "step": step, "bits": bits}, dict(zip(names, tensors))


def to_integers(layer: PrivateQuadratic) -> Integers:
    """The integers of a layer that :meth:`PrivateQuadratic.quantise` prepared, as the forward pass reads them.

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
