"""Exceptions: one class for each kind of error of the Rust library.

Every message names the file, field or item at fault, its value and the remedy. ``kind`` is the name of
the variant, such as ``"NoLabel"``, for programs that need to distinguish them.
"""

from __future__ import annotations


class HalflightError(Exception):
    """Base class of every error of this package."""

    def __init__(self, message: str, kind: str = "") -> None:
        super().__init__(message)
        #: Name of the variant of the Rust error.
        self.kind = kind


class OptionError(HalflightError, ValueError):
    """An option that does not exist, or of another type."""


class DatasetError(HalflightError, ValueError):
    """Images and labels that do not form a data set, or a label that it does not have."""


class DrawError(HalflightError, ValueError):
    """Characters that cannot be drawn: fonts, sizes, distortions."""


class EncodeError(HalflightError, ValueError):
    """An encoder that cannot be fitted, or an image that it refuses."""


class FileError(HalflightError, OSError):
    """A file of data, a network or tables that cannot be read or written."""

    def __str__(self) -> str:
        return str(self.args[0])


class TrainError(HalflightError, ValueError):
    """A network that cannot be trained."""


class CompileError(HalflightError, ValueError):
    """A network that cannot be compiled to integers."""


class EvaluateError(HalflightError, ValueError):
    """A network that cannot be evaluated in the clear on these inputs."""


class ImportFailed(HalflightError, ValueError):
    """A network from elsewhere that does not have the supported shape."""


class CertificateError(HalflightError, ValueError):
    """Nothing can be certified: no noise, items that the network has seen, too few items."""


class KeyMismatch(HalflightError, ValueError):
    """Keys, networks and encoders that do not belong together."""


class KeyFileError(HalflightError, OSError):
    """A master key file that cannot be written or opened."""

    def __str__(self) -> str:
        return str(self.args[0])


class ForkError(HalflightError, RuntimeError):
    """A child that was forked while work was running: its locks may never be released."""


class ClientError(HalflightError, OSError):
    """A predictor that cannot be reached or trusted, that refuses, or a limit that is reached."""

    def __str__(self) -> str:
        return str(self.args[0])


class WireError(HalflightError, ValueError):
    """Bytes that are not a key or ciphertext."""


class EncryptError(HalflightError, ValueError):
    """An input that cannot be encrypted."""


class PredictError(HalflightError, ValueError):
    """A ciphertext that cannot be evaluated."""


class AuditError(HalflightError, ValueError):
    """Observations or options that cannot be audited."""


class BatchError(HalflightError, ValueError):
    """Batches that cannot be encrypted or scored at all: a column is missing, a folder is not a model, its key has expired."""
