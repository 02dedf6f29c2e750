"""What all tests share: where the data lie, threads held at one, and drawn data that may take their time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# No test hangs on the speed of the machine: where others take its processors, data are drawn slowly.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of our own."""
    parser.addoption(
        "--write-losses", action="store_true", help="write the golden loss curves of tests/training/losses again"
    )


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real data and small real models; without it a test skips aloud, and fails where CI=true."""
    folder = Path(os.environ.get("SHOAL_DATA", ROOT.parent / "shared" / "data"))
    if folder.is_dir():
        return folder
    message = f"no data at {folder}; set SHOAL_DATA to the folder that holds them"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
