"""Threads, forked children, other processes; and work that is cancelled."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

import joblib
import numpy as np
import pytest

import halflight as hl
from halflight import _native
from halflight.errors import ForkError

FORKS = "fork" in multiprocessing.get_all_start_methods()
#: A child that answers later hangs.
PATIENCE = 120.0


def encoder(noise: bool = False) -> hl.Encoder:
    return hl.Encoder.pixels(1, 4, bits=4)


def tiny() -> hl.CompiledNetwork:
    rows = np.array([[1, 1, 0, 2, 0], [0, 1, 0, 0, 1]])
    return hl.CompiledNetwork.from_integers(rows, rows[::-1].copy(), [[1, 0], [1, 1]], encoder=encoder())


ITEMS = np.arange(24, dtype=np.uint8).reshape(6, 1, 4) * 10


def whole_flow(_: object = None) -> tuple[str, list[bytes], list[list[int]]]:
    """Set-up, encryption and evaluation: what is drawn, and what comes out."""
    network = tiny()
    authority = hl.setup(network)
    ciphertexts = hl.encrypt(authority.parameters, ITEMS, progress=False)
    outputs = hl.Predictor(authority.issue(network), network).evaluate(ciphertexts, progress=False)
    return authority.parameters.id, [one.to_bytes() for one in ciphertexts], outputs.tolist()


def in_child(work: Callable[[Any], Any], method: str, count: int = 2) -> list[Any]:
    """The results of as many children of this process; fails where one hangs."""
    context = multiprocessing.get_context(method)
    with context.Pool(count) as pool:
        return pool.map_async(work, range(count), chunksize=1).get(PATIENCE)


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_children_work_after_their_parent_did(method: str) -> None:
    expected = whole_flow()[2]
    first, second = in_child(whole_flow, method)
    assert first[2] == second[2] == expected


def raw_fork(work: Callable[[], bytes]) -> bytes:
    """What a child gives that is forked here and now, in this thread, without any module's help."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write, work())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        content = pipe.read()
    os.waitpid(child, 0)
    return content


@pytest.mark.skipif(not FORKS, reason="this system does not fork")
def test_no_two_processes_draw_the_same() -> None:
    """Keys, masks and noise: what parent and children draw next differs, in the thread that forked too."""
    network, authority = tiny(), hl.setup(tiny())
    hl.encrypt(authority.parameters, ITEMS, progress=False)

    def draws() -> bytes:
        keys = hl.setup(network).parameters.id
        fast, slow = (
            hl.encrypt(authority.parameters, ITEMS[:1], constant_time=constant, progress=False)[0] for constant in (False, True)
        )
        return f"{keys} {fast.to_bytes().hex()} {slow.to_bytes().hex()}".encode()

    found = [raw_fork(draws) for _ in range(4)] + [draws()]
    for kind in range(3):
        assert len({each.split()[kind] for each in found}) == 5, ("key", "ciphertext", "constant-time ciphertext")[kind]


@pytest.mark.skipif(not FORKS, reason="this system does not fork")
def test_no_two_processes_draw_the_same_noise(network: hl.Network, data: hl.Dataset) -> None:
    noisy = hl.compile(network, data, steps=0, noise=0.5, progress=False)
    noisy.encoder.encode(data[:1])

    def draws() -> bytes:
        return noisy.encoder.encode(data[:20])[1].tobytes()

    found = [raw_fork(draws) for _ in range(4)] + [draws()]
    assert len(set(found)) == 5


@pytest.mark.skipif(not FORKS, reason="this system does not fork")
def test_a_child_trains_and_audits_after_its_parent_did(network: hl.Network, data: hl.Dataset, test: hl.Dataset) -> None:
    def work() -> bytes:
        again = hl.train(data, test, collateral="font", units=12, outputs=3, head=[16], steps=120, batch=200, progress=False)
        hl.compile(again, data, steps=3, batch=300, progress=False)
        hl.audit(again, data, test, families=["knn-7", "mlp-8"], vote=[], control=False, progress=False)
        return again.outputs(test).tobytes()

    assert raw_fork(work) == network.outputs(test).tobytes()


@pytest.mark.skipif(not FORKS, reason="this system does not fork")
def test_a_fork_in_the_middle_of_work_says_so() -> None:
    answers: list[bytes] = []

    def ask() -> bytes:
        try:
            hl.setup(tiny())
        except ForkError as error:
            return str(error).encode()
        return b"no error"

    def fork(done: int, total: int, message: str) -> None:
        if not answers:
            answers.append(raw_fork(ask))

    hl.draw(20_000, seed=1, progress=fork)
    assert b"was working" in answers[0]
    # The parent goes on, and a child that is forked now works.
    assert raw_fork(ask) == b"no error"


def test_threads_work_at_once() -> None:
    expected = whole_flow()[2]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(whole_flow, range(16)))
    assert all(outputs == expected for _, _, outputs in found)
    assert len({key for key, _, _ in found}) == 16
    assert _native.running() == 0


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_joblib_runs_it(backend: str) -> None:
    # Functions of a test module are not importable in a worker; those of the package are.
    network, authority = tiny(), hl.setup(tiny())
    ciphertexts = hl.encrypt(authority.parameters, ITEMS, progress=False)
    jobs = (joblib.delayed(hl.encrypt)(authority.parameters, ITEMS, progress=False) for _ in range(4))
    found = joblib.Parallel(n_jobs=2, backend=backend, timeout=PATIENCE)(jobs)
    predictor = hl.Predictor(authority.issue(network), network)
    expected = predictor.evaluate(ciphertexts, progress=False)
    assert all(np.array_equal(predictor.evaluate(each, progress=False), expected) for each in found)
    assert len({each.to_bytes() for batch in found for each in batch}) == 24


def test_cancelled_work_ends() -> None:
    def stop(done: int, total: int, message: str) -> None:
        if done:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        hl.draw(300_000, seed=1, size=12, em=9.0, progress=stop)
    ends(5.0)


def ends(seconds: float) -> None:
    """Fails where work goes on for longer."""
    last = time.monotonic() + seconds
    while _native.running():
        assert time.monotonic() < last, "cancelled work goes on"
        time.sleep(0.02)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Whoever starts tests in the background may have told them to ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_training(data: hl.Dataset, test: hl.Dataset) -> None:
    threading.Timer(1.0, signal.raise_signal, [signal.SIGINT]).start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        hl.train(data, test, steps=1_000_000, progress=False)
    assert time.monotonic() - start < 10
    ends(10.0)


def test_the_library_is_imported_without_what_it_can_do_without() -> None:
    code = textwrap.dedent(
        """
        import sys
        import halflight as hl
        heavy = {"torch", "sklearn", "onnx", "onnxruntime", "pandas", "scipy"} & set(sys.modules)
        assert not heavy, heavy
        sys.modules["onnx"] = None
        try:
            hl.onnx
        except ModuleNotFoundError as error:
            assert "pip install 'halflight[onnx]'" in str(error), error
        else:
            raise AssertionError("no error")
        """
    )
    subprocess.run([sys.executable, "-c", code], check=True)
