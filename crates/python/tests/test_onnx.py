"""ONNX: the private part becomes integers, the head stays with onnxruntime."""

from __future__ import annotations

from typing import Callable

import numpy as np
import pytest

import halflight as hl
from halflight.errors import ImportFailed

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

import halflight.onnx  # noqa: E402


def model(square: bool = True, rectified: bool = False) -> bytes:
    """Pixels → (scaled) → squares of 6 units → 3 outputs → tanh → 4 logits; tanh is no layer of ours."""
    rng = np.random.default_rng(0)
    weights = {
        "mean": np.array([0.1], np.float32),
        "p": rng.normal(size=(144, 6)).astype(np.float32) / 6,
        "pb": rng.normal(size=6).astype(np.float32),
        "d": rng.normal(size=(3, 6)).astype(np.float32),
        "db": rng.normal(size=3).astype(np.float32),
        "h": rng.normal(size=(3, 4)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("Sub", ["flat", "mean"], ["z"]),
        helper.make_node("MatMul", ["z", "p"], ["zp"]),
        helper.make_node("Add", ["zp", "pb"], ["units"], name="bias"),
        helper.make_node("Relu" if rectified else "Mul", ["units"] if rectified else ["units", "units"], ["products"], name="act"),
        helper.make_node("Gemm", ["products", "d", "db"], ["q"], transB=1),
        helper.make_node("Tanh", ["q"], ["bent"]),
        helper.make_node("MatMul", ["bent", "h"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes if square else nodes[:4],
        "model",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 12, 12])],
        [helper.make_tensor_value_info("logits" if square else "units", TensorProto.FLOAT, ["batch", 4 if square else 6])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made)
    return made.SerializeToString()


def test_a_model_is_cut_and_runs_on_ciphertexts(data: hl.Dataset, test: hl.Dataset) -> None:
    whole = ort.InferenceSession(model(), providers=["CPUExecutionProvider"])
    # The same levels as are encrypted, so that only the weights are rounded.
    expected = whole.run(None, {"x": (np.round(test.images / 17) / 15).astype(np.float32)})[0]
    cut = halflight.onnx.load(model(), data, left=6, combine=6)
    assert cut.cut == "q" and cut.compiled.width == 3
    assert np.array_equal(cut.compiled.P, cut.compiled.R)
    found = cut.run(test)
    assert found.shape == (600, 4) and np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.99
    authority = hl.setup(cut.compiled)
    ciphertexts = hl.encrypt(authority.parameters, test, items=[0, 9])
    assert np.array_equal(cut.predict(authority.issue(cut.compiled), ciphertexts), cut.run(test[[0, 9]]))


def test_what_does_not_fit_is_named(data: hl.Dataset) -> None:
    with pytest.raises(ImportFailed, match=r"node `act` \(Relu\)"):
        halflight.onnx.load(model(rectified=True), data)
    with pytest.raises(ImportFailed, match="no private part"):
        halflight.onnx.load(model(square=False), data)
    with pytest.raises(ImportFailed, match="reads 144 numbers but gets 64"):
        halflight.onnx.load(model(), hl.handwriting())


def graph(nodes: list, weights: dict, shape: list, outputs: int = 4) -> bytes:
    """A model from ``x`` to ``y``."""
    made = helper.make_model(
        helper.make_graph(
            nodes,
            "model",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", outputs])],
            [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.checker.check_model(made)
    return made.SerializeToString()


RNG = np.random.default_rng(0)


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def usual(*before: object, inputs: int = 144, shape: tuple = (12, 12), **weights: np.ndarray) -> bytes:
    """Nodes from ``x`` to ``z``, then ``(z·P)²·D``."""
    nodes = [
        *before,
        helper.make_node("Flatten", ["z"], ["flat"]),
        helper.make_node("MatMul", ["flat", "P"], ["units"]),
        helper.make_node("Mul", ["units", "units"], ["products"]),
        helper.make_node("MatMul", ["products", "D"], ["y"]),
    ]
    return graph(nodes, {"P": normal(inputs, 5), "D": normal(5, 4), **weights}, ["batch", *shape])


LINEAR = {
    "convolution": lambda: usual(
        helper.make_node("Conv", ["x", "w", "b"], ["z"], strides=[3, 3]), inputs=32, shape=(1, 12, 12), w=normal(2, 1, 3, 3), b=normal(2)
    ),
    "average pooling": lambda: usual(
        helper.make_node("AveragePool", ["x"], ["z"], kernel_shape=[2, 2], strides=[2, 2]), inputs=36, shape=(1, 12, 12)
    ),
    "transposition": lambda: usual(helper.make_node("Transpose", ["x"], ["z"], perm=[0, 2, 1])),
    "slice": lambda: usual(
        helper.make_node("Slice", ["x", "a", "b", "c"], ["z"]), inputs=60, a=np.array([2]), b=np.array([7]), c=np.array([1])
    ),
    "sum over rows": lambda: usual(helper.make_node("ReduceSum", ["x", "axes"], ["z"], keepdims=0), inputs=12, axes=np.array([1])),
    "scaling": lambda: usual(
        helper.make_node("Sub", ["one", "x"], ["less"]), helper.make_node("Div", ["less", "two"], ["z"]), one=normal(1), two=np.float32([2.0])
    ),
    "cast to float": lambda: usual(helper.make_node("Cast", ["x"], ["z"], to=TensorProto.FLOAT)),
    "power": lambda: graph(
        [
            helper.make_node("Flatten", ["x"], ["flat"]),
            helper.make_node("Gemm", ["flat", "P", "b"], ["units"], alpha=0.5, beta=2.0),
            helper.make_node("Pow", ["units", "two"], ["products"]),
            helper.make_node("Gemm", ["products", "D"], ["y"], transB=1),
        ],
        {"P": normal(144, 5), "b": normal(5), "two": np.float32([2.0]), "D": normal(4, 5)},
        ["batch", 12, 12],
    ),
}


@pytest.mark.parametrize("name", LINEAR)
def test_linear_operations_are_unrolled(name: str, data: hl.Dataset, test: hl.Dataset, tell: Callable[[str], None]) -> None:
    source = LINEAR[name]()
    session = ort.InferenceSession(source, providers=["CPUExecutionProvider"])
    shape = session.get_inputs()[0].shape[1:]
    expected = session.run(None, {"x": (np.round(test.images / 17) / 15).astype(np.float32).reshape(-1, *shape)})[0]
    parts = hl.onnx.load(source, data, left=8, combine=10)
    assert parts.difference < 1e-4
    agreement = np.corrcoef(parts.run(test).ravel(), expected.ravel())[0, 1]
    assert agreement > 0.999
    tell(f"ONNX, {name}: {parts.compiled.units} units, difference {parts.difference:.0e}, correlation in integers {agreement:.5f}")


NOT_LINEAR = {
    "cast to whole numbers": (lambda: usual(
        helper.make_node("Cast", ["x"], ["i"], to=TensorProto.INT32), helper.make_node("Cast", ["i"], ["z"], to=TensorProto.FLOAT)), "gives int32"),
    "cast to truth": (lambda: usual(
        helper.make_node("Cast", ["x"], ["i"], to=TensorProto.BOOL), helper.make_node("Cast", ["i"], ["z"], to=TensorProto.FLOAT)), "gives bool"),
    "rounding": (lambda: usual(helper.make_node("Round", ["x"], ["z"])), r"\(Round\) comes before"),
    "largest of": (lambda: usual(
        helper.make_node("MaxPool", ["x"], ["z"], kernel_shape=[2, 2], strides=[2, 2]), inputs=36, shape=(1, 12, 12)), r"\(MaxPool\) comes before"),
    "clip": (lambda: usual(helper.make_node("Clip", ["x", "low", "high"], ["z"]), low=np.float32(0.2), high=np.float32(0.4)), r"\(Clip\) comes before"),
    "quotient": (lambda: usual(helper.make_node("Div", ["one", "x"], ["z"]), one=np.float32([1.0])), r"\(Div\)"),
    "mean of the batch": (lambda: usual(
        helper.make_node("ReduceMean", ["x"], ["m"], axes=[0], keepdims=1), helper.make_node("Sub", ["x", "m"], ["z"])), r"\(ReduceMean\) mixes the items"),
    "other size": (lambda: usual(helper.make_node("Identity", ["x"], ["z"]), inputs=100, shape=(10, 10)), "reads 100 numbers but gets 144"),
}


@pytest.mark.parametrize("name", NOT_LINEAR)
def test_other_operations_are_named(name: str, data: hl.Dataset, tell: Callable[[str], None]) -> None:
    make, message = NOT_LINEAR[name]
    with pytest.raises(ImportFailed, match=message) as refused:
        hl.onnx.load(make(), data)
    tell(f"ONNX, {name}: refused, {str(refused.value)[:100]}")
