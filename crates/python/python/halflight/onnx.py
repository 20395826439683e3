"""Models from ONNX: the private part up to a cut becomes integers, the rest runs in the clear by onnxruntime.

The cut is the output of the first linear layer after a square or product of linear layers. What comes after it may
be any network that onnxruntime runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike, fspath
from typing import Any, Optional, Union

import numpy as np
import onnx
import onnxruntime
from numpy.typing import ArrayLike, NDArray
from onnx import numpy_helper
from onnx.utils import Extractor

from . import _chain as chain
from ._forms import Forms, Precision, integers
from ._progress import Progress
from .cipher import Ciphertext, Predictor
from .compiled import CompiledNetwork
from .data import Dataset, Encoder
from .errors import ImportFailed
from .keys import FunctionalKey


class OnnxModel:
    """An ONNX model in two parts.

    Attributes
    ----------
    compiled : CompiledNetwork
        The private part in integers: for ``hl.setup``, ``issue``, ``encrypt`` and audits.
    worth, shift : float64 ``[S]``
        ``q ≈ worth · output + shift``, what the head reads.
    cut : str
        Name of the tensor at the cut.
    """

    def __init__(
        self, compiled: CompiledNetwork, worth: NDArray[np.float64], shift: NDArray[np.float64], cut: str, head: bytes
    ) -> None:
        self.compiled = compiled
        self.worth = worth
        self.shift = shift
        self.cut = cut
        self._head: Optional[Any] = None
        if head:
            self._head = onnxruntime.InferenceSession(head, providers=["CPUExecutionProvider"])

    def head(self, outputs: ArrayLike) -> NDArray[np.float32]:
        """What the model gives for integer outputs ``[N, S]``, by onnxruntime; ``q`` itself without a head."""
        q = (self.worth * np.asarray(outputs, dtype=np.float64) + self.shift).astype(np.float32)
        if self._head is None:
            return q
        name = self._head.get_inputs()[0].name
        found: NDArray[np.float32] = np.asarray(self._head.run(None, {name: q})[0], dtype=np.float32)
        return found

    def run(self, data: Dataset) -> NDArray[np.float32]:
        """The whole model in the clear, with the private part in integers: ``[N, C]``."""
        return self.head(self.compiled.evaluate(data))

    def predict(
        self, key: FunctionalKey, ciphertexts: Iterable[Ciphertext], *, progress: Progress = None
    ) -> NDArray[np.float32]:
        """The whole model on ciphertexts: equal to :meth:`run` on their items."""
        return self.head(Predictor(key, self.compiled).evaluate(ciphertexts, progress=progress))


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

    Parameters
    ----------
    source : path or bytes
        Its one input is ``z`` of the encoder, flat or as pictures in row order, float32, batch first.
    data : Dataset
        Items over which the rounding loses least.
    encoder : Encoder, optional
        By default ``Encoder.pixels`` of the data's size with 4 bits: ``z = pixel / 255``.
    left, right, combine : int
        Bits of P, R and D, 2 to 16, signs included. A predictor finds outputs in ranges of up to ``2^42`` values;
        with more bits, ``model.compiled.bounds`` leave that, and making a ``Predictor`` says so.

    Raises ``ImportFailed``, which names the node that does not fit.
    """
    model = onnx.load_model_from_string(source) if isinstance(source, bytes) else onnx.load(fspath(source))
    encoder = encoder or Encoder.pixels(*data.size, bits=4)
    forms, cut = _walk(model.graph, encoder.inputs[0] - 1)
    rounded = integers(forms, encoder, data, Precision(left, right, combine))
    compiled = rounded.compiled(encoder, main, None)
    outputs = [output.name for output in model.graph.output]
    head = b"" if cut in outputs else _rest(model, cut, outputs, compiled.width)
    return OnnxModel(compiled, rounded.worth, rounded.shift, cut, head)


def _walk(graph: Any, columns: int) -> tuple[Forms, str]:
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    inputs = [value.name for value in graph.input if value.name not in constants]
    if len(inputs) != 1:
        raise ImportFailed(f"the model has the inputs {inputs}: only one is encrypted")
    values: dict[str, chain.Value] = {inputs[0]: chain.inputs(columns)}
    for node in graph.node:
        if node.op_type == "Constant":
            constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
            continue
        if not any(name in values for name in node.input):
            continue  # Shapes and the like.
        found = _node(node, values, constants)
        values[node.output[0]] = found
        if isinstance(found, chain.Headed):
            # A bias of its own node belongs to the layer.
            after = [other for other in graph.node if node.output[0] in other.input]
            if len(after) == 1 and after[0].op_type == "Add" and node.op_type == "MatMul":
                continue
            if found.layers:
                weight, bias = found.layers[0]
                found.forms.combine = (weight @ found.forms.combine[0], weight @ found.forms.combine[1] + bias)
            return found.forms, str(node.output[0])
    raise ImportFailed(f"the model has no private part: {chain.SHAPE}")


_IDENTITY = {"Flatten", "Reshape", "Identity", "Dropout", "Cast", "Squeeze"}


def _node(node: Any, values: dict[str, chain.Value], constants: dict[str, Any]) -> chain.Value:
    what = f"node `{node.name or node.output[0]}` ({node.op_type})"
    arguments = [values.get(name, constants.get(name)) for name in node.input]
    options = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    a, rest = arguments[0], arguments[1:]
    if node.op_type in _IDENTITY and isinstance(a, chain.VALUES):
        return a
    if node.op_type in ("Gemm", "MatMul") and isinstance(a, chain.VALUES):
        weight = _constant(rest[0], what) * float(options.get("alpha", 1.0))
        bias = _constant(rest[1], what) * float(options.get("beta", 1.0)) if len(rest) > 1 else None
        return chain.linear(a, weight if options.get("transB", 0) else weight.T, bias, what)
    if node.op_type == "Pow" and isinstance(a, chain.VALUES) and np.all(_constant(rest[0], what) == 2):
        return chain.multiply(a, a, what)
    if node.op_type == "BatchNormalization" and isinstance(a, chain.VALUES):
        gain, shift, mean, variance = (_constant(value, what) for value in rest)
        factor = gain / np.sqrt(variance + float(options.get("epsilon", 1e-5)))
        return chain.scale(a, factor, shift - mean * factor, what)
    if node.op_type in ("Add", "Sub", "Mul", "Div"):
        return _binary(node.op_type, a, rest[0], what)
    raise ImportFailed(f"{what} has no place in the private part: {chain.SHAPE}")


def _binary(kind: str, a: Any, b: Any, what: str) -> chain.Value:
    if isinstance(a, chain.VALUES) and isinstance(b, chain.VALUES):
        if kind != "Mul":
            raise ImportFailed(f"{what} joins two parts of the model: only products of two linear layers are supported")
        return chain.multiply(a, b, what)
    if isinstance(a, chain.VALUES):
        number = _constant(b, what)
        if kind in ("Mul", "Div"):
            return chain.scale(a, number if kind == "Mul" else 1.0 / number, 0.0, what)
        return chain.scale(a, 1.0, number if kind == "Add" else -number, what)
    number = _constant(a, what)
    if kind == "Div":
        raise ImportFailed(f"{what} divides by a part of the model: under encryption there are sums and products only")
    if kind == "Mul":
        return chain.scale(b, number, 0.0, what)
    return chain.scale(b, 1.0 if kind == "Add" else -1.0, number, what)


def _constant(value: Any, what: str) -> Any:
    if value is None or isinstance(value, chain.VALUES):
        raise ImportFailed(f"{what} needs a constant weight: fold constants when exporting")
    return np.asarray(value, dtype=np.float64)


def _rest(model: Any, cut: str, outputs: list[str], width: int) -> bytes:
    """The model from the cut on, as a model of its own."""
    whole = onnx.ModelProto()
    whole.CopyFrom(model)
    known = {value.name for value in whole.graph.value_info}
    if cut not in known:
        shape = onnx.helper.make_tensor_value_info(cut, onnx.TensorProto.FLOAT, ["batch", width])
        whole.graph.value_info.append(shape)
    head: bytes = Extractor(whole).extract_model([cut], outputs).SerializeToString()
    return head
