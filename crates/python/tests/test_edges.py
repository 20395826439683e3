"""What a person types by mistake: refused by name, at once, without harm."""

from __future__ import annotations

import copy
import os
import pathlib
import pickle
import re
import time
import tracemalloc
from typing import Any

import numpy as np
import pandas as pd
import pytest

import halflight as hl
from halflight.errors import DatasetError, FileError, HalflightError, ImportFailed, WireError

IMAGES = np.zeros((3, 4, 4), np.uint8)


@pytest.mark.parametrize("value", [3 * 10**9, 2**62, 65_536])
def test_a_large_label_builds_nothing(value: int) -> None:
    tracemalloc.start()
    start = time.monotonic()
    with pytest.raises(DatasetError, match=f"value {value}: class indices go from 0 to 65535"):
        hl.Dataset(IMAGES, {"a": [0, 1, value]})
    assert time.monotonic() - start < 1 and tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0.0, 1.0, np.nan], "no value at item 2"),
        ([None, "a", "b"], "no value at item 0"),
        (pd.Series(["a", pd.NA, "b"]), "no value at item 1"),
        (np.array(["2020", "NaT", "2021"], dtype="datetime64[Y]"), "no value at item 1"),
        (([0, 1, 1], ["x", "x"]), "two classes named 'x'"),
        (([0, 1.5, 1], ["x", "y"]), "1.5"),
        (([0, -1, 1], ["x", "y"]), "-1"),
        ([0, -1, 1], "-1"),
        ([[0], [1], [2]], "one value per item"),
        ([0, 1], "2"),
    ],
)
def test_labels_that_are_none(labels: Any, message: str) -> None:
    with pytest.raises((DatasetError, TypeError, ValueError), match=message):
        hl.Dataset(IMAGES, {"a": labels})


def test_labels_of_many_kinds() -> None:
    for labels, classes in [
        (pd.Series(["b", "a", "b"]), ["a", "b"]),
        (pd.Categorical(["b", "a", "b"]), ["a", "b"]),
        ([True, False, True], ["False", "True"]),
        (np.array([2, 0, 1], dtype=np.uint8), ["0", "1", "2"]),
        ([1.5, 2.5, 1.5], ["1.5", "2.5"]),
    ]:
        assert hl.Dataset(IMAGES, {"a": labels}).classes("a") == classes


def test_no_secret_without_protection(authority: hl.Authority, tmp_path: pathlib.Path) -> None:
    for empty in ("", "   "):
        with pytest.raises(ValueError, match="`passphrase` is empty"):
            authority.save(tmp_path / "authority", passphrase=empty)
    assert not (tmp_path / "authority").exists()


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_a_key_is_its_owners_alone(authority: hl.Authority, compiled: hl.CompiledNetwork, tmp_path: pathlib.Path) -> None:
    authority.issue(compiled).save(tmp_path / "functional.key")
    assert (tmp_path / "functional.key").stat().st_mode & 0o777 == 0o600
    authority.parameters.save(tmp_path / "public")
    ciphertext = hl.encrypt(authority.parameters, np.zeros((1, 12, 12), np.uint8), progress=False)[0]
    ciphertext.save(tmp_path / "0.ct")
    assert (tmp_path / "0.ct").stat().st_mode & 0o044
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_nothing_is_cut_off(compiled: hl.CompiledNetwork, test: hl.Dataset) -> None:
    outputs = compiled.evaluate(test[:3])
    assert np.array_equal(compiled.head(outputs.astype(float)), compiled.head(outputs))
    with pytest.raises(ValueError, match=r"\.5: give whole numbers"):
        compiled.head(outputs + 0.5)
    with pytest.raises(ValueError, match="whole numbers"):
        compiled.head(outputs * np.nan)
    u, v = compiled.encoder.encode(test[:1])
    with pytest.raises(ValueError, match="`u` holds"):
        compiled.evaluate_encoded(u[0] + 0.25, v[0])
    with pytest.raises(ValueError, match="whole numbers of 64 bits"):
        compiled.head(outputs * 1e30)


def test_plain_arrays_are_encrypted(compiled: hl.CompiledNetwork, authority: hl.Authority, test: hl.Dataset) -> None:
    ciphertexts = hl.encrypt(authority.parameters, test.images[:4], progress=False)
    predictor = hl.Predictor(authority.issue(compiled), compiled)
    assert np.array_equal(predictor.evaluate(ciphertexts), compiled.evaluate(test[:4]))
    with pytest.raises(TypeError, match="float64"):
        hl.encrypt(authority.parameters, test.images[:4] / 255)


def test_equal_things_are_equal(compiled: hl.CompiledNetwork, authority: hl.Authority, test: hl.Dataset) -> None:
    one, other = hl.encrypt(authority.parameters, test, items=[0, 0], progress=False)
    again = hl.Ciphertext.from_bytes(one.to_bytes(compressed=True))
    assert one == again and hash(one) == hash(again) and one != other and len({one, other, again}) == 2
    assert hl.Ciphertext.from_bytes_batch([one.to_bytes(), other.to_bytes()]) == [one, other]
    with pytest.raises(WireError, match="item 1"):
        hl.Ciphertext.from_bytes_batch([one.to_bytes(), b"nothing"])
    assert authority.parameters == hl.Parameters.from_bytes(authority.parameters.to_bytes())


@pytest.mark.parametrize(
    "call",
    [
        lambda: hl.setup("network"),
        lambda: hl.encrypt("parameters", IMAGES),
        lambda: hl.train(IMAGES),
        lambda: hl.compile(None, None),
        lambda: hl.Predictor("key", "network"),
        lambda: hl.open_rank(["network"]),
        lambda: hl.Encoder.fit(IMAGES),
    ],
)
def test_messages_speak_of_what_was_given(call: Any) -> None:
    with pytest.raises(TypeError, match=r"^`\w+` is .*: give an? ") as raised:
        call()
    assert "_native" not in str(raised.value)


def test_messages_name_no_file_that_nobody_saw(compiled: hl.CompiledNetwork) -> None:
    for read in (hl.CompiledNetwork.from_bytes, hl.Network.from_bytes, hl.Dataset.from_bytes):
        with pytest.raises(FileError) as raised:
            read(b"nothing of ours")
        assert "/" not in str(raised.value).split(";")[0] and "the bytes" in str(raised.value)
    encoder = hl.Encoder.pixels(1, 2, bits=4)
    with pytest.raises(ImportFailed) as failed:
        hl.CompiledNetwork.from_integers([[1, 2]], None, [[1]], encoder=encoder)
    assert "the network: `P` has shape [1, 2]" in str(failed.value)
    with pytest.raises(WireError):
        hl.Parameters.from_bytes(b"\xff" * 40)


def test_options_take_numpy_and_refuse_the_rest(data: hl.Dataset) -> None:
    encoder = hl.Encoder.fit(data, bits=np.int64(3), pooling=np.int32(2), low=np.float32(-1))
    assert encoder.grid[2] == 7
    with pytest.raises(TypeError, match="an option is of type object"):
        hl.Encoder.fit(data, bits=object())
    with pytest.raises(HalflightError):
        hl.Encoder.fit(data, bits=True)


def test_whole_arrays_are_checked_before_anything_is_built() -> None:
    with pytest.raises(ImportFailed, match="32 bits"):
        hl.CompiledNetwork.from_integers([[2**40, 0, 0]], None, [[1]], encoder=hl.Encoder.pixels(1, 2, bits=4))
    with pytest.raises(ImportFailed, match="32 bits"):
        hl.CompiledNetwork.from_integers([[np.nan, 0, 0]], None, [[1]], encoder=hl.Encoder.pixels(1, 2, bits=4))


@pytest.mark.parametrize("count", [10**12, 2**62, -1, 1.5, True, "9"])
def test_no_count_ends_the_process(count: Any) -> None:
    with pytest.raises((MemoryError, TypeError, ValueError), match="`count` is"):
        hl.draw(count)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"seeds": [-1]}, "`seeds` is -1"),
        ({"seeds": 3}, "`seeds` is 3"),
        ({"seeds": []}, "seeds"),
        ({"vote": [0]}, "vote"),
        ({"vote": [2**70]}, "`vote` is"),
        ({"vote": "15"}, "`vote` is"),
        ({"train_limit": -5}, "`train_limit` is -5"),
        ({"test_limit": 3}, "test_limit"),
        ({"families": "sorcery"}, "choose quick or full"),
        ({"families": []}, "families"),
        ({"families": ["knn-0"]}, "knn|neighbours|unknown"),
        ({"families": ["mlp-99999999x99999999"]}, "mlp|widths|unknown"),
        ({"noise": [float("nan")]}, "noise"),
    ],
)
def test_options_of_an_audit_are_refused_by_name(given: dict[str, Any], message: str) -> None:
    rng = np.random.default_rng(1)
    side = rng.normal(size=(60, 2)), rng.integers(0, 2, 60), rng.integers(0, 2, 60)
    with pytest.raises((HalflightError, TypeError, ValueError), match=message):
        hl.audit(None, side, side, **{"families": ["logistic"], "control": False, **given})


def test_files_that_are_not_there_are_named(tmp_path: pathlib.Path, compiled: hl.CompiledNetwork) -> None:
    gone = tmp_path / "gone" / "file"
    reads = [hl.load, hl.Network.load, hl.CompiledNetwork.load, hl.Parameters.load, hl.FunctionalKey.load, hl.Ciphertext.load]
    for read in reads:
        with pytest.raises(OSError, match=re.escape(str(gone))):
            read(gone)
    for write in (compiled.save, hl.handwriting().save):
        with pytest.raises(OSError, match="gone"):
            write(gone)
    # A folder is no file, and a file no folder.
    for read in reads:
        with pytest.raises((OSError, HalflightError)):
            read(tmp_path)


def test_secrets_leave_no_copy(authority: hl.Authority, compiled: hl.CompiledNetwork) -> None:
    key = authority.issue(compiled)
    for secret in (authority, key, authority._native, key._native):
        for copied in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                copied(secret)
        assert key.to_bytes().hex()[200:240] not in repr(secret)
