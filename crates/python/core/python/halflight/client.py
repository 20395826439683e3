"""The owner's client of a predictor: it pins, encrypts, seals, counts and sends."""

from __future__ import annotations

import asyncio
import json
import os
import warnings
from collections.abc import Sequence
from os import fspath
from typing import Any, NamedTuple, Optional, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _native
from ._check import dumps
from ._progress import Progress, callback
from .data import Dataset, Path, indices


class Answers(NamedTuple):
    """A predictor's answer for N items."""

    #: int64 ``[N, S]``: all that it learned of them.
    outputs: NDArray[np.int64]
    #: float32 ``[N, C]``, by the public head.
    probabilities: NDArray[np.float32]
    #: The most probable class of each item, by name.
    labels: list[str]
    #: Items sent under this public key about this subject, these included.
    sent: int
    #: Accuracy that an attacker reaches on one subject from that many items, in percent, by the audit; None without one.
    accuracy: Optional[float]


class Client:
    """Encrypts items and sends them to one model of a predictor; ``halflight encrypt --url`` does the same.

    Parameters
    ----------
    url : str
        ``https://host:port``, or ``http://`` on this machine only.
    model : str
        The model's name at the predictor.
    pin : str, optional
        Hash of the model's public parameters, from the authority. The first time, this or ``authority`` is needed; once
        accepted, parameters are remembered.
    authority : str, optional
        The authority's public key: parameters signed by it are accepted, now and later.
    project, recipient, context : str, optional
        As agreed with the authority and the predictor.
    subject : str
        Subject of the items: sent items are counted per subject.
    sign : path, optional
        Secret key that signs the envelopes, from ``halflight keygen``.
    token : str, optional
        Bearer token; by default the environment variable ``HALFLIGHT_TOKEN``.
    server_authorities : path, optional
        Certificate authorities of the server, in PEM, instead of the public ones.
    certificate : (path, path), optional
        TLS client certificate and its private key, in PEM.
    auditor : str, optional
        Public key of the auditor whose signed audit counts.
    warn_items, most_items : int or None
        Warn once this many items of one subject have been sent; never send more than this many.
    most_accuracy : float, optional
        Stop before an attacker reaches this accuracy on one subject, in percent, according to the signed audit.
    folder : path, optional
        Pins, public keys and counts; by default ``$HALFLIGHT_CLIENT``, else ``~/.halflight``. The command uses the same.

    Raises ``ClientError``: no such model, parameters that nothing authenticates, a server that refuses.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        pin: Optional[str] = None,
        authority: Optional[str] = None,
        project: Optional[str] = None,
        recipient: str = "",
        context: str = "",
        subject: str = "",
        sign: Optional[Path] = None,
        token: Optional[str] = None,
        server_authorities: Optional[Path] = None,
        certificate: Optional[tuple[Path, Path]] = None,
        auditor: Optional[str] = None,
        warn_items: Optional[int] = 20,
        most_items: Optional[int] = 140,
        most_accuracy: Optional[float] = None,
        folder: Optional[Path] = None,
        progress: Progress = None,
    ) -> None:
        if most_accuracy is not None and auditor is None:
            raise TypeError("most_accuracy needs an auditor, whose audit gives the accuracy")
        kept = folder or os.environ.get("HALFLIGHT_CLIENT") or os.path.join(os.path.expanduser("~"), ".halflight")
        given = {
            "url": url,
            "model": model,
            "folder": fspath(kept),
            "pin": pin,
            "authority": authority,
            "project": project,
            "recipient": recipient,
            "context": context,
            "subject": subject,
            "sign": None if sign is None else fspath(sign),
            "token": token or os.environ.get("HALFLIGHT_TOKEN"),
            "server_authorities": None if server_authorities is None else fspath(server_authorities),
            "certificate": None if certificate is None else [fspath(part) for part in certificate],
            "auditor": auditor,
            "warn_items": warn_items,
            "most_items": most_items,
            "most_accuracy": most_accuracy,
        }
        self._native = _native.Client.connect(dumps(given), callback(progress, "tables of the public key"))
        self.url = url
        self.model = model

    @classmethod
    async def connect(cls, url: str, model: str, **options: Any) -> Client:
        """A client, without blocking the event loop; options as in the constructor."""
        return await asyncio.to_thread(cls, url, model, **options)

    @property
    def pin(self) -> str:
        """Hash of the parameters in use."""
        return self._native.pin

    @property
    def public_key(self) -> str:
        """Identity of the public key in use."""
        return self._native.public_key

    def predict(self, data: Union[Dataset, ArrayLike], items: Union[None, slice, Sequence[int]] = None) -> Answers:
        """Encrypts items and sends them; they are counted before they are sent.

        Raises ``ClientError`` for a limit that is reached (nothing is sent then) or a server that refuses,
        ``DatasetError`` or ``EncodeError`` for items that the encoder refuses.
        """
        data = data if isinstance(data, Dataset) else Dataset(data, {})
        chosen = indices(slice(None) if items is None else items, len(data))
        outputs, probabilities, labels, text = self._native.predict(data._native, chosen)
        reading = _Reading(text)
        if reading.warn:
            warnings.warn(
                f"{reading.items} items of this subject were sent under this public key; what many items reveal adds up",
                stacklevel=2,
            )
        return Answers(outputs, probabilities, labels, reading.items, reading.accuracy)

    async def predict_async(
        self, data: Union[Dataset, ArrayLike], items: Union[None, slice, Sequence[int]] = None
    ) -> Answers:
        """:meth:`predict`, without blocking the event loop."""
        return await asyncio.to_thread(self.predict, data, items)

    def __repr__(self) -> str:
        return f"<Client of {self.model} at {self.url}, parameters {self.pin[:16]}>"


class _Reading:
    def __init__(self, text: str) -> None:
        values = json.loads(text)
        self.items = int(values["items"])
        self.accuracy: Optional[float] = values.get("accuracy")
        self.warn = bool(values.get("warn"))
