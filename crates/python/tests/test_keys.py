"""Authority, owner, predictor: encrypted evaluation equals the integer network."""

from __future__ import annotations

import hashlib
import pathlib

import numpy as np
import pytest

import halflight as hl
from halflight.errors import EncodeError, KeyFileError, KeyMismatch, PredictError, WireError


def test_encrypted_equals_clear(compiled: hl.CompiledNetwork, authority: hl.Authority, test: hl.Dataset) -> None:
    key = authority.issue(compiled)
    ciphertexts = hl.encrypt(authority.parameters, test, items=[0, 5, -1])
    found = hl.predict(key, compiled, ciphertexts)
    items = test[[0, 5, -1]]
    assert np.array_equal(found.outputs, compiled.evaluate(items))
    assert found.labels == [compiled.classes[index] for index in compiled.predict(items)]
    assert np.allclose(found.probabilities, compiled.predict_proba(items))
    slow = hl.encrypt(authority.parameters, test, items=slice(0, 1), constant_time=True)
    assert np.array_equal(hl.Predictor(key, compiled).evaluate(slow), compiled.evaluate(test[:1]))
    first, second = (hl.encrypt(authority.parameters, test, items=0)[0] for _ in range(2))
    assert first.to_bytes() != second.to_bytes()
    assert hl.Predictor(key, compiled).evaluate([]).shape == (0, 3)


def test_anybody_checks_a_key(compiled: hl.CompiledNetwork, authority: hl.Authority, tmp_path: pathlib.Path) -> None:
    authority.issue(compiled).save(tmp_path / "functional.key")
    key = hl.FunctionalKey.load(tmp_path / "functional.key")
    key.verify(authority.parameters)
    with pytest.raises(KeyMismatch, match="belongs to public key"):
        key.verify(hl.setup(compiled).parameters)
    content = bytearray((tmp_path / "functional.key").read_bytes()[:-32])
    content[-384:-192], content[-192:] = content[-192:], content[-384:-192]
    (tmp_path / "swapped.key").write_bytes(bytes(content) + hashlib.sha256(content).digest())
    with pytest.raises(KeyMismatch, match="output"):
        hl.FunctionalKey.load(tmp_path / "swapped.key").verify(authority.parameters)


def test_files_keep_their_meaning(
    compiled: hl.CompiledNetwork, authority: hl.Authority, test: hl.Dataset, tmp_path: pathlib.Path
) -> None:
    authority.save(tmp_path / "authority", passphrase="correct horse")
    with pytest.raises(KeyFileError, match="exists"):
        authority.save(tmp_path / "authority", passphrase="correct horse")
    with pytest.raises(KeyFileError, match="cannot decrypt"):
        hl.Authority.load(tmp_path / "authority", passphrase="wrong")
    again = hl.Authority.load(tmp_path / "authority", passphrase="correct horse")
    again.issue(compiled).save(tmp_path / "functional.key")
    parameters = hl.Parameters.load(tmp_path / "authority" / "public")
    assert parameters.id == authority.parameters.id and parameters.encoder == compiled.encoder
    hl.encrypt(parameters, test, items=[2])[0].save(tmp_path / "2.ct", compressed=True)
    ciphertext, key = hl.Ciphertext.load(tmp_path / "2.ct"), hl.FunctionalKey.load(tmp_path / "functional.key")
    assert key.public_key == ciphertext.public_key == parameters.id and key.outputs == compiled.width
    assert np.array_equal(hl.predict(key, compiled, [ciphertext]).outputs, compiled.evaluate(test[[2]]))
    with pytest.raises(TypeError, match="give either"):
        authority.save(tmp_path / "other")
    (tmp_path / "authority" / "policy.toml").touch()
    with pytest.raises(KeyFileError, match="policy and a ledger"):
        hl.Authority.load(tmp_path / "authority", passphrase="correct horse")


def test_what_does_not_belong_together_is_refused(
    network: hl.Network, data: hl.Dataset, compiled: hl.CompiledNetwork, authority: hl.Authority, test: hl.Dataset
) -> None:
    other = hl.compile(network, data, steps=0, precision={"left": 6})
    key = authority.issue(compiled)
    with pytest.raises(KeyMismatch, match="another function"):
        hl.Predictor(key, other)
    stranger = hl.setup(compiled)
    with pytest.raises(PredictError, match="public key"):
        hl.Predictor(key, compiled).evaluate(hl.encrypt(stranger.parameters, test, items=[0]))
    with pytest.raises(KeyMismatch, match="encoder"):
        hl.setup(hl.Encoder.pixels(12, 12)).issue(compiled)
    with pytest.raises(EncodeError, match="pixels"):
        hl.encrypt(authority.parameters, hl.handwriting(), items=[0])
    with pytest.raises(IndexError):
        hl.encrypt(authority.parameters, test, items=[600])
    data_of_stranger = bytearray(hl.encrypt(authority.parameters, test, items=[0])[0].to_bytes())
    data_of_stranger[200] ^= 1
    with pytest.raises(WireError):
        hl.Ciphertext.from_bytes(bytes(data_of_stranger))
    with pytest.raises(WireError):
        hl.Ciphertext.from_bytes(b"HLQF")


def test_keys_add_up() -> None:
    encoder = hl.Encoder.pixels(1, 2, bits=4)
    rows = np.array([[1, 1, 0], [0, 1, 0]])

    def made(D: list[list[int]]) -> hl.CompiledNetwork:
        return hl.CompiledNetwork.from_integers(rows, rows[::-1].copy(), D, encoder=encoder)

    assert hl.open_rank([made([[1, 0]])]) == 1
    assert hl.open_rank([made([[1, 0]]), made([[2, 0]])]) == 1
    assert hl.open_rank([made([[1, 1]]), made([[1, -1]])]) == hl.open_rank([made([[1, 0], [0, 1]])])
    assert hl.open_rank([]) == 0
