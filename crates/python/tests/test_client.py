"""The client against a real predictor of the command; skipped where the command is not built (``HALFLIGHT``)."""

from __future__ import annotations

import asyncio
import json
import os
import pathlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import halflight as hl
from halflight.errors import ClientError, OptionError

COMMAND = os.environ.get("HALFLIGHT") or shutil.which("halflight")
pytestmark = pytest.mark.skipif(not (COMMAND and os.access(COMMAND, os.X_OK)), reason="the command is not built")


def command(folder: pathlib.Path, *arguments: object) -> Any:
    done = subprocess.run(
        [str(COMMAND), *map(str, arguments), "--json", "--quiet"], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def service(compiled: hl.CompiledNetwork, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address of a predictor, and the pin of its model."""
    folder = tmp_path_factory.mktemp("service")
    compiled.save(folder / "compiled.safetensors")
    command(folder, "keygen", "--identity", "--out", "authority.identity")
    authority = ["--folder", "authority", "--identity", "authority.identity"]
    command(folder, "authority", "init", "--network", "compiled.safetensors", *authority)
    issued = command(
        folder, "authority", "issue", "--network", "compiled.safetensors", *authority, "--holder", "ward-3", "--model", "models/m"
    )
    server = subprocess.Popen(
        [str(COMMAND), "serve", "predictor", "--models", "models", "--listen", "127.0.0.1:0", "--table-bits", "18"],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr is not None
    address = next(found.group() for line in server.stderr if (found := re.search(r"http://[\d.:]+", line)))
    yield address, issued["pin"]
    server.terminate()
    server.wait()


def test_a_client_sends_and_counts(
    service: tuple[str, str], compiled: hl.CompiledNetwork, test: hl.Dataset, tmp_path: pathlib.Path
) -> None:
    address, pin = service
    client = hl.Client(address, "m", pin=pin, folder=tmp_path, subject="ann", most_items=12, warn_items=9, progress=False)
    assert client.pin == pin and "m at http" in repr(client)
    found = client.predict(test, slice(0, 5))
    assert np.array_equal(found.outputs, compiled.evaluate(test[:5])) and found.sent == 5
    assert found.labels == [compiled.classes[index] for index in compiled.predict(test[:5])]
    # Arrays, more items than one request takes, and the warning.
    with pytest.warns(UserWarning, match="10 items"):
        again = client.predict(test.images[5:10])
    assert np.array_equal(again.outputs, compiled.evaluate(test[5:10])) and again.sent == 10
    # The limit holds, nothing is sent, and the next client of the folder knows.
    with pytest.raises(ClientError, match="12"):
        client.predict(test, slice(0, 3))
    other = hl.Client(address, "m", folder=tmp_path, subject="ann", most_items=12, progress=False)
    assert other.predict(test, [0, 1]).sent == 12
    with pytest.raises(ClientError):
        other.predict(test, [0])


def test_an_event_loop_goes_on(
    service: tuple[str, str], compiled: hl.CompiledNetwork, test: hl.Dataset, tmp_path: pathlib.Path
) -> None:
    address, pin = service

    async def several() -> list[Any]:
        client = await hl.Client.connect(address, "m", pin=pin, folder=tmp_path, progress=False)
        return await asyncio.gather(*(client.predict_async(test, [item]) for item in range(4)))

    found = asyncio.run(several())
    assert np.array_equal(np.concatenate([each.outputs for each in found]), compiled.evaluate(test[:4]))


def test_what_nothing_vouches_for_is_refused(service: tuple[str, str], test: hl.Dataset, tmp_path: pathlib.Path) -> None:
    address, pin = service
    with pytest.raises(ClientError, match="nothing authenticates"):
        hl.Client(address, "m", folder=tmp_path, progress=False)
    wrong = "0" * 64 if pin[:4] != "0000" else "f" * 64
    with pytest.raises(ClientError):
        hl.Client(address, "m", pin=wrong, folder=tmp_path, progress=False)
    with pytest.raises(OptionError, match="`pin`"):
        hl.Client(address, "m", pin="no hash", folder=tmp_path, progress=False)
    with pytest.raises(ClientError):
        hl.Client(address, "nobody", pin=pin, folder=tmp_path, progress=False)
    with pytest.raises(ClientError, match="https"):
        hl.Client("http://example.org", "m", pin=pin, folder=tmp_path, progress=False)
    client = hl.Client(address, "m", pin=pin, folder=tmp_path, progress=False)
    with pytest.raises(ClientError, match="pixels"):
        client.predict(hl.handwriting(), [0])
