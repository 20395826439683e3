"""Whole files of keys, ciphertexts and reports."""

from __future__ import annotations

import os

#: No key or ciphertext file is larger.
_LIMIT = 64 << 20


def read_bytes(path: str) -> bytes:
    """A file of at most 64 MiB."""
    size = os.path.getsize(path)
    if size > _LIMIT:
        raise OSError(f"{path}: has {size} bytes, more than the {_LIMIT} that such a file can have")
    with open(path, "rb") as file:
        return file.read()


def write_bytes(path: str, data: bytes) -> None:
    """Writes a whole file or nothing."""
    temporary = f"{path}.{os.getpid()}.part"
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise
