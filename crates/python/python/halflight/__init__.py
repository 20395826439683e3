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

Roles: the authority holds the master key, the owner encrypts, the predictor learns ``output(x)`` and nothing
else, the auditor measures what ``output(x)`` gives away. Models from PyTorch and ONNX: ``halflight.torch``,
``halflight.onnx``.
"""

from . import errors
from ._native import __version__
from .audits import AuditReport, Finding, audit, families
from .certificates import Certificate, certify
from .cipher import Ciphertext, Predictions, Predictor, encrypt, predict
from .compiled import CompiledNetwork, compile
from .data import Dataset, Encoder, draw, handwriting, load, read_idx
from .errors import HalflightError
from .estimators import Attacker, PrivateClassifier
from .keys import Authority, FunctionalKey, Parameters, open_rank, setup
from .networks import Network, defences, train

__all__ = [
    "Attacker",
    "AuditReport",
    "Authority",
    "Certificate",
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
    "__version__",
    "audit",
    "certify",
    "compile",
    "defences",
    "draw",
    "encrypt",
    "errors",
    "families",
    "handwriting",
    "load",
    "open_rank",
    "predict",
    "read_idx",
    "setup",
    "train",
]
