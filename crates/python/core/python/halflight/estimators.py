"""scikit-learn conventions: the private classifier and single attackers.

With scikit-learn installed these are its estimators, so that ``clone``, ``cross_val_score``, ``GridSearchCV``,
pipelines, metadata routing and ``set_output`` accept them. Without it they still have ``fit``, ``predict``, ``score``,
``get_params`` and ``set_params``.
"""

from __future__ import annotations

import importlib
import inspect
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _native
from ._check import instance, one_of
from ._progress import Progress
from ._observed import exact
from .cipher import Ciphertext, Predictor, encrypt
from .compiled import CompiledNetwork, compile
from .data import Dataset, missing
from .keys import Authority, FunctionalKey, Parameters, setup
from .networks import Network, train
from .tables import TableScaler


class _Plain:
    """Parameters are those of ``__init__``, stored under their names."""

    _estimator_type = "classifier"

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name."""
        names = inspect.signature(type(self).__init__).parameters
        return {name: getattr(self, name) for name in names if name != "self"}

    def set_params(self, **params: Any) -> Any:
        """Changes parameters; returns the estimator."""
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise ValueError(f"no parameter {name!r}: there are {', '.join(known)}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({shown})"


if TYPE_CHECKING:

    class _Classifier(_Plain):
        """Either base class."""

    class _Transformer(_Plain):
        """Either base class."""

    _validation: Any = None
else:
    try:
        from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
        from sklearn.utils import validation as _validation

        class _Classifier(ClassifierMixin, BaseEstimator):
            """An estimator of scikit-learn."""

        class _Transformer(ClassifierMixin, TransformerMixin, BaseEstimator):
            """An estimator that also transforms."""

    except ImportError:
        _Classifier = _Transformer = _Plain
        _validation = None


class PrivateClassifier(_Transformer):
    """A network that is trained, defended, compiled, and evaluated under encryption: one object from fit to prediction.

        >>> model = hl.PrivateClassifier().fit(frame, labels)
        >>> parameters = model.setup()                       # keys; the owner needs the parameters and model.scaler_
        >>> model.predict_encrypted(model.encrypt(frame[:5]))

    Parameters
    ----------
    defence, preset, units, outputs, steps, seed
        As in :func:`halflight.train`; ``steps=None`` for the preset's.
    compile_steps : int or None
        Steps of fine-tuning to integers; None for the default.
    encoder : dict or None
        Options of ``Encoder.fit``; by default each picture is standardised by itself, and tables column by column.
    shape : (int, int) or None
        Rows and columns of pictures that are given flat or in floats, 0 to 1 or 0 to 255.
    options, compile_options : dict or None
        Further options of :func:`halflight.train` and :func:`halflight.compile`.
    class_weight : None, "balanced" or dict
        The weight of a class's items.
    random_state : None, int or RandomState
        Instead of ``seed``, as in scikit-learn.
    progress
        As everywhere.

    Attributes
    ----------
    network_ : Network
        In floats.
    compiled_ : CompiledNetwork
        In integers: what a functional key opens.
    classes_ : array
        The values of ``y``.
    scaler_ : TableScaler or None
        For tables; owners need it to encrypt.
    authority_, key_ : after ``setup``
        The secrets. They are left out of pickles and copies.
    """

    scaler_: Optional[TableScaler]
    _size: tuple[int, ...]
    _whitest: float

    def __init__(
        self,
        *,
        defence: str = "none",
        preset: str = "quick",
        units: int = 64,
        outputs: int = 4,
        steps: Optional[int] = None,
        compile_steps: Optional[int] = None,
        encoder: Optional[dict[str, Any]] = None,
        shape: Optional[tuple[int, int]] = None,
        options: Optional[dict[str, Any]] = None,
        compile_options: Optional[dict[str, Any]] = None,
        class_weight: Union[None, str, dict[Any, float]] = None,
        seed: int = 0,
        random_state: Any = None,
        progress: Progress = None,
    ) -> None:
        self.defence = defence
        self.preset = preset
        self.units = units
        self.outputs = outputs
        self.steps = steps
        self.compile_steps = compile_steps
        self.encoder = encoder
        self.shape = shape
        self.options = options
        self.compile_options = compile_options
        self.class_weight = class_weight
        self.seed = seed
        self.random_state = random_state
        self.progress = progress

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        collateral: Optional[ArrayLike] = None,
        sample_weight: Optional[ArrayLike] = None,
    ) -> PrivateClassifier:
        """Trains, and compiles to integers.

        Parameters
        ----------
        X : array, DataFrame or Dataset
            Pictures uint8 ``[N, H, W]``, or with ``shape`` in floats or flat; or a table of numbers and categories.
        y, collateral : array ``[N]``
            Main labels, and the attribute that the outputs must not reveal; a defence other than "none" needs it.
        sample_weight : array ``[N]``, optional
            The weight of every item: whole numbers repeat it, others draw items by their weight.

        Raises ``TrainError``, ``CompileError``.
        """
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        pictures = self._pictures(X, first=True)
        self.classes_, found = _classes(y, len(pictures))
        columns: dict[str, Any] = {"main": (found, [str(value) for value in self.classes_])}
        if collateral is not None:
            values, told = _classes(collateral, len(pictures))
            columns["collateral"] = (told, [str(value) for value in values])
        seed = self._seed()
        chosen = self._weighted(found, sample_weight, seed)
        data = Dataset(pictures, columns)[chosen]
        given: dict[str, Any] = dict(self.options or {})
        if self.steps is not None:
            given["steps"] = self.steps
        encoder = self.encoder
        if encoder is None and self.scaler_ is not None:
            encoder = {"per_column": True, "fitted_range": True}
        self.network_: Network = train(
            data,
            main="main",
            collateral=[] if collateral is None else ["collateral"],
            defence=self.defence,
            preset=self.preset,  # type: ignore[arg-type]
            encoder=encoder,
            units=self.units,
            outputs=self.outputs,
            seed=seed,
            progress=self.progress,
            **given,
        )
        given = dict(self.compile_options or {})
        if self.compile_steps is not None:
            given["steps"] = self.compile_steps
        # Compiling holds items out: a small set is repeated for it.
        data = data[np.resize(np.arange(len(chosen)), max(20, len(chosen)))]
        self.compiled_: CompiledNetwork = compile(self.network_, data, seed=seed, progress=self.progress, **given)
        self._forget()
        return self

    def transform(self, X: Any) -> NDArray[np.int64]:
        """``output(x)``, everything that a predictor learns: int64 ``[N, S]``."""
        data = self._known(X)
        return self.compiled_.evaluate(data)

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        """Probabilities ``[N, C]`` in the order of ``classes_``."""
        data = self._known(X)
        return self.compiled_.head(self.compiled_.evaluate(data))

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable class of every item, as in ``y``."""
        return self._named(self.predict_proba(X))

    def score(self, X: Any, y: ArrayLike, sample_weight: Optional[ArrayLike] = None) -> float:
        """Fraction of items whose class is predicted, 0 to 1."""
        right = self.predict(X) == np.asarray(y).ravel()
        return float(np.average(right, weights=None if sample_weight is None else np.asarray(sample_weight)))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Names of the columns of :meth:`transform`."""
        self._fitted()
        return np.array([f"output{index}" for index in range(self.compiled_.width)], dtype=object)

    def setup(self, *, authority: Optional[Authority] = None) -> Parameters:
        """Draws keys for the network, or has an authority issue them; returns the owners' parameters."""
        self._fitted()
        self.authority_ = setup(self.compiled_) if authority is None else instance(authority, Authority, "authority")
        self.parameters_ = self.authority_.parameters
        self.key_ = self.authority_.issue(self.compiled_)
        self._predictor: Optional[Predictor] = None
        return self.parameters_

    def encrypt(
        self, X: Any, *, parameters: Optional[Parameters] = None, constant_time: bool = False
    ) -> list[Ciphertext]:
        """The owner's work: scales, encodes and encrypts items. Parameters are those of :meth:`setup`."""
        data = self._known(X)
        found = parameters or getattr(self, "parameters_", None)
        if found is None:
            raise ValueError("there are no keys: call setup() first, or give the authority's parameters")
        return encrypt(found, data, constant_time=constant_time, progress=self.progress)

    def predict_encrypted(self, ciphertexts: Iterable[Ciphertext], *, key: Optional[FunctionalKey] = None) -> NDArray[Any]:
        """The class of every ciphertext, as in ``y``: equal to :meth:`predict` on its item."""
        self._fitted()
        if key is not None:
            predictor = Predictor(key, self.compiled_)
        elif not hasattr(self, "key_"):
            raise ValueError("there are no keys: call setup() first, or give a functional key")
        else:
            predictor = self._predictor = self._predictor or Predictor(self.key_, self.compiled_)
        return self._named(self.compiled_.head(predictor.evaluate(ciphertexts, progress=self.progress)))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.three_d_array = True
        # Outputs are integers, whatever the items are.
        tags.transformer_tags.preserves_dtype = []
        return tags

    def __getstate__(self) -> dict[str, Any]:
        inherited = getattr(super(), "__getstate__", None)
        state = dict(inherited() if inherited is not None and _validation is not None else self.__dict__)
        for secret in ("authority_", "key_", "_predictor"):
            state.pop(secret, None)
        return state

    def _forget(self) -> None:
        """Keys of an earlier network do not open this one."""
        for name in ("authority_", "parameters_", "key_", "_predictor"):
            self.__dict__.pop(name, None)

    def _fitted(self) -> None:
        if not hasattr(self, "compiled_"):
            _unfitted(self)

    def _known(self, X: Any) -> Dataset:
        self._fitted()
        return X if isinstance(X, Dataset) else Dataset(self._pictures(X, first=False), {})

    def _named(self, probabilities: NDArray[np.float32]) -> NDArray[Any]:
        chosen: NDArray[Any] = self.classes_[probabilities.argmax(axis=1)]
        return chosen

    def _seed(self) -> int:
        if self.random_state is None:
            return int(self.seed)
        if isinstance(self.random_state, (int, np.integer)):
            return int(self.random_state)
        return int(self.random_state.randint(2**31 - 1))

    def _pictures(self, X: Any, first: bool) -> NDArray[np.uint8]:
        """Bytes ``[N, H, W]`` of pictures or of a table."""
        if isinstance(X, Dataset):
            X = X.images
        if isinstance(X, np.ndarray) and X.dtype == np.uint8 and X.ndim == 3:
            return self._sized(X, first)
        if self.shape is not None:
            values = np.asarray(X)
            if first:
                self._whitest = 1.0 if values.dtype.kind == "f" and values.max(initial=0.0) <= 1 else 255.0
            return self._sized(_bytes(values, self.shape, self._whitest), first)
        if not first and self.scaler_ is None:
            raise ValueError(f"fitted on pictures uint8 {list(self._size)}: give [items, {self._size[0]}, {self._size[1]}]")
        X = _table(self, X, first)
        if first:
            self.scaler_ = TableScaler().fit(X)
        assert self.scaler_ is not None
        return self.scaler_.transform(X)

    def _sized(self, pictures: NDArray[np.uint8], first: bool) -> NDArray[np.uint8]:
        if first:
            self.scaler_ = None
            self._size = pictures.shape[1:]
            self.n_features_in_ = int(np.prod(self._size))
        return pictures

    def _weighted(self, found: NDArray[np.int64], sample_weight: Optional[ArrayLike], seed: int) -> NDArray[np.int64]:
        """Items, repeated or drawn by their weight."""
        items = np.arange(len(found))
        weight = np.ones(len(found)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        if weight.ndim == 0:
            weight = np.full(len(found), float(weight))
        if weight.shape != found.shape or not np.isfinite(weight).all() or (weight < 0).any():
            raise ValueError(f"`sample_weight` has shape {list(weight.shape)}: give a number from 0 up for every item")
        if not weight.any():
            raise ValueError("every `sample_weight` is zero: no item counts")
        if self.class_weight is not None:
            counts = np.bincount(found, weights=weight, minlength=len(self.classes_))
            if isinstance(self.class_weight, str):
                one_of(self.class_weight, ("balanced",), "class_weight")
                of_class = weight.sum() / (len(counts) * np.maximum(counts, 1e-300))
            else:
                of_class = np.array([float(self.class_weight.get(value, 1.0)) for value in self.classes_.tolist()])
            weight = weight * of_class[found]
        if not weight.any():
            raise ValueError("`class_weight` makes every weight zero: no item counts")
        if len(set(found[weight > 0])) < 2:
            raise ValueError("only items of one class have a weight above zero: give weight to two classes or more")
        if (weight == weight[0]).all():
            return items
        if (weight == np.round(weight)).all() and weight.sum() <= 8 * len(weight):
            return np.repeat(items, weight.astype(np.int64))
        # Systematic sampling: every item as often as its weight says, plus or minus one.
        count = max(len(weight), 1)
        start = np.random.default_rng(seed).random()
        places = (np.arange(count) + start) / count * weight.sum()
        chosen = np.minimum(np.searchsorted(np.cumsum(weight), places), len(weight) - 1)
        # A class of little weight keeps one item, or the class would vanish.
        of_class = [np.flatnonzero((found == label) & (weight > 0)) for label in set(found) - set(found[chosen])]
        kept = [places[weight[places].argmax()] for places in of_class if len(places)]
        return np.random.default_rng(seed).permutation(np.r_[chosen, np.array(kept, dtype=np.int64)])


def _unfitted(estimator: object) -> None:
    kind = _kind("NotFittedError", ValueError)
    raise kind(f"this {type(estimator).__name__} is not fitted yet: call fit first")


def _kind(name: str, otherwise: Any) -> Any:
    """A class of scikit-learn's exceptions, if installed."""
    if _validation is None:
        return otherwise
    return getattr(importlib.import_module("sklearn.exceptions"), name)


def _classes(values: Any, items: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The distinct labels, and for every item the index of its label."""
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        message = "A column-vector y was passed when a 1d array was expected: give y.ravel()"
        warnings.warn(message, _kind("DataConversionWarning", UserWarning), stacklevel=3)
        array = array.ravel()
    if array.ndim != 1:
        raise ValueError(f"y should be a 1d array, got an array of shape {array.shape} instead: bad input shape")
    if len(array) != items:
        raise ValueError(f"Found input variables with inconsistent numbers of samples: {items} items and {len(array)} labels")
    absent = missing(array)
    if absent.any():
        raise ValueError(f"Input y contains NaN or nothing at item {int(absent.argmax())}: leave the item out")
    if array.dtype.kind == "f" and (not np.isfinite(array).all() or (array != np.floor(array)).any()):
        if not np.isfinite(array).all():
            raise ValueError("Input y contains infinity")
        raise ValueError("Unknown label type: continuous: labels are classes; cut the numbers into ranges first")
    classes, found = np.unique(array, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"there is only one class, {classes.tolist()}: give items of two classes or more")
    return classes, np.ascontiguousarray(found.ravel(), dtype=np.int64)


def _bytes(values: NDArray[Any], shape: tuple[int, int], whitest: float) -> NDArray[np.uint8]:
    """Pictures in bytes; numbers go from 0 to the white level."""
    if values.dtype != np.uint8:
        values = values.astype(np.float64)
        if not np.isfinite(values).all() or values.min(initial=0.0) < 0 or values.max(initial=0.0) > whitest:
            raise ValueError(f"pictures must go from 0 to {whitest:g}, like those that were fitted")
        values = np.round(values * (255 / whitest)).astype(np.uint8)
    if values[:1].size != shape[0] * shape[1] and len(values):
        raise ValueError(f"a picture has {values[:1].size} numbers, but `shape` is {shape}")
    return values.reshape(len(values), *shape)


def _table(estimator: Any, X: Any, first: bool) -> Any:
    """The table, after recording or checking the number and names of its columns."""
    if hasattr(X, "to_pandas"):
        X = X.to_pandas()
    kinds = getattr(X, "dtypes", ()) if hasattr(X, "iloc") else ()
    mixed = any(getattr(kind, "kind", "O") not in "biuf" for kind in kinds)
    if _validation is None:
        width = np.asarray(X).shape[1] if np.ndim(X) == 2 else 0
        if first:
            estimator.n_features_in_ = width
        return X
    if mixed:
        _validation._check_feature_names(estimator, X, reset=first)
        _validation._check_n_features(estimator, X, reset=first)
        return X
    checked = _validation.validate_data(estimator, X, dtype="numeric", reset=first, ensure_min_samples=1)
    if hasattr(X, "iloc") and hasattr(X, "columns"):
        return X
    return checked


class Attacker(_Classifier):
    """One fresh attacker: learns a collateral attribute from outputs.

    Parameters
    ----------
    family : str
        For example "knn-15", "forest-5", "boosting", "mlp-64x32"; see :func:`halflight.families`.
    seed : int

    It learns at prediction time (``predict``), for the main class of each item alone if the family works that way; a
    second call learns again, with the same result.
    """

    def __init__(self, family: str = "forest-5", *, seed: int = 0) -> None:
        self.family = family
        self.seed = seed

    def fit(self, X: Any, y: ArrayLike, main: Optional[ArrayLike] = None) -> Attacker:
        """Stores outputs ``X`` ``[N, S]``, whole numbers to the last bit, the attribute ``y`` ``[N]`` and, if known, main labels ``[N]``.

        Every main class needs 10 items. Raises ``AuditError`` at prediction time.
        """
        X = _table(self, X, first=True)
        self.classes_, found = _classes(y, len(X))
        outputs = exact(X)
        given = np.zeros(len(outputs), dtype=np.int64) if main is None else np.asarray(main)
        self.main_classes_, mains = np.unique(given, return_inverse=True)
        self._told = main is not None
        self._train = (outputs, mains.astype(np.int64).ravel(), found.astype(np.int64).ravel())
        return self

    def predict_log_proba(self, X: ArrayLike, main: Optional[ArrayLike] = None) -> NDArray[np.float32]:
        """Log probabilities ``[N, values]`` in the order of ``classes_``."""
        if not hasattr(self, "classes_"):
            _unfitted(self)
        outputs = exact(_table(self, X, first=False))
        if self._told != (main is not None):
            raise ValueError("give `main` to fit and to predict, or to neither")
        asked = np.zeros(len(outputs), dtype=np.int64)
        if main is not None:
            asked = np.searchsorted(self.main_classes_, np.asarray(main)).astype(np.int64)
            known = self.main_classes_[np.minimum(asked, len(self.main_classes_) - 1)] == np.asarray(main)
            if not known.all():
                raise ValueError(f"main class {np.asarray(main)[~known][0]} was not among the training items")
        names = [[str(value) for value in side] for side in (self.main_classes_, self.classes_)]
        return _native.attack(self.family, self._train, (names[0], names[1]), outputs, asked, self.seed)

    def predict_proba(self, X: ArrayLike, main: Optional[ArrayLike] = None) -> NDArray[np.float32]:
        """Probabilities ``[N, values]`` in the order of ``classes_``."""
        probabilities: NDArray[np.float32] = np.exp(self.predict_log_proba(X, main))
        return probabilities

    def predict(self, X: ArrayLike, main: Optional[ArrayLike] = None) -> NDArray[Any]:
        """The most probable value of every item, as in ``y``."""
        best = self.predict_log_proba(X, main).argmax(axis=1)
        chosen: NDArray[Any] = self.classes_[best]
        return chosen

    def score(self, X: ArrayLike, y: ArrayLike, main: Optional[ArrayLike] = None) -> float:
        """Fraction of items whose value is predicted, 0 to 1."""
        return float(np.mean(self.predict(X, main) == np.asarray(y).ravel()))
