"""Files of keys, ciphertexts and reports, and objects with a file form as bytes."""

from __future__ import annotations

import os
import tempfile
from typing import Callable, TypeVar

from . import _native
from .errors import FileError

T = TypeVar("T")

#: No key or ciphertext file is larger.
_LIMIT = 64 << 20


def read_bytes(path: str) -> bytes:
    """A file of at most 64 MiB."""
    with open(path, "rb") as file:
        data = file.read(_LIMIT + 1)
    if len(data) > _LIMIT:
        raise OSError(f"{path}: has more than {_LIMIT} bytes, the limit for such a file")
    return data


def write_bytes(path: str, data: bytes, *, secret: bool = False) -> None:
    """Writes a whole file or nothing; a secret one is readable by its owner only. Raises ``FileError``."""
    _native.write_file(path, data, secret)


def to_bytes(save: Callable[[str], None]) -> bytes:
    """The bytes that ``save`` writes to a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "object")
        save(path)
        with open(path, "rb") as file:
            return file.read()


def from_bytes(data: bytes, load: Callable[[str], T]) -> T:
    """The object that ``load`` reads from a file of these bytes; errors do not name the temporary file."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "object")
        with open(path, "wb") as file:
            file.write(data)
        try:
            return load(path)
        except FileError as error:
            raise FileError(str(error).replace(path, "the bytes"), error.kind) from None
