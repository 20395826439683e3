"""Halflight: quadratic networks on encrypted inputs.

    >>> import halflight as hl
    >>> data, test = hl.draw(40_000, seed=1), hl.draw(2_000, seed=2)
    >>> network = hl.train(data, test, main="character", collateral="font")
    >>> compiled = hl.compile(network, data)
    >>> authority = hl.setup(compiled)
    >>> key = authority.issue(compiled)
    >>> ciphertexts = hl.encrypt(authority.parameters, test, items=slice(3))
    >>> hl.predict(key, compiled, ciphertexts).labels
    >>> hl.audit(compiled, hl.draw(10_000, seed=3), test).strongest

Roles: the authority holds the master key, the owner encrypts, the predictor learns ``output(x)`` and nothing else, the
auditor measures what ``output(x)`` reveals. Models from PyTorch and ONNX: ``halflight.torch``, ``halflight.onnx``.
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

from . import _native, errors
from ._native import __version__
from .audits import AuditReport, Finding, audit, families
from .certificates import Certificate, certify
from .cipher import Ciphertext, Predictions, Predictor, encrypt, predict
from .client import Answers, Client
from .compiled import CompiledNetwork, compile
from .data import Dataset, Encoder, draw, handwriting, load, read_idx
from .errors import HalflightError
from .keys import Authority, FunctionalKey, Parameters, open_rank, setup
from .networks import Network, defences, train
from .tables import Table, TableScaler, read_table

if TYPE_CHECKING:
    from . import batch, onnx, sklearn, torch
    from .estimators import Attacker, PrivateClassifier

# A forked child does not touch the parent's threads.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_native.forked)

#: What is imported when it is first asked for, and the extra that brings what it needs.
_LATE = {"batch": "batch", "torch": "torch", "onnx": "onnx", "sklearn": "sklearn"}
_ESTIMATORS = {"Attacker", "PrivateClassifier"}


def __getattr__(name: str) -> Any:
    if name in _ESTIMATORS:
        return getattr(importlib.import_module(".estimators", __name__), name)
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return importlib.import_module(f".{name}", __name__)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith(__name__):
            raise
        raise ModuleNotFoundError(
            f"halflight.{name} needs {error.name}: pip install 'halflight[{_LATE[name]}]'", name=error.name
        ) from error


def __dir__() -> list[str]:
    return sorted(__all__)


__all__ = [
    "Answers",
    "Attacker",
    "AuditReport",
    "Authority",
    "Certificate",
    "Client",
    "Ciphertext",
    "CompiledNetwork",
    "Dataset",
    "Encoder",
    "Finding",
    "FunctionalKey",
    "HalflightError",
    "Network",
    "Parameters",
    "Predictions",
    "Predictor",
    "PrivateClassifier",
    "Table",
    "TableScaler",
    "__version__",
    "audit",
    "batch",
    "certify",
    "compile",
    "defences",
    "draw",
    "encrypt",
    "errors",
    "families",
    "handwriting",
    "load",
    "onnx",
    "open_rank",
    "predict",
    "read_idx",
    "read_table",
    "setup",
    "sklearn",
    "torch",
    "train",
]
