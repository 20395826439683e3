"""Keys: what the authority holds, publishes and issues."""

from __future__ import annotations

import os
from collections.abc import Sequence
from os import fspath
from typing import Any, Optional, Union

from . import _native
from ._check import instance
from ._files import read_bytes, write_bytes
from .compiled import CompiledNetwork
from .data import Encoder, Path
from .errors import KeyFileError, WireError

_MASTER, _PUBLIC = "master.age", "public"
_POLICY = "policy.toml"


class Parameters:
    """What the authority publishes and an owner needs: public key and encoder."""

    def __init__(self, native: _native.Parameters) -> None:
        self._native = native

    @classmethod
    def load(cls, folder: Path) -> Parameters:
        """Reads a folder of published parameters (``public.key``, ``encoder.json``).

        Raises ``FileError``, ``KeyMismatch``.
        """
        return cls(_native.Parameters.load(fspath(folder)))

    def save(self, folder: Path) -> None:
        """Writes the folder that ``halflight encrypt --parameters`` reads too."""
        self._native.save(fspath(folder))

    def to_bytes(self) -> bytes:
        """Key and encoder: eight bytes of the key's length, the key, the encoder's JSON."""
        key = self._native.key_bytes()
        return len(key).to_bytes(8, "little") + key + self.encoder.to_json().encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Parameters:
        """Reads the result of :meth:`to_bytes`. Raises ``WireError``, ``OptionError``, ``KeyMismatch``."""
        end = 8 + int.from_bytes(data[:8], "little")
        try:
            text = data[end:].decode()
            if not text:
                raise ValueError("no encoder")
        except ValueError:
            raise WireError("these bytes are not parameters: take them from Parameters.to_bytes", "Length") from None
        return cls(_native.Parameters.from_bytes(data[8:end], Encoder.from_json(text)._native))

    def __reduce__(self) -> Any:
        return Parameters.from_bytes, (self.to_bytes(),)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Parameters) and self.id == other.id and self.encoder == other.encoder

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def id(self) -> str:
        """The public key's identity, 64 hexadecimal digits; ciphertexts and functional keys name it."""
        return self._native.id

    @property
    def inputs(self) -> tuple[int, int]:
        """Lengths ``(n, m)`` of the vectors that it encrypts."""
        return self._native.inputs

    @property
    def encoder(self) -> Encoder:
        """Makes the vectors that are encrypted."""
        return Encoder(self._native.encoder)

    def __repr__(self) -> str:
        return f"<Parameters {self.id[:16]}: {self.inputs[0]} + {self.inputs[1]} inputs>"


class FunctionalKey:
    """Opens one network's outputs on every ciphertext of its public key, past and future."""

    def __init__(self, native: _native.FunctionalKey) -> None:
        self._native = native

    @classmethod
    def load(cls, path: Path) -> FunctionalKey:
        """Reads a key file. Raises ``WireError``, ``OSError``."""
        return cls(_native.FunctionalKey.from_bytes(read_bytes(fspath(path))))

    def save(self, path: Path) -> None:
        """Writes the file that ``halflight predict --key`` reads too; only its owner can read it."""
        write_bytes(fspath(path), self.to_bytes(), secret=True)

    def to_bytes(self) -> bytes:
        """The file of :meth:`save` as bytes. Whoever has them opens the network's outputs."""
        return self._native.to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> FunctionalKey:
        """Reads the result of :meth:`to_bytes`, from any source. Raises ``WireError``."""
        return cls(_native.FunctionalKey.from_bytes(data))

    def __reduce__(self) -> Any:
        raise TypeError("a functional key opens ciphertexts, so it is not pickled: send key.to_bytes() explicitly")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FunctionalKey) and self.to_bytes() == other.to_bytes()

    def __hash__(self) -> int:
        return hash(self.to_bytes())

    def verify(self, parameters: Parameters) -> None:
        """Checks, without any secret, that every output opens what it should under this public key.

        A wrong key passes with probability at most 2^-128. Raises ``KeyMismatch``.
        """
        self._native.verify(instance(parameters, Parameters, "parameters")._native)

    @property
    def public_key(self) -> str:
        """Identity of the public key that it belongs to."""
        return self._native.public_key

    @property
    def outputs(self) -> int:
        """Outputs S that it opens."""
        return self._native.outputs

    def __repr__(self) -> str:
        return f"<FunctionalKey of {self.outputs} outputs under {self.public_key[:16]}>"


class Authority:
    """Holds the master key: sets up keys and issues functional keys.

    Whoever holds a functional key learns its function on every ciphertext, and keys add up (:func:`open_rank`); it is
    the authority's task to decide which to issue. This class signs whatever it is asked to sign; ``halflight
    authority`` and ``halflight serve authority`` keep a policy and a ledger. The secret is never printed, pickled or
    copied, and is erased from memory with the object.
    """

    def __init__(self, native: _native.Authority) -> None:
        self._native = native

    @classmethod
    def load(
        cls, folder: Path, *, passphrase: Optional[str] = None, identity: Optional[str] = None
    ) -> Authority:
        """Opens a folder that :meth:`save` wrote.

        Give the passphrase (about a second of work) or an age identity, ``AGE-SECRET-KEY-1…``. A folder of
        ``halflight authority init`` keeps a policy and a ledger, and only that command issues from it.
        Raises ``KeyFileError``, ``KeyMismatch``, ``WireError``.
        """
        secret = _one_of("passphrase", passphrase, "identity", identity)
        if os.path.exists(os.path.join(fspath(folder), _POLICY)):
            raise KeyFileError(
                f"{fspath(folder)}: has a policy and a ledger, which this class would pass over; use "
                f"`halflight authority issue --folder {fspath(folder)}`",
                "Policy",
            )
        public = Parameters.load(os.path.join(fspath(folder), _PUBLIC))
        path = os.path.join(fspath(folder), _MASTER)
        return cls(_native.Authority.load(path, secret, identity is not None, public._native))

    def save(
        self, folder: Path, *, passphrase: Optional[str] = None, recipient: Optional[str] = None
    ) -> None:
        """Writes ``master.age`` (keep it secret) and ``public/`` (publish it); never replaces a master key.

        Raises ``KeyFileError``.
        """
        secret = _one_of("passphrase", passphrase, "recipient", recipient)
        os.makedirs(fspath(folder), exist_ok=True)
        self._native.save_master(os.path.join(fspath(folder), _MASTER), secret, recipient is not None)
        self.parameters.save(os.path.join(fspath(folder), _PUBLIC))

    @property
    def parameters(self) -> Parameters:
        """What owners need; publish it."""
        return Parameters(self._native.parameters)

    def issue(self, network: CompiledNetwork) -> FunctionalKey:
        """The functional key of a network. Raises ``KeyMismatch`` for a network of another encoder."""
        return FunctionalKey(self._native.issue(instance(network, CompiledNetwork, "network")._native))

    def __reduce__(self) -> Any:
        raise TypeError("an authority holds the master key, so it is not pickled or copied: use save and Authority.load")

    def __repr__(self) -> str:
        return f"<Authority over {self.parameters.id[:16]}>"


def setup(source: Union[CompiledNetwork, Encoder]) -> Authority:
    """Draws a fresh master key and public key for the inputs of a network's encoder.

    ``s ∈ Z_r^n``, ``t ∈ Z_r^m`` uniform from the system's generator; BLS12-381. Source: Ryffel et al. 2019,
    figure 1.
    """
    encoder = source.encoder if isinstance(source, CompiledNetwork) else instance(source, Encoder, "source")
    return Authority(_native.Authority.setup(encoder._native))


def open_rank(networks: Sequence[CompiledNetwork]) -> int:
    """What the keys of these networks open together: the exact rank of the span of their forms.

    All networks have one encoder. Holders can pool keys, so every combination of their outputs is open too. Raises
    ``KeyMismatch`` for other inputs.
    """
    return _native.rank([instance(network, CompiledNetwork, "networks")._native for network in networks])


def _one_of(first: str, a: Optional[str], second: str, b: Optional[str]) -> str:
    given = [value for value in (a, b) if value is not None]
    if len(given) != 1:
        raise TypeError(f"give either `{first}` or `{second}`")
    if not given[0].strip():
        raise ValueError(f"`{first if a is not None else second}` is empty: it would protect nothing")
    return given[0]
