"""Audits of several attributes, of labels of any kind, with undefended networks, controls, rebuilt inputs, certificates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import halflight as hl
from halflight.errors import AuditError

FEW: dict[str, Any] = {"families": ["logistic", "knn-15"], "control": False}
DRAWN: dict[str, Any] = {"characters": "0147", "size": 12, "em": 9.0, "elastic_alpha": 10.0}


def told(items: int, seed: int, share: float = 0.5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outputs that tell the main label and nothing of an attribute, whose second value has this share."""
    rng = np.random.default_rng(seed)
    main = rng.integers(0, 2, items)
    return rng.normal(size=(items, 2)) + 3.0 * main[:, None], main, (rng.random(items) < share).astype(int)


def test_chance_is_that_of_the_test() -> None:
    # Attackers learn from nine in ten, and the test has as many of either.
    learned = hl.audit(None, told(2000, 1, 0.9), told(1000, 2, 0.5), vote=[], **FEW)
    found = learned.strongest_pooled
    assert abs(found.chance - 50.0) < 2.0 and found.low <= found.chance
    # Constant answers are right on nine in ten of this test, and that is no leak.
    other = hl.audit(None, told(2000, 1, 0.5), told(1000, 2, 0.1), vote=[], **FEW)
    assert 88.0 < other.strongest_pooled.chance < 92.0 and other.strongest_pooled.advantage < 0.05


def test_votes_are_those_that_the_test_supports() -> None:
    report = hl.audit(None, told(600, 1), told(60, 2), vote=[1, 5, 20, 50, 140], **FEW)
    assert [vote["k"] for vote in report.vote] == [1, 5, 20] and report.to_dict()["vote_left_out"] == [50, 140]
    for vote in report.vote:
        assert vote["subjects"] >= 2 and vote["high"] - vote["low"] < 100
    assert "left out" in report.html()


def names(values: np.ndarray) -> np.ndarray:
    return np.array(["serif", "cursive"])[values]


@pytest.mark.parametrize(
    ("kind", "classes"),
    [
        (lambda values: values, ["0", "1"]),
        (lambda values: values.astype(float), ["0", "1"]),
        (lambda values: values.astype(bool), ["False", "True"]),
        (lambda values: values.astype(object), ["0", "1"]),
        (lambda values: 3_000_000_000 * values, ["0", "3000000000"]),
        (lambda values: values - 5, ["-5", "-4"]),
        (names, ["cursive", "serif"]),
        (lambda values: pd.Series(names(values), name="font"), ["cursive", "serif"]),
        (lambda values: pd.Categorical(names(values)), ["cursive", "serif"]),
        (lambda values: list(names(values)), ["cursive", "serif"]),
    ],
)
def test_labels_of_any_kind(kind: Any, classes: list[str]) -> None:
    (outputs, main, values), (asked, asked_main, truth) = told(300, 1), told(200, 2)
    outputs, asked = outputs + 4.0 * values[:, None] * [1, -1], asked + 4.0 * truth[:, None] * [1, -1]
    report = hl.audit(None, (outputs, kind(main), kind(values)), (asked, kind(asked_main), kind(truth)), vote=[], **FEW)
    found = report.to_dict()
    assert sorted(found["collateral_classes"]) == sorted(classes) == sorted(found["main_classes"])
    assert report.strongest_pooled.accuracy > 90
    assert found["attribute"] == ("font" if isinstance(kind(values), pd.Series) else "attribute")


def test_measured_attributes_are_cut_and_never_rounded() -> None:
    rng = np.random.default_rng(3)

    def side(items: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        age = rng.normal(50, 12, items)
        return np.stack([age + rng.normal(size=items), rng.normal(size=items)], 1), rng.integers(0, 2, items), age

    train, test = side(800), side(400)
    with pytest.raises(AuditError, match="`bins=4`"):
        hl.audit(None, train, test, collateral="age", **FEW)
    report = hl.audit(None, train, test, collateral="age", bins=4, vote=[], **FEW)
    classes = report.to_dict()["collateral_classes"]
    assert len(classes) == 4 and classes[0].startswith("below 4") and classes[3].startswith("from 5")
    assert report.strongest_pooled.accuracy > 70 and abs(report.strongest_pooled.chance - 25) < 8
    # Whole numbers are classes, unless they are asked to be cut.
    years = tuple((outputs, main, age.round()) for outputs, main, age in (train, test))
    cut = hl.audit(None, *years, collateral="age", bins={"age": 3}, vote=[], **FEW)
    assert len(cut.to_dict()["collateral_classes"]) == 3
    for wrong in (1, 65, True, "4", 2.5):
        with pytest.raises(ValueError, match="`bins`"):
            hl.audit(None, train, test, bins=wrong, **FEW)  # type: ignore[arg-type]


def test_intervals_hold_for_several_attributes_at_once() -> None:
    rng = np.random.default_rng(4)
    (outputs, main, first), (asked, asked_main, truth) = told(800, 1), told(600, 2)
    tables = [pd.DataFrame({"font": names(values), **{f"noise {i}": rng.integers(0, 2, len(values)) for i in range(9)}})
              for values in (first, truth)]
    many = hl.audit(None, (outputs, main, tables[0]), (asked, asked_main, tables[1]), vote=[], **FEW)
    assert [report.to_dict()["attribute"] for report in many.attributes] == [f"noise {i}" for i in range(9)]
    one = hl.audit(None, (outputs, main, tables[0]), (asked, asked_main, tables[1]), collateral="font", vote=[], **FEW)
    assert one.attributes == [] and many.to_dict()["comparisons"] == 10
    assert many.strongest_pooled.accuracy == one.strongest_pooled.accuracy
    wider = [(r.strongest_pooled.high - r.strongest_pooled.low) for r in (many, one)]
    # 99.5 % of the normal distribution lie within 2.81 deviations, 95 % within 1.96.
    assert wider[0] / wider[1] == pytest.approx(2.81 / 1.96, abs=0.01)
    for report in [many, *many.attributes]:
        assert report.strongest_pooled.low <= report.strongest_pooled.chance + 0.5
    assert "font, noise 0" in many._title() and "noise 8" in many.html() and "noise 8" in repr(many)
    assert hl.AuditReport.from_json(many.to_json()).to_dict() == many.to_dict()
    chosen = hl.audit(None, (outputs, main, tables[0]), (asked, asked_main, tables[1]), collateral=["noise 1", "font"], vote=[], **FEW)
    assert [chosen.to_dict()["attribute"], *(r.to_dict()["attribute"] for r in chosen.attributes)] == ["noise 1", "font"]
    with pytest.raises(AuditError, match="there is no attribute `age`: there are font, noise 0"):
        hl.audit(None, (outputs, main, tables[0]), (asked, asked_main, tables[1]), collateral=["font", "age"], **FEW)
    with pytest.raises(ValueError, match="twice"):
        hl.audit(None, (outputs, main, tables[0]), (asked, asked_main, tables[1]), collateral=["font", "font"], **FEW)


def slanted(count: int, seed: int) -> hl.Dataset:
    """Drawn pictures with a label that nobody listed: how much ink there is."""
    drawn = hl.draw(count, seed=seed, **DRAWN)
    ink = drawn.images.reshape(count, -1).mean(axis=1)
    labels = {name: (drawn.labels(name), drawn.classes(name)) for name in drawn.names}
    return hl.Dataset(drawn.images, {**labels, "ink": ((ink > np.median(ink)).astype(int), ["little", "much"])})


def test_everything_that_the_command_does(
    compiled: hl.CompiledNetwork, network: hl.Network
) -> None:
    attackers, scored = slanted(900, 21), slanted(700, 22)
    report = hl.audit(
        compiled, attackers, scored, unlisted=True, undefended=network, reconstruction=True, controls=True, vote=[1],
        families=["qda", "decensor-qda"], control=False,
    )
    assert [other.to_dict()["attribute"] for other in report.attributes] == ["ink"]
    assert list(report.controls) == ["undefended network", "random network", "raw inputs"]
    assert report.reconstruction is not None and report.reconstruction["median_rank"] >= 1
    assert {attacker["family"] for attacker in report.attackers} == {"qda", "decensor-qda"}
    assert report.certificate is None and report.to_dict()["network"] == f"character network {compiled.hash[:8]}"
    page = report.html()
    assert f"What character network {compiled.hash[:8]} reveals about font and ink" in page and "raw inputs" in page
    # A panel has the attackers of undefended networks where there is one.
    panel = hl.audit(compiled, attackers, scored, undefended=compiled, vote=[], control=False, train_limit=200, test_limit=200)
    assert {"decensor-knn-51", "decensor-qda"} < {attacker["family"] for attacker in panel.attackers}
    floats = hl.audit(network, attackers, scored, vote=[], **FEW)
    assert floats.to_dict()["network"] == "character network in floats"


def test_a_certificate_stands_above_what_attackers_reach(network: hl.Network, data: hl.Dataset) -> None:
    noisy = hl.compile(network, data, steps=20, batch=300, noise=0.3)
    attackers, scored = hl.draw(2000, seed=31, **DRAWN), hl.draw(2000, seed=32, **DRAWN)
    report = hl.audit(noisy, attackers, scored, certify=True, vote=[], **FEW)
    assert report.certificate is not None and report.certificate.confidence == 0.999
    assert report.strongest_pooled.low <= report.certificate.bound <= 100
    assert report.to_dict()["noise"]["pairs"] > 0
    # The network learned from `data`: the certificate rests on the test alone.
    learned = hl.audit(noisy, data, scored, certify=True, vote=[], **FEW)
    assert learned.certificate is not None
    assert learned.certificate.to_dict()["pooled"]["items"] < report.certificate.to_dict()["pooled"]["items"]


def repeated(data: hl.Dataset) -> hl.Dataset:
    """Every item twice."""
    labels = {name: (np.tile(data.labels(name), 2), data.classes(name)) for name in data.names}
    return hl.Dataset(np.concatenate([data.images, data.images]), labels)


def test_items_that_repeat_each_other_are_certified_where_that_is_said(network: hl.Network, data: hl.Dataset) -> None:
    noisy = hl.compile(network, data, steps=20, batch=300, noise=0.3)
    attackers, scored = hl.draw(600, seed=31, **DRAWN), repeated(hl.draw(600, seed=32, **DRAWN))
    with pytest.raises(hl.errors.CertificateError, match="600") as refused:
        hl.audit(noisy, attackers, scored, certify=True, vote=[], **FEW)
    assert refused.value.kind == "Repeated"
    with pytest.raises(ValueError, match="certify=True"):
        hl.audit(noisy, attackers, scored, repeated=True, vote=[], **FEW)
    report = hl.audit(noisy, attackers, scored, certify=True, repeated=True, vote=[], **FEW)
    assert report.certificate is not None
    assert any("600 of 1800 items repeat" in assumed for assumed in report.certificate.assumptions)


def test_members_show_what_a_network_has_memorised(compiled: hl.CompiledNetwork, data: hl.Dataset, test: hl.Dataset) -> None:
    def leaking(items: int, seed: int, much: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        outputs, main, values = told(items, seed)
        return outputs + much * values[:, None] * [1, -1], main, names(values)

    sides = leaking(1500, 1, 0.4), leaking(800, 2, 0.4)
    assert hl.audit(None, *sides, vote=[], **FEW).members is None
    report = hl.audit(None, *sides, members=leaking(800, 3, 3.0), vote=[], **FEW)
    found = report.members
    assert found is not None and found["items"] == 800
    assert found["accuracy"] > found["control"] + 15 and found["low"] > 0 and found["risk"] > 0.3
    same = hl.audit(None, *sides, members=leaking(800, 4, 0.4), vote=[], **FEW).members
    assert same is not None and same["low"] < 0 < same["high"]
    # Of a network, by its own outputs, with classes in whatever order.
    drawn = hl.draw(400, seed=31, **DRAWN)
    turned = hl.Dataset(data.images, {name: (data.labels(name), data.classes(name)) if name != "font"
                                      else (1 - data.labels(name), data.classes(name)[::-1]) for name in data.names})
    both = [hl.audit(compiled, drawn, test, members=one, vote=[], **FEW).members for one in (data, turned)]
    assert both[0] == both[1] and both[0] is not None and both[0]["items"] == len(data)
    with pytest.raises(TypeError, match="`members`"):
        hl.audit(compiled, drawn, test, members=sides[0], vote=[], **FEW)
    with pytest.raises(TypeError, match="`members`"):
        hl.audit(None, *sides, members=data, vote=[], **FEW)
    with pytest.raises(AuditError, match="width|outputs"):
        hl.audit(None, *sides, members=(sides[0][0][:, :1], *sides[0][1:]), vote=[], **FEW)


def test_items_that_the_network_saw_are_warned_of(compiled: hl.CompiledNetwork, data: hl.Dataset, test: hl.Dataset) -> None:
    own = hl.audit(compiled, data, test, vote=[], **FEW)
    assert "train: the network was trained on exactly these items" in own.warnings[0] and own.warnings[0] in own.html()
    assert own.warning is not None and own.warnings[0] in own.warning
    fresh = hl.audit(compiled, hl.draw(400, seed=31, **DRAWN), hl.draw(400, seed=32, **DRAWN), vote=[], **FEW)
    assert not any("trained on" in warning for warning in fresh.warnings)
    # How predictions differ between fonts, which only a network's own main label tells.
    assert fresh.parity is not None and 0 <= fresh.parity["distance"] <= 1
    assert hl.audit(None, told(100, 1), told(100, 2), vote=[], **FEW).parity is None


def test_the_full_panel_from_python() -> None:
    (outputs, main, values), (asked, asked_main, truth) = told(400, 1), told(200, 2)
    sides = [((1000 * (x + 4.0 * v[:, None])).round().astype(np.int64), m, v) for x, m, v in [(outputs, main, values), (asked, asked_main, truth)]]
    assert len(hl.families("full")) == 31
    report = hl.audit(None, *sides, families="full", vote=[], control=False)
    # As the command's: three seeds and the growth curve; what needs the items is left out without them.
    assert report.to_dict()["seeds"] == [0, 1, 2] and len(report.to_dict()["growth"]) > 1
    assert report.reconstruction is None and report.controls == {}
    assert [attacker["family"] for attacker in report.attackers if attacker["scope"] == "pooled"] == hl.families("full")
    assert report.strongest_pooled.accuracy > 95


def test_what_an_audit_cannot_do_is_refused_before_attackers_start(
    compiled: hl.CompiledNetwork, network: hl.Network, data: hl.Dataset, test: hl.Dataset
) -> None:
    sides = told(100, 1), told(100, 2)
    with pytest.raises(AuditError, match="rebuilding inputs needs the items"):
        hl.audit(None, *sides, reconstruction=True)
    with pytest.raises(AuditError, match="a control needs the items"):
        hl.audit(None, *sides, controls=True)
    with pytest.raises(AuditError, match="give a compiled network"):
        hl.audit(network, data, test, controls=True)
    with pytest.raises(ValueError, match="`certify` needs a compiled network"):
        hl.audit(network, data, test, certify=True)
    with pytest.raises(hl.errors.CertificateError, match="without noise"):
        hl.audit(compiled, data, test, certify=True)
    with pytest.raises(TypeError, match="give two data sets, or twice"):
        hl.audit(compiled, data, sides[0])
    with pytest.raises(TypeError, match="a network reads data sets"):
        hl.audit(compiled, *sides)
    with pytest.raises(TypeError, match="give its outputs of train and test"):
        hl.audit(None, *sides, undefended=network)
    with pytest.raises(AuditError, match="undefended"):
        hl.audit(None, *sides, families=["decensor-qda"])
    with pytest.raises(hl.errors.DatasetError, match="colour"):
        hl.audit(compiled, data, test, collateral="colour")
    for labels, message in [
        ([None] * 100, "no value in row 0"),
        (np.full(100, np.inf), "inf in row 0"),
        (np.zeros((100, 2)), "one value per item"),
        (np.array([0] * 99 + [np.nan]), "no value in row 99"),
        (np.arange(100), "10 test|class|items"),
        ([], "0|labels"),
    ]:
        with pytest.raises((AuditError, TypeError, ValueError), match=message):
            hl.audit(None, (sides[0][0], sides[0][1], labels), sides[1], **FEW)
    for outputs in (np.zeros(100), np.zeros((100, 2, 2)), np.zeros((100, 2), complex), np.full((100, 2), "a"), [[1e300] * 2] * 100):
        with pytest.raises((TypeError, ValueError), match="output"):
            hl.audit(None, (outputs, *sides[0][1:]), sides[1], **FEW)  # type: ignore[arg-type]


def test_classes_in_another_order_are_the_same_classes(compiled: hl.CompiledNetwork, data: hl.Dataset, test: hl.Dataset) -> None:
    turned = {name: (1 - test.labels(name), test.classes(name)[::-1]) if name == "font" else (test.labels(name), test.classes(name))
              for name in test.names}
    other = hl.Dataset(test.images, turned)
    reports = [hl.audit(compiled, data, side, vote=[], **FEW).to_dict() for side in (test, other)]
    assert reports[0] == reports[1]
    named = hl.Dataset(test.images, {**turned, "font": (test.labels("font"), ["cursive", "gothic"])})
    with pytest.raises(AuditError, match="only the test items have a class 'gothic'"):
        hl.audit(compiled, data, named, **FEW)
