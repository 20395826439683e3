"""Models from scikit-learn: linear and quadratic decisions, whatever stands before them."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, StandardScaler
from sklearn.svm import SVC, LinearSVC

import halflight as hl
from halflight.errors import ImportFailed

MODELS: dict[str, Any] = {
    "logistic": LogisticRegression(max_iter=200),
    "ridge": make_pipeline(StandardScaler(), RidgeClassifier()),
    "linear support vectors": make_pipeline(MinMaxScaler(), LinearSVC()),
    "stochastic gradients": SGDClassifier(random_state=0),
    "linear discriminant": make_pipeline(PCA(20), LinearDiscriminantAnalysis()),
    "quadratic discriminant": make_pipeline(PCA(10), QuadraticDiscriminantAnalysis()),
    "naive Bayes": make_pipeline(PCA(12), GaussianNB()),
    "polynomial": make_pipeline(PCA(8), PolynomialFeatures(2), LogisticRegression(max_iter=300)),
    "polynomial kernel": make_pipeline(PCA(10), SVC(kernel="poly", degree=2, coef0=1.0)),
}
NOT_QUADRATIC: dict[str, Any] = {
    "forest": RandomForestClassifier(10, random_state=0),
    "radial kernel": make_pipeline(PCA(6), SVC()),
    "neighbours": KNeighborsClassifier(),
    "network": MLPClassifier((8,), max_iter=30, random_state=0),
    "cubes": make_pipeline(PCA(4), PolynomialFeatures(3), LogisticRegression(max_iter=300)),
}


@pytest.fixture(scope="module")
def digits() -> hl.Dataset:
    return hl.handwriting()


def pixels(data: hl.Dataset) -> np.ndarray:
    return data.images.reshape(len(data), -1) / 255.0


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore:Variables are collinear")
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("binary", [False, True])
def test_decisions_are_those_of_the_model(name: str, binary: bool, digits: hl.Dataset, tell: Callable[[str], None]) -> None:
    main = digits.names[0]
    if binary:
        odd = (digits.labels(main) % 2, ["even", "odd"])
        digits = hl.Dataset(digits.images, {"digit": odd})
        main = "digit"
    names = np.array(digits.classes(main))
    model = MODELS[name].fit(pixels(digits[:1200]), names[digits.labels(main)[:1200]])
    if name == "polynomial kernel" and not binary:
        # Of several classes it counts votes of pairs, which are no polynomial.
        with pytest.raises(ImportFailed, match="degree 2"):
            hl.sklearn.load(model, digits, main=main)
        tell(f"scikit-learn, {name} of 10 classes: refused")
        return
    network = hl.sklearn.load(model, digits, main=main)
    test = digits[1200:]
    own = model.predict(pixels(test))
    found = names[network.predict(test)]
    assert (found == own).mean() > 0.995, (name, (found == own).mean())
    tell(f"scikit-learn, {name} of {2 if binary else 10} classes: {network.units} units, difference {network.difference:.0e}, {network.accuracy(test):.1f} %")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NOT_QUADRATIC)
def test_other_decisions_are_refused(name: str, digits: hl.Dataset, tell: Callable[[str], None]) -> None:
    main = digits.names[0]
    model = NOT_QUADRATIC[name].fit(pixels(digits[:600]), digits.labels(main)[:600])
    with pytest.raises(ImportFailed, match="degree 2|neither|not finite") as refused:
        hl.sklearn.load(model, digits, main=main)
    tell(f"scikit-learn, {name}: refused, {str(refused.value)[:100]}")


def test_a_pipeline_goes_to_an_encrypted_prediction(digits: hl.Dataset) -> None:
    main = digits.names[0]
    model = make_pipeline(StandardScaler(), PCA(16), LogisticRegression(max_iter=300)).fit(pixels(digits), digits.labels(main))
    encoder = hl.Encoder.pixels(8, 8, bits=4)
    network = hl.sklearn.load(model, digits, main=main, encoder=encoder)
    compiled = hl.compile(network, digits, steps=30, batch=500, precision={"left": 8, "combine": 8})
    assert compiled.accuracy(digits) > network.accuracy(digits) - 5 > 85
    authority = hl.setup(compiled)
    found = hl.predict(authority.issue(compiled), compiled, hl.encrypt(authority.parameters, digits, items=slice(3)))
    assert np.array_equal(found.outputs, compiled.evaluate(digits[:3]))


def test_models_that_do_not_fit_the_data(digits: hl.Dataset) -> None:
    main = digits.names[0]
    with pytest.raises(ImportFailed, match="fitted classifier"):
        hl.sklearn.load(LogisticRegression(), digits, main=main)
    few = LogisticRegression().fit(pixels(digits[:100])[:, :5], digits.labels(main)[:100])
    with pytest.raises(ImportFailed, match="64 inputs"):
        hl.sklearn.load(few, digits, main=main)
    two = LogisticRegression().fit(pixels(digits[:100]), digits.labels(main)[:100] % 2)
    with pytest.raises(ImportFailed, match="has the classes"):
        hl.sklearn.load(two, digits, main=main)
