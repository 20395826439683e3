"""Training, compiling, integers from elsewhere."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

import halflight as hl
from halflight.errors import CompileError, EvaluateError, FileError, ImportFailed, OptionError, TrainError


def test_a_network_predicts_and_is_deterministic(
    network: hl.Network, data: hl.Dataset, test: hl.Dataset, tmp_path: pathlib.Path
) -> None:
    outputs = network.outputs(test)
    assert outputs.dtype == np.float32 and outputs.shape == (600, 3)
    probabilities = network.predict_proba(test)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert np.array_equal(probabilities.argmax(axis=1), network.predict(test))
    share = 100 * (network.predict(test) == test.labels("character")).mean()
    assert network.accuracy(test) == pytest.approx(share, abs=1e-3) and share > 60
    assert network.record["options"]["units"] == 12 and network.classes == list("0147")
    network.save(tmp_path / "network.safetensors")
    assert np.array_equal(hl.Network.load(tmp_path / "network.safetensors").outputs(test), outputs)
    again = hl.train(data, test, collateral="font", units=12, outputs=3, head=[16], steps=120, batch=200)
    assert np.array_equal(again.outputs(test), outputs)


def test_every_defence_runs(data: hl.Dataset, test: hl.Dataset) -> None:
    short = dict(units=4, outputs=2, head=[8], steps=4, batch=160)
    assert list(hl.defences()) == ["none", "paper", "maxent", "ensemble", "match", "certify"]
    for defence in hl.defences():
        single = defence in ["none", "match", "certify"]
        noise = 0.2 if defence == "certify" else 0.0
        given = {} if single else {"epochs": [1, 1, 0], "adversaries": [{"feedforward": [8]}]}
        network = hl.train(data, test, collateral="font", defence=defence, defence_options=given, noise=noise, **short)
        assert network.width == 2 and defence in str(network.record["options"]["defence"])


def test_options_of_a_defence_go_before_those_of_a_preset(data: hl.Dataset, test: hl.Dataset) -> None:
    for preset in ["quick", "thorough"]:
        network = hl.train(
            data,
            test,
            collateral="font",
            defence="match",
            defence_options={"weight": 7},
            preset=preset,
            units=4,
            outputs=2,
            head=[8],
            steps=2,
            batch=160,
        )
        assert network.record["options"]["defence"]["match"]["weight"] == 7


def test_training_refuses_by_name(data: hl.Dataset, test: hl.Dataset) -> None:
    with pytest.raises(OptionError, match="stepz"):
        hl.train(data, test, stepz=4)
    with pytest.raises(OptionError, match="choose one of none, paper"):
        hl.train(data, test, defence="magic")
    with pytest.raises(OptionError, match="wait"):
        hl.train(data, test, collateral="font", defence="match", defence_options={"wait": 3})
    with pytest.raises(TrainError, match="`units` is 0"):
        hl.train(data, test, units=0)
    with pytest.raises(TrainError) as raised:
        hl.train(data, test, main="colour")
    assert raised.value.kind == "Dataset"


def test_integers_are_exact(compiled: hl.CompiledNetwork, test: hl.Dataset, tmp_path: pathlib.Path) -> None:
    u, v = compiled.encoder.encode(test)
    P, R, D = (matrix.astype(np.int64) for matrix in (compiled.P, compiled.R, compiled.D))
    by_numpy = ((u @ P.T) * (v @ R.T)) @ D.T
    outputs = compiled.evaluate(test)
    assert outputs.dtype == np.int64 and np.array_equal(outputs, by_numpy)
    assert np.array_equal(compiled.evaluate_encoded(u[3], v[3]), outputs[3])
    for column, (low, high) in zip(outputs.T, compiled.bounds):
        assert low <= column.min() and column.max() <= high
    report = compiled.report
    assert report is not None and report["inputs"] == list(compiled.inputs)
    assert compiled.accuracy(test) > 60 and compiled.main == "character"
    compiled.save(tmp_path / "compiled.safetensors")
    back = hl.CompiledNetwork.load(tmp_path / "compiled.safetensors")
    assert back.hash == compiled.hash and len(back.hash) == 64
    changed = bytearray((tmp_path / "compiled.safetensors").read_bytes())
    changed[-1] ^= 1
    (tmp_path / "changed.safetensors").write_bytes(changed)
    with pytest.raises(FileError):
        hl.CompiledNetwork.load(tmp_path / "changed.safetensors")


def test_compiling_refuses_by_name(network: hl.Network, data: hl.Dataset) -> None:
    with pytest.raises(CompileError, match="log_bits"):
        hl.compile(network, data, steps=0, log_bits=3)
    with pytest.raises(CompileError, match="precision.left"):
        hl.compile(network, data, precision={"left": 99})
    with pytest.raises(OptionError, match="preset"):
        hl.compile(network, data, preset="slow")


def test_integers_from_elsewhere() -> None:
    encoder = hl.Encoder.pixels(1, 2, bits=4)
    # f = ((1 + u1)·(2 u2), (u1)·(u1))
    P = np.array([[1, 1, 0], [0, 1, 0]])
    R = np.array([[0, 0, 2], [0, 1, 0]])
    compiled = hl.CompiledNetwork.from_integers(P, R, np.eye(2, dtype=int), encoder=encoder, classes=["a", "b"])
    images = np.array([[[51, 102]], [[255, 0]]], dtype=np.uint8)
    assert compiled.evaluate(hl.Dataset(images, {})).tolist() == [[(1 + 3) * 12, 9], [0, 225]]
    assert compiled.predict(hl.Dataset(images, {})).tolist() == [0, 1]
    squares = hl.CompiledNetwork.from_integers(P, None, [[1, 1]], encoder=encoder)
    assert squares.evaluate(hl.Dataset(images, {})).tolist() == [[16 + 9], [256 + 225]]
    with pytest.raises(ImportFailed, match="`P` has shape"):
        hl.CompiledNetwork.from_integers(P[:, :2], R, np.eye(2), encoder=encoder)
    with pytest.raises(ImportFailed, match="whole numbers"):
        hl.CompiledNetwork.from_integers(P + 0.5, R, np.eye(2), encoder=encoder)
    with pytest.raises(EvaluateError, match="columns"):
        compiled.head([[1, 2, 3]])
