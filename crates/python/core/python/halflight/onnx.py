"""Models from ONNX: the private part up to a cut becomes integers, the rest runs in the clear by onnxruntime.

The cut is the first value that mixes products: the output of the first linear operation after a square or product of
linear operations on the inputs. The part after it may be any network that onnxruntime runs.
"""

from __future__ import annotations

from os import PathLike, fspath
from typing import Any, Optional, Union

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.utils import Extractor

from . import _chain as chain
from ._check import instance
from ._cut import CutModel
from ._forms import Integers, Precision, integers
from .compiled import CompiledNetwork
from .data import Dataset, Encoder
from .errors import ImportFailed

#: Items on which the model and what was read of it are compared.
_COMPARED = 64


class OnnxModel(CutModel):
    """A model in two parts; onnxruntime runs the part after the cut."""

    def __init__(
        self,
        rounded: Integers,
        compiled: CompiledNetwork,
        cut: str,
        difference: float = 0.0,
        head: bytes = b"",
        shape: tuple[int, ...] = (),
    ) -> None:
        super().__init__(rounded, compiled, cut, difference)
        self._shape = shape or (len(rounded.worth),)
        self._head: Optional[Any] = None
        if head:
            self._head = onnxruntime.InferenceSession(head, providers=["CPUExecutionProvider"])

    def public(self, q: NDArray[np.float32]) -> NDArray[np.float32]:
        """The model's results for values ``[N, S]`` at the cut; the values themselves without a head."""
        if self._head is None:
            return q
        name = self._head.get_inputs()[0].name
        given = {name: q.reshape(len(q), *self._shape)}
        return np.asarray(self._head.run(None, given)[0], dtype=np.float32)


def load(
    source: Union[str, "PathLike[str]", bytes],
    data: Dataset,
    *,
    encoder: Optional[Encoder] = None,
    left: int = 4,
    right: int = 4,
    combine: int = 5,
    main: str = "digit",
) -> OnnxModel:
    """Reads an ONNX model and cuts it.

    Any linear operations may precede the square or product: convolutions, average pooling, slices, transpositions. They
    are unrolled into one matrix of units by inputs.

    Parameters
    ----------
    source : path or bytes
        Its only input is ``z`` of the encoder, flat or as pictures in row order, float32, batch first.
    data : Dataset
        Items over which rounding is optimised; on the first 64 the model is compared with its imported form.
    encoder : Encoder, optional
        By default ``Encoder.pixels`` of the data's size with 4 bits: ``z = pixel / 255``.
    left, right, combine : int
        Bits of P, R and D, 2 to 16, signs included. A predictor finds outputs in ranges of up to ``2^42`` values; with
        more bits, ``model.compiled.bounds`` exceed that, and making a ``Predictor`` fails.

    Raises ``ImportFailed``, which names the node at fault.
    """
    model = onnx.load_model_from_string(source) if isinstance(source, bytes) else onnx.load(fspath(source))
    encoder = encoder or Encoder.pixels(*instance(data, Dataset, "data").size, bits=4)
    low, step, _ = encoder.grid
    z = low + step * encoder.encode(data[:_COMPARED])[0][:, 1:].astype(np.float64)
    stage, cut, shape = _walk(model, z, encoder)
    rounded = integers(stage.forms, encoder, data, Precision(left, right, combine))
    compiled = rounded.compiled(encoder, main, None)
    outputs = [output.name for output in model.graph.output]
    head = b"" if cut in outputs else _rest(model, cut, outputs, shape)
    made = OnnxModel(rounded, compiled, cut, 0.0, head, shape)
    made.difference = _compare(model, z, encoder, made.public(chain.outputs(stage.forms, z).astype(np.float32)))
    return made


def _shapes(columns: int, encoder: Encoder) -> list[tuple[int, ...]]:
    height, width = encoder.size
    pictures = [(1, height, width), (height, width)] if height * width == columns else []
    return [(columns,), *pictures]


def _input(graph: Any, columns: int, encoder: Encoder) -> tuple[str, list[tuple[int, ...]]]:
    """The name of the model's input, and the shapes that an item can have there."""
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    if len(inputs) != 1:
        raise ImportFailed(f"the model has the inputs {[value.name for value in inputs]}: only one is encrypted")
    dims = [dim.dim_value for dim in inputs[0].type.tensor_type.shape.dim][1:]
    if dims and all(dims):
        if int(np.prod(dims)) != columns:
            raise ImportFailed(f"the model reads {int(np.prod(dims))} numbers but gets {columns}: check the size of the images")
        return inputs[0].name, [tuple(dims)]
    return inputs[0].name, _shapes(columns, encoder)


def _walk(model: Any, z: chain.Matrix, encoder: Encoder) -> tuple[chain.Head, str, tuple[int, ...]]:
    """The stage after the cut, the cut's name, and the shape of an item there."""
    name, shapes = _input(model.graph, z.shape[1], encoder)
    tries = chain.Tries("the model does nothing")
    for shape in shapes:
        done = 0
        values: dict[str, Any] = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        values[name] = chain.inputs(z, shape)
        try:
            for node in model.graph.node:
                for output, value in zip(node.output, _node(model, node, values)):
                    values[output] = value
                    if isinstance(value, chain.Traced) and isinstance(value.stage, chain.Head):
                        return value.stage, output, tuple(value.rows.shape[1:])
                done += 1
            raise ImportFailed(f"the model has no private part: {chain.SHAPE}")
        except ImportFailed as error:
            tries.failed(done, error)
    raise tries.error


def _node(model: Any, node: Any, values: dict[str, Any]) -> list[Any]:
    """The outputs of one node: on the probes if it depends on the input, unchanged if it does not."""
    what = f"node `{node.name or node.output[0]}` ({node.op_type})"
    given = {name: values[name] for name in node.input if name in values}
    traced = [value for value in given.values() if isinstance(value, chain.Traced)]
    if not traced:
        return _run(model, node, given, what)
    value = traced[0]
    if any(other.stage is not value.stage for other in traced):
        raise ImportFailed(f"{what} joins two parts of the model on different sides of a product: {chain.SHAPE}")
    kind = node.op_type
    if kind == "Mul" and all(isinstance(values.get(name), chain.Traced) for name in node.input):
        return [chain.multiply(values[node.input[0]], values[node.input[1]], what)]
    if kind == "Pow" and not isinstance(values.get(node.input[1]), chain.Traced) and np.all(values[node.input[1]] == 2):
        return [chain.multiply(value, value, what)]
    rows = {name: part.rows if isinstance(part, chain.Traced) else _double(part) for name, part in given.items()}
    found = _run(model, node, rows, what)
    if kind in ("Shape", "Size"):
        return found
    made: list[Any] = []
    for output in found:
        array = np.asarray(output)
        if array.dtype.kind == "b" and kind == "Dropout":
            made.append(array)
        elif array.dtype.kind != "f":
            raise ImportFailed(f"{what} gives {array.dtype}, which truncates numbers: {chain.SHAPE}")
        else:
            made.append(chain.after(value, array.astype(np.float64), what))
    return made


def _double(constant: Any) -> Any:
    """The probes are in 64 bits, so both sides of an operation must be too."""
    return constant.astype(np.float64) if getattr(constant, "dtype", None) == np.float32 else constant


def _run(model: Any, node: Any, given: dict[str, Any], what: str) -> list[Any]:
    opsets = {entry.domain: entry.version for entry in model.opset_import}
    try:
        evaluator = ReferenceEvaluator(node, opsets=opsets)
        with np.errstate(all="ignore"):
            found: Any = evaluator.run(None, given)
        return list(found)
    except Exception as error:  # The reference raises what numpy and its own operators raise.
        text = str(error).split("\n")[0]
        raise chain.Unfit(f"{what} cannot be run on items of this shape ({type(error).__name__}: {text})") from error


def _compare(model: Any, z: chain.Matrix, encoder: Encoder, read: NDArray[np.float32]) -> float:
    """The largest difference between the model and its two parts, as a fraction of the largest number."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    name, shapes = _input(model.graph, z.shape[1], encoder)
    least = float("inf")
    for shape in shapes:
        try:
            given = {name: z.astype(np.float32).reshape(len(z), *shape)}
            own: NDArray[Any] = np.asarray(session.run(None, given)[0], dtype=np.float64)
        except Exception:  # Another shape may work; onnxruntime has its own exceptions.
            continue
        if own.shape == read.shape:
            least = min(least, chain.difference(own, read.astype(np.float64)))
    # Both run in 32 bits.
    if not least <= 1e-3:
        raise ImportFailed(
            f"the model and what was read of it differ by {least:.1e} of the largest number on {len(z)} items of the data: an "
            "operation depends on the batch or on chance"
        )
    return least


def _rest(model: Any, cut: str, outputs: list[str], shape: tuple[int, ...]) -> bytes:
    """The part of the model from the cut on, as a separate model."""
    whole = onnx.ModelProto()
    whole.CopyFrom(model)
    known = {value.name for value in whole.graph.value_info}
    if cut not in known:
        shaped = onnx.helper.make_tensor_value_info(cut, onnx.TensorProto.FLOAT, ["batch", *shape])
        whole.graph.value_info.append(shaped)
    head: bytes = Extractor(whole).extract_model([cut], outputs).SerializeToString()
    return head
