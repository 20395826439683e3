"""Tables from frames and files, by the library's schema."""

from __future__ import annotations

import pathlib

import numpy as np
import pandas as pd
import pytest

import halflight as hl
from halflight.errors import FileError, OptionError


def frame(items: int = 300, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    made = pd.DataFrame(
        {
            "age": rng.integers(18, 90, items),
            "sex": rng.choice(["f", "m"], items),
            "size": rng.choice(["S", "M", "L"], items),
            "joined": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, items), unit="D"),
            "pressure": rng.normal(120, 15, items).round(2),
        }
    )
    made["income"] = np.where(made["age"] + 20 * (made["sex"] == "f") > 60, "high", "low")
    return made


def test_a_frame_is_a_file(tmp_path: pathlib.Path) -> None:
    given = frame()
    given.to_csv(tmp_path / "people.csv", index=False)
    options = {"ordinals": {"size": ["S", "M", "L"]}}
    of_frame, of_file = (hl.read_table(source, "income", **options).data for source in (given, tmp_path / "people.csv"))
    assert np.array_equal(of_frame.images, of_file.images) and of_frame.schema == of_file.schema
    assert len(of_frame) == 300 and sorted(of_frame.classes("income")) == ["high", "low"]
    assert of_frame.features is not None and "age" in of_frame.features and "sex=f" in of_frame.features
    copy = hl.Dataset.from_bytes(of_frame.to_bytes())
    assert copy.schema == of_frame.schema


def test_a_second_table_is_read_by_the_first_ones_schema() -> None:
    data = hl.read_table(frame(), "income").data
    more = frame(50, seed=1).drop(columns="income").assign(age=np.r_[[500], np.full(49, 30)])
    read = hl.read_table(more, like=data, unlabelled=True)
    assert read.data.size == data.size and read.data.names == []
    with pytest.raises(FileError, match="the table"):
        hl.read_table(more.assign(sex="?!"), like=data, unlabelled=True)
    left_out = hl.read_table(more.assign(sex=["x", *["f"] * 49]), like=data, unlabelled=True, unknown="drop")
    assert len(left_out.data) == 49 and sum(left_out.filtered.values()) == 1
    holes = frame(40, seed=2)
    holes.loc[3, "age"] = np.nan
    with pytest.raises(FileError):
        hl.read_table(holes, like=data)
    filled = hl.read_table(holes, like=data, missing="median")
    assert len(filled.data) == 40 and filled.handled


def test_a_table_goes_to_an_encrypted_prediction() -> None:
    data = hl.read_table(frame(900), "income").data
    test = hl.read_table(frame(200, seed=5), like=data).data
    network = hl.train(
        data, main="income", units=12, outputs=2, steps=250, batch=300, encoder={"per_column": True, "fitted_range": True}, progress=False
    )
    compiled = hl.compile(network, data, steps=40, batch=300, progress=False)
    assert compiled.accuracy(test) > 85
    authority = hl.setup(compiled)
    found = hl.predict(authority.issue(compiled), compiled, hl.encrypt(authority.parameters, test, items=slice(4)))
    assert np.array_equal(found.outputs, compiled.evaluate(test[:4]))


def test_what_is_no_table() -> None:
    with pytest.raises(TypeError, match="of type int"):
        hl.read_table(3)
    with pytest.raises(FileError, match="extension"):
        hl.read_table("people.xlsx", "income")
    with pytest.raises(FileError):
        hl.read_table("nowhere.csv", "income")
    with pytest.raises(FileError, match="colour"):
        hl.read_table(frame(), "colour")
    with pytest.raises(OptionError, match="not read from a table"):
        hl.read_table(frame(), like=hl.handwriting())
    with pytest.raises(OptionError):
        hl.read_table(frame(), "income", missing="perhaps")  # type: ignore[arg-type]
