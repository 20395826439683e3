"""Reports and attackers."""

from __future__ import annotations

import json
import pathlib

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

import halflight as hl
from halflight.errors import AuditError


def leak(items: int, strength: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    main, collateral = rng.integers(0, 2, (2, items))
    outputs = rng.normal(size=(items, 2)) + np.stack([3.0 * main, strength * collateral], axis=1)
    return outputs, main, collateral


def test_a_report_finds_what_is_there(tmp_path: pathlib.Path) -> None:
    options = dict(families=["logistic", "knn-15"], vote=[1, 5])
    loud = hl.audit(None, leak(1500, 4.0, 1), leak(800, 4.0, 2), **options)
    silent = hl.audit(None, leak(1500, 0.0, 1), leak(800, 0.0, 2), **options)
    assert loud.strongest.low > 90 and silent.strongest_pooled.low < 52 < 60 < loud.strongest_pooled.high
    assert loud.floor is not None and loud.floor.low < 52
    assert "chance" in str(loud.strongest) and loud.strongest.family in ("logistic", "knn-15")
    assert [vote["k"] for vote in loud.vote] == [1, 5]
    assert json.loads(loud.to_json()) == loud.to_dict()
    assert hl.AuditReport.from_json(loud.to_json()).strongest == loud.strongest
    shown = loud._repr_html_()
    assert shown.startswith("<iframe") and "&lt;html" in shown and "<script" not in loud.html()
    loud.save(tmp_path / "report.html")
    loud.save(tmp_path / "report.json")
    assert "logistic" in (tmp_path / "report.html").read_text()
    assert json.loads((tmp_path / "report.json").read_text())["strongest"]["family"] == loud.strongest.family


def test_networks_are_audited_as_they_are(
    network: hl.Network, compiled: hl.CompiledNetwork, data: hl.Dataset, test: hl.Dataset
) -> None:
    for audited in (network, compiled):
        report = hl.audit(audited, data, test, families=["knn-7"], vote=[], control=False)
        assert report.to_dict()["main_classes"] == list("0147") and report.floor is None
        assert 40 < report.strongest_pooled.accuracy <= 100


def test_refusals_name_split_and_row() -> None:
    outputs, main, collateral = leak(100, 1.0, 0)
    outputs[7, 1] = np.nan
    with pytest.raises(AuditError, match="row 7, column 1"):
        hl.audit(None, (outputs, main, collateral), leak(100, 1.0, 1))
    with pytest.raises(AuditError, match="unknown attacker"):
        hl.audit(None, leak(100, 1.0, 0), leak(100, 1.0, 1), families=["sorcery"])
    with pytest.raises(TypeError, match="outputs, main, collateral"):
        hl.audit(None, hl.handwriting(), hl.handwriting())


def test_attackers_follow_scikit_learn() -> None:
    outputs, main, collateral = leak(600, 3.0, 3)
    names = np.array(["cursive", "serif"])[collateral]
    attacker = hl.Attacker("knn-15").fit(outputs, names, main)
    asked, asked_main, truth = leak(300, 3.0, 4)
    assert attacker.score(asked, np.array(["cursive", "serif"])[truth], asked_main) > 0.85
    assert np.allclose(attacker.predict_proba(asked, asked_main).sum(axis=1), 1, atol=1e-4)
    assert set(attacker.predict(asked[:10], asked_main[:10])) <= {"cursive", "serif"}
    assert clone(attacker).get_params() == {"family": "knn-15", "seed": 0}
    assert cross_val_score(hl.Attacker("logistic"), outputs, names, cv=3).mean() > 0.85
    with pytest.raises(ValueError, match="to neither"):
        attacker.predict(asked)
    with pytest.raises(ValueError, match="main class 9"):
        attacker.predict(asked[:1], [9])
    with pytest.raises(ValueError, match="depth"):
        attacker.set_params(depth=3)
    assert "knn-15" in hl.families() and set(hl.families()) < set(hl.families("full")) | {"forest-5"}


def test_the_classifier_follows_scikit_learn(data: hl.Dataset, test: hl.Dataset) -> None:
    named = np.array(list("0147"))
    X, y, fonts = data.images, named[data.labels("character")], data.labels("font")
    model = hl.PrivateClassifier(units=12, outputs=3, steps=120, compile_steps=20)
    assert model.fit(X, y, fonts) is model
    truth = named[test.labels("character")]
    assert model.score(test.images, truth) == pytest.approx((model.predict(test.images) == truth).mean())
    assert model.score(test.images, truth) > 0.6 and list(model.classes_) == list("0147")
    assert np.array_equal(model.transform(test.images), model.compiled_.evaluate(test))
    copy = clone(model)
    assert not hasattr(copy, "compiled_") and copy.get_params() == model.get_params()


def blind() -> tuple[hl.CompiledNetwork, hl.Dataset, hl.Dataset]:
    """``D = 2^16·main + attribute``: the last pixel of every picture is 0 or 1 and means the attribute."""

    def pictures(items: int, seed: int) -> hl.Dataset:
        rng = np.random.default_rng(seed)
        main, attribute = rng.integers(0, 3, items), rng.integers(0, 2, items)
        images = rng.integers(0, 120, (items, 3, 3)).astype(np.uint8)
        images[np.arange(items), main, :2] += 130
        images[:, 2, 2] = attribute
        return hl.Dataset(images, {"column": main, "font": attribute})

    P = np.zeros((4, 10), dtype=np.int64)
    R = np.zeros((4, 10), dtype=np.int64)
    for row in range(3):
        P[row, 1 + 3 * row : 3 + 3 * row] = [7, 11]
        R[row, 1 + 3 * row : 3 + 3 * row] = [5, 3]
    P[3, 9], R[3, 0] = 1, 1
    D = np.concatenate([2**16 * np.eye(3, dtype=np.int64), np.ones((3, 1), dtype=np.int64)], axis=1)
    encoder = hl.Encoder.pixels(3, 3, bits=8)
    network = hl.CompiledNetwork.from_integers(P, R, D, encoder=encoder, main="column")
    return network, pictures(3000, 1), pictures(1000, 2)


def test_an_attribute_in_the_low_bits_is_found() -> None:
    network, train, test = blind()
    outputs = network.evaluate(test)
    assert outputs.max() > 2**33 and (outputs[:, 0] % 2**16 == test.labels("font")).all()
    report = hl.audit(network, train, test, main="column", collateral="font", control=False, vote=[])
    assert report.strongest.accuracy >= 99 and report.strongest_pooled.accuracy >= 99
    assert report.precision is not None and report.precision["outputs"][0]["opened_bits"] > 30
    assert report.warning is not None and "noise covers 0.0" in report.warning and "warning" in repr(report)
    assert "Warning" in report.html()
    # The user's own arrays: integers, and floats that are whole numbers.
    sides = [(side, network.evaluate(side).astype(np.float64)) for side in (train, test)]
    arrays = [(values, side.labels("column"), side.labels("font")) for side, values in sides]
    floats = hl.audit(None, arrays[0], arrays[1], families=["digits", "forest-5"], control=False, vote=[])
    assert floats.strongest_pooled.accuracy >= 99
    attacker = hl.Attacker("lattice").fit(arrays[0][0], arrays[0][2], arrays[0][1])
    assert attacker.score(arrays[1][0], arrays[1][2], arrays[1][1]) >= 0.99
    with pytest.raises(AuditError, match="integers"):
        hl.audit(None, leak(100, 1.0, 0), leak(100, 1.0, 1), families=["digits"])
