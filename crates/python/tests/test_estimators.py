"""scikit-learn's conventions, and one object from a table to encrypted predictions."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

import halflight as hl

SMALL: dict[str, Any] = {"units": 8, "outputs": 3, "steps": 60, "compile_steps": 10, "progress": False}

#: Checks that cannot hold, and why.
EXPECTED: dict[str, dict[str, str]] = {
    "PrivateClassifier": {
        "check_sample_weight_equivalence_on_dense_data": "weights repeat items, and training orders items by their place",
    },
}


def estimators() -> list[Any]:
    return [hl.PrivateClassifier(**SMALL), hl.Attacker("logistic")]


@parametrize_with_checks(
    estimators(), expected_failed_checks=lambda estimator: EXPECTED.get(type(estimator).__name__, {})
)
def test_scikit_learn_takes_it_for_its_own(estimator: Any, check: Any) -> None:
    check(estimator)


def cancer() -> tuple[Any, Any, Any, Any]:
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    return train_test_split(X, np.array(["malignant", "benign"])[y], test_size=150, random_state=0, stratify=y)


def test_from_a_table_to_encrypted_predictions() -> None:
    X, X_test, y, y_test = cancer()
    model = hl.PrivateClassifier(units=16, steps=300, compile_steps=60, progress=False).fit(X, y)
    assert model.score(X_test, y_test) > 0.9
    assert model.n_features_in_ == 30 and list(model.feature_names_in_) == list(X.columns)
    with pytest.raises(ValueError, match="no keys"):
        model.encrypt(X_test[:2])
    with pytest.raises(ValueError, match="no keys"):
        model.predict_encrypted([])
    parameters = model.setup()
    ciphertexts = model.encrypt(X_test[:6])
    assert ciphertexts[0].public_key == parameters.id
    assert np.array_equal(model.predict_encrypted(ciphertexts), model.predict(X_test[:6]))
    # An owner has the parameters and the scaler, and nothing else.
    scaler = hl.TableScaler.from_json(model.scaler_.to_json())
    sent = hl.encrypt(hl.Parameters.from_bytes(parameters.to_bytes()), scaler.transform(X_test[:6]))
    assert np.array_equal(model.predict_encrypted(sent), model.predict(X_test[:6]))
    # Keys of an authority elsewhere; secrets do not travel.
    travelled = pickle.loads(pickle.dumps(model))
    assert not hasattr(travelled, "key_") and not hasattr(travelled, "authority_")
    assert np.array_equal(travelled.predict(X_test), model.predict(X_test))
    authority = hl.setup(model.compiled_)
    travelled.setup(authority=authority)
    key = authority.issue(model.compiled_)
    assert np.array_equal(model.predict_encrypted(travelled.encrypt(X_test[:3]), key=key), model.predict(X_test[:3]))
    # A second fit throws the keys of the first away.
    model.fit(X[:200], y[:200])
    assert not hasattr(model, "key_")


def test_numbers_and_categories_in_one_frame() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 90, 600),
            "smokes": rng.choice(["yes", "no"], 600),
            "ward": pd.Categorical(rng.choice(["a", "b", "c"], 600)),
            "pressure": rng.normal(120, 15, 600),
        }
    )
    y = np.where((frame["smokes"] == "yes") ^ (frame["ward"] == "a"), "ill", "well")
    model = hl.PrivateClassifier(units=12, steps=250, compile_steps=40, progress=False).fit(frame[:500], y[:500])
    assert model.score(frame[500:], y[500:]) > 0.9
    names = list(model.scaler_.get_feature_names_out())
    assert names == ["age", "smokes_no", "smokes_yes", "ward_a", "ward_b", "ward_c", "pressure"]
    with pytest.raises(ValueError, match="ward|order|names"):
        model.predict(frame[["smokes", "age", "ward", "pressure"]])
    frame.loc[3, "smokes"] = None
    with pytest.raises(ValueError, match="`smokes` contains NaN or nothing at row 3"):
        model.predict(frame)
    frame["name"] = [f"person {index}" for index in range(600)]
    with pytest.raises(hl.errors.DatasetError, match="`name` has 600 values"):
        hl.PrivateClassifier(**SMALL).fit(frame.drop(columns="smokes"), y)


def test_a_grid_of_numpy_numbers() -> None:
    X, y = load_iris(return_X_y=True)
    grid = {"units": np.array([4, 8]), "outputs": [np.int64(2)], "random_state": [np.int32(3)], "steps": np.array([40])}
    search = GridSearchCV(hl.PrivateClassifier(compile_steps=5, progress=False), grid, cv=2)
    search.fit(X, y)
    assert search.best_params_["units"] in (4, 8) and search.best_score_ > 0.6
    assert cross_val_score(make_pipeline(FunctionTransformer(), hl.PrivateClassifier(**SMALL)), X, y, cv=2).mean() > 0.6


def test_pictures_flat_and_in_floats(data: hl.Dataset, test: hl.Dataset) -> None:
    y = data.labels("character")
    pictures = hl.PrivateClassifier(**SMALL).fit(data.images, y).transform(test.images)
    for X, asked in [
        (data.images.reshape(len(data), -1), test.images.reshape(len(test), -1)),
        (data.images / 255, test.images / 255),
        (data.images.astype(np.float32), test.images.astype(np.float32)),
    ]:
        model = hl.PrivateClassifier(shape=(12, 12), **SMALL).fit(X, y)
        assert np.array_equal(model.transform(asked), pictures)
        # The scale is that of the fit, however dark the pictures are that are asked for.
        assert np.array_equal(model.transform(asked[:1] * 0), model.transform(asked[1:2] * 0))
    with pytest.raises(ValueError, match="from 0 to 1"):
        hl.PrivateClassifier(shape=(12, 12), **SMALL).fit(data.images / 255, y).predict(test.images.astype(float))


def test_thirty_items_are_enough() -> None:
    X, y = load_iris(return_X_y=True)
    few = np.r_[0:10, 50:60, 100:110]
    model = hl.PrivateClassifier(units=4, outputs=2, steps=200, compile_steps=20, progress=False).fit(X[few], y[few])
    assert model.score(X, y) > 0.7


def test_weights_count() -> None:
    rng = np.random.default_rng(1)
    X = np.r_[rng.normal(0, 1, (300, 2)), rng.normal(1, 1, (300, 2))]
    y = np.repeat([0, 1], 300)
    plain = hl.PrivateClassifier(**SMALL).fit(X, y).predict(X).mean()
    for model in (
        hl.PrivateClassifier(class_weight={0: 1.0, 1: 12.0}, **SMALL).fit(X, y),
        hl.PrivateClassifier(**SMALL).fit(X, y, sample_weight=np.where(y == 1, 12.5, 1.0)),
    ):
        assert model.predict(X).mean() > plain + 0.15
    unbalanced = np.r_[0:300, 300:330]
    balanced = hl.PrivateClassifier(class_weight="balanced", **SMALL).fit(X[unbalanced], y[unbalanced])
    assert balanced.predict(X[300:]).mean() > hl.PrivateClassifier(**SMALL).fit(X[unbalanced], y[unbalanced]).predict(X[300:]).mean()
    for weight in (-np.ones(600), np.zeros(600), np.ones(3)):
        with pytest.raises(ValueError, match="sample_weight|zero"):
            hl.PrivateClassifier(**SMALL).fit(X, y, sample_weight=weight)
    with pytest.raises(ValueError, match="balanced"):
        hl.PrivateClassifier(class_weight="equal", **SMALL).fit(X, y)


def test_metadata_is_routed(data: hl.Dataset) -> None:
    """``collateral`` reaches ``fit`` within a search, item by item."""
    with sklearn.config_context(enable_metadata_routing=True):
        model = hl.PrivateClassifier(**SMALL).set_fit_request(collateral=True)
        search = GridSearchCV(model, {"units": [4]}, cv=2)
        search.fit(data.images, data.labels("character"), collateral=data.labels("font"))
        assert search.best_estimator_.network_.record["collateral"] == ["collateral"]


def test_outputs_have_names_and_frames() -> None:
    X, y = load_iris(return_X_y=True, as_frame=True)
    model = hl.PrivateClassifier(**SMALL).set_output(transform="pandas").fit(X, y)
    found = model.transform(X)
    assert list(found.columns) == ["output0", "output1", "output2"] and len(found) == len(X)
    assert "PrivateClassifier" in model._repr_html_()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_everything_that_is_no_secret_travels(
    copied: Any, data: hl.Dataset, network: hl.Network, compiled: hl.CompiledNetwork, authority: hl.Authority
) -> None:
    assert np.array_equal(copied(data).images, data.images) and copied(data).about == data.about
    assert copied(compiled) == compiled and hash(copied(compiled)) == hash(compiled)
    assert copied(network).record == network.record
    assert copied(compiled.encoder) == compiled.encoder
    parameters = authority.parameters
    assert copied(parameters) == parameters
    ciphertext = hl.encrypt(parameters, data, items=[0], progress=False)[0]
    assert copied(ciphertext) == ciphertext != hl.encrypt(parameters, data, items=[0], progress=False)[0]
    for secret in (authority, authority.issue(compiled)):
        with pytest.raises(TypeError, match="not pickled"):
            copied(secret)
    key = authority.issue(compiled)
    assert hl.FunctionalKey.from_bytes(key.to_bytes()) == key


def test_joblib_keeps_a_model(tmp_path: Any) -> None:
    X, y = load_iris(return_X_y=True)
    model = hl.PrivateClassifier(**SMALL).fit(X, y)
    joblib.dump(model, tmp_path / "model.joblib")
    assert np.array_equal(joblib.load(tmp_path / "model.joblib").predict(X), model.predict(X))


def test_nothing_before_fit() -> None:
    for call in ("predict", "transform", "predict_proba", "encrypt"):
        with pytest.raises(NotFittedError):
            getattr(hl.PrivateClassifier(), call)(np.zeros((3, 4)))
    with pytest.raises(NotFittedError):
        clone(hl.Attacker()).predict(np.zeros((3, 4)))
    for labels in ([0, 1, np.nan] * 20, [None, "a", "b"] * 20):
        with pytest.raises(ValueError, match="NaN or nothing"):
            hl.PrivateClassifier(**SMALL).fit(np.random.default_rng(0).normal(size=(60, 2)), labels)
