"""One small network for all tests: trained once, in seconds."""

from __future__ import annotations

from typing import Callable

import pytest

import halflight as hl

TOLD = pytest.StashKey[list[str]]()


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Adds a line on a model from elsewhere to the list at the end of the run."""
    return request.config.stash.setdefault(TOLD, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    lines = config.stash.get(TOLD, [])
    if lines:
        terminalreporter.section(f"{len(lines)} models from elsewhere, as read and as they are")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def data() -> hl.Dataset:
    return hl.draw(1200, seed=1, characters="0147", size=12, em=9.0, elastic_alpha=10.0)


@pytest.fixture(scope="session")
def test() -> hl.Dataset:
    return hl.draw(600, seed=2, characters="0147", size=12, em=9.0, elastic_alpha=10.0)


@pytest.fixture(scope="session")
def network(data: hl.Dataset, test: hl.Dataset) -> hl.Network:
    return hl.train(data, test, collateral="font", units=12, outputs=3, head=[16], steps=120, batch=200)


@pytest.fixture(scope="session")
def compiled(network: hl.Network, data: hl.Dataset) -> hl.CompiledNetwork:
    return hl.compile(network, data, steps=40, batch=300)


@pytest.fixture(scope="session")
def authority(compiled: hl.CompiledNetwork) -> hl.Authority:
    return hl.setup(compiled)
