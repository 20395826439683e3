"""Data sets and encoders."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

import halflight as hl
from halflight.errors import DatasetError, DrawError, EncodeError, FileError, OptionError


def test_a_seed_names_a_data_set(data: hl.Dataset) -> None:
    again = hl.draw(1200, seed=1, characters="0147", size=12, em=9.0, elastic_alpha=10.0)
    assert np.array_equal(again.images, data.images)
    assert not np.array_equal(hl.draw(1200, seed=3, characters="0147", size=12, em=9.0).images, data.images)
    assert data.images.dtype == np.uint8 and data.images.shape == (1200, 12, 12)
    assert data.names == ["character", "font"] and data.classes("font") == ["cursive", "serif"]
    assert data.labels("character").dtype == np.int64 and set(data.labels("character")) == {0, 1, 2, 3}


def test_arrays_and_files_come_back(tmp_path: pathlib.Path) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (20, 5, 7), dtype=np.uint8)
    words = ["no", "yes"] * 10
    data = hl.Dataset(images, {"answer": words, "group": np.arange(20) % 3, "named": (np.arange(20) % 2, ["a", "b"])})
    data.save(tmp_path / "data.safetensors")
    back = hl.load(tmp_path / "data.safetensors")
    assert np.array_equal(back.images, images) and back.size == (5, 7)
    assert [back.classes("answer")[value] for value in back.labels("answer")] == words
    assert back.classes("group") == ["0", "1", "2"] and back.classes("named") == ["a", "b"]
    transposed = hl.Dataset(images.transpose(0, 2, 1), {})
    assert np.array_equal(transposed.images, images.transpose(0, 2, 1))


def test_items_by_slice_list_and_mask(data: hl.Dataset) -> None:
    assert np.array_equal(data[5:9].images, data.images[5:9])
    assert np.array_equal(data[[7, -1, 7]].images, data.images[[7, -1, 7]])
    mask = data.labels("font") == 1
    assert np.array_equal(data[mask].labels("character"), data.labels("character")[mask])
    rest, held = data.split(0.25, ["font"], seed=4)
    assert len(held) == 300 and len(rest) == 900
    with pytest.raises(IndexError, match="1200"):
        data[[1200]]
    with pytest.raises(IndexError, match="mask"):
        data[[True, False]]


def test_pictures_of_data(data: hl.Dataset) -> None:
    png = data._repr_png_()
    assert png is not None and png.startswith(b"\x89PNG")
    assert "1200 images 12x12" in repr(data)


def test_handwriting_is_there() -> None:
    digits = hl.handwriting()
    assert len(digits) == 1797 and digits.size == (8, 8)


def test_refusals_mirror_the_library(data: hl.Dataset, tmp_path: pathlib.Path) -> None:
    with pytest.raises(DatasetError, match="no label `colour`") as raised:
        data.labels("colour")
    assert raised.value.kind == "NoLabel" and isinstance(raised.value, (hl.HalflightError, ValueError))
    with pytest.raises(DatasetError, match="value 5"):
        hl.Dataset(np.zeros((1, 4, 4), np.uint8), {"a": (np.array([5]), ["x"])})
    with pytest.raises(TypeError, match="float64"):
        hl.Dataset(np.zeros((1, 4, 4)), {})
    with pytest.raises(DrawError, match="`rotation` is 500"):
        hl.draw(1, rotation=500.0)
    with pytest.raises(OptionError, match="rotatoin"):
        hl.draw(1, rotatoin=5.0)
    with pytest.raises(FileError, match="nothing.safetensors"):
        hl.load(tmp_path / "nothing.safetensors")
    (tmp_path / "cut").write_bytes(b"abc")
    with pytest.raises(OSError, match="cut"):
        hl.load(tmp_path / "cut")
    with pytest.raises(EncodeError, match="pooling"):
        hl.Encoder.fit(data, pooling=5)


def test_encoders_make_what_they_say(data: hl.Dataset) -> None:
    encoder = hl.Encoder.fit(data, bits=3, pooling=2, right=10)
    n, m = encoder.inputs
    u, v = encoder.encode(data[:50])
    z = encoder.standardise(data[:50])
    assert u.shape == (50, n) and v.shape == (50, m) and z.shape == (50, n - 1) and m == 11
    low, step, highest = encoder.grid
    assert highest == 7 and (u[:, 0] == 1).all() and u[:, 1:].min() >= 0 and u[:, 1:].max() <= 7
    assert np.abs(low + step * u[:, 1:] - z).max() <= step / 2 + 1e-5
    assert np.array_equal(v[:, 1:], u[:, 1:][:, encoder.right])
    assert hl.Encoder.from_json(encoder.to_json()) == encoder
    pixels = hl.Encoder.pixels(12, 12)
    assert np.allclose(pixels.standardise(data[:5]), data.images[:5].reshape(5, -1) / 255)
    assert np.array_equal(pixels.encode(data[:5])[0][:, 1:], data.images[:5].reshape(5, -1))


def test_progress_is_told_and_can_stop() -> None:
    seen: list[tuple[int, int]] = []
    hl.draw(3000, seed=5, progress=lambda done, total, message: seen.append((done, total)))
    assert seen[-1] == (3000, 3000) and all(done <= total for done, total in seen)

    def stop(done: int, total: int, message: str) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        hl.draw(20, seed=5, progress=stop)
