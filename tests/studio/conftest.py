"""Runs that several tests look at, and the studio over them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from studios import opened

from run_folder import write_run


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two finished runs that can be compared, one that was interrupted, and one that is damaged."""
    root = tmp_path_factory.mktemp("studio") / "runs"
    write_run(root / "first", seeds=6, largest=12)
    write_run(root / "group" / "second", seeds=6, largest=12, verdict="refuted")
    write_run(root / "unfinished", seeds=2, largest=10, verdict=None)
    write_run(root / "damaged", seeds=1, largest=3)
    (root / "damaged" / "verdict.json").write_text('{"verdict": "supp')
    return root


@pytest.fixture(scope="session")
def client(runs: Path) -> Iterator[TestClient]:
    """A browser that has opened the printed address."""
    with opened(runs) as browser:
        yield browser
