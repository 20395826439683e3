"""Writes safetensors files: eight bytes of length, a JSON header, the tensors one after the other."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from os import PathLike, fspath
from typing import Any, Optional, Union

import numpy as np
from numpy.typing import NDArray

_TYPES = {"float32": "F32", "float64": "F64", "int32": "I32", "int64": "I64", "uint8": "U8"}


def save(
    path: Union[str, "PathLike[str]"],
    tensors: Mapping[str, NDArray[Any]],
    metadata: Optional[Mapping[str, str]] = None,
) -> None:
    """Writes ``tensors`` (float32, float64, int32, int64 or uint8); the file appears whole or not at all."""
    header: dict[str, Any] = {} if metadata is None else {"__metadata__": dict(metadata)}
    parts: list[bytes] = []
    offset = 0
    for name, tensor in tensors.items():
        data = np.ascontiguousarray(tensor).astype(tensor.dtype.newbyteorder("<"), copy=False).tobytes()
        span = [offset, offset + len(data)]
        header[name] = {"dtype": _TYPES[tensor.dtype.name], "shape": list(tensor.shape), "data_offsets": span}
        parts.append(data)
        offset += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    target = fspath(path)
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(target) or ".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            file.writelines(parts)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
