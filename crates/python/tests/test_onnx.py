"""ONNX: the private part becomes integers, the head stays with onnxruntime."""

from __future__ import annotations

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
    with pytest.raises(ImportFailed, match="reads 144 numbers and gets 64"):
        halflight.onnx.load(model(), hl.handwriting())
