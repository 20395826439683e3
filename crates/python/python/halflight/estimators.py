"""scikit-learn conventions: the private classifier and single attackers.

``fit``, ``predict``, ``predict_proba``, ``score``, ``get_params`` and ``set_params`` behave as scikit-learn's,
so that ``clone``, ``cross_val_score`` and ``GridSearchCV`` take these classes; scikit-learn itself is not needed.
"""

from __future__ import annotations

import inspect
from typing import Any, Optional

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _native
from ._progress import Progress
from .audits import exact
from .compiled import CompiledNetwork, compile
from .data import Dataset
from .networks import Network, train


class _Estimator:
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

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(three_d_array=True),
        )

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({shown})"


class PrivateClassifier(_Estimator):
    """A network that is trained, defended and compiled in one ``fit``.

    Parameters
    ----------
    defence, preset, units, outputs, steps, seed
        As in :func:`halflight.train`; ``steps=None`` for the preset's.
    compile_steps : int or None
        Steps of fine-tuning to integers; None for the default.
    encoder : dict or None
        Options of ``Encoder.fit``.
    progress
        As everywhere.

    After ``fit``: ``network_`` (floats), ``compiled_`` (integers, what a functional key opens), ``classes_``.
    """

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
        seed: int = 0,
        progress: Progress = None,
    ) -> None:
        self.defence = defence
        self.preset = preset
        self.units = units
        self.outputs = outputs
        self.steps = steps
        self.compile_steps = compile_steps
        self.encoder = encoder
        self.seed = seed
        self.progress = progress

    def fit(self, X: ArrayLike, y: ArrayLike, collateral: Optional[ArrayLike] = None) -> PrivateClassifier:
        """Trains on images ``X`` uint8 ``[N, H, W]``, main labels ``y`` ``[N]``, collateral labels ``[N]``.

        A defence other than "none" needs ``collateral``. Raises ``TrainError``, ``CompileError``.
        """
        labels: dict[str, Any] = {"main": _encoded(y)}
        if collateral is not None:
            labels["collateral"] = _encoded(collateral)
        data = Dataset(X, labels)
        self.classes_ = np.unique(np.asarray(y))
        given: dict[str, Any] = {} if self.steps is None else {"steps": self.steps}
        self.network_: Network = train(
            data,
            main="main",
            collateral=[] if collateral is None else ["collateral"],
            defence=self.defence,
            preset=self.preset,
            encoder=self.encoder,
            units=self.units,
            outputs=self.outputs,
            seed=self.seed,
            progress=self.progress,
            **given,
        )
        given = {} if self.compile_steps is None else {"steps": self.compile_steps}
        self.compiled_: CompiledNetwork = compile(self.network_, data, seed=self.seed, progress=self.progress, **given)
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.int64]:
        """``output(x)``, all that a predictor learns: int64 ``[N, S]``."""
        return self.compiled_.evaluate(_unlabelled(X))

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:
        """Probabilities ``[N, C]`` in the order of ``classes_``."""
        return self.compiled_.head(self.transform(X))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The most probable class of every item, as ``y`` had it."""
        chosen: NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return chosen

    def score(self, X: ArrayLike, y: ArrayLike) -> float:
        """Share of items whose class is predicted, 0 to 1."""
        return float(np.mean(self.predict(X) == np.asarray(y)))


class Attacker(_Estimator):
    """One fresh attacker: learns a collateral attribute from outputs.

    Parameters
    ----------
    family : str
        Such as "knn-15", "forest-5", "boosting", "mlp-64x32"; see :func:`halflight.families`.
    seed : int

    It learns when asked (``predict``), for the main class of each item alone where the family works so; a
    second call learns again, with the same result.
    """

    def __init__(self, family: str = "forest-5", *, seed: int = 0) -> None:
        self.family = family
        self.seed = seed

    def fit(self, X: ArrayLike, y: ArrayLike, main: Optional[ArrayLike] = None) -> Attacker:
        """Stores outputs ``X`` ``[N, S]``, whole numbers to the last bit, the attribute ``y`` ``[N]`` and, if known, main labels ``[N]``.

        Every main class needs 10 items. Raises ``AuditError`` when asked.
        """
        self.classes_, found = np.unique(np.asarray(y), return_inverse=True)
        outputs = exact(X)
        given = np.zeros(len(outputs), dtype=np.int64) if main is None else np.asarray(main)
        self.main_classes_, mains = np.unique(given, return_inverse=True)
        self._told = main is not None
        self._train = (outputs, mains.astype(np.int64).ravel(), found.astype(np.int64).ravel())
        self.n_features_in_ = outputs.shape[1]
        return self

    def predict_log_proba(self, X: ArrayLike, main: Optional[ArrayLike] = None) -> NDArray[np.float32]:
        """Log probabilities ``[N, values]`` in the order of ``classes_``."""
        outputs = exact(X)
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
        """The most probable value of every item, as ``y`` had it."""
        chosen: NDArray[Any] = self.classes_[self.predict_log_proba(X, main).argmax(axis=1)]
        return chosen

    def score(self, X: ArrayLike, y: ArrayLike, main: Optional[ArrayLike] = None) -> float:
        """Share of items whose value is found, 0 to 1."""
        return float(np.mean(self.predict(X, main) == np.asarray(y)))


def _encoded(values: ArrayLike) -> tuple[NDArray[np.int64], list[str]]:
    classes, found = np.unique(np.asarray(values), return_inverse=True)
    return found.astype(np.int64).ravel(), [str(value) for value in classes]


def _unlabelled(X: ArrayLike) -> Dataset:
    return Dataset(X, {})
