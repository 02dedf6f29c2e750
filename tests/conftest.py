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


LONG_FILES = frozenset(
    {
        "test_analysis_options.py",
        "test_browser.py",
        "test_bundled.py",
        "test_changes_columns.py",
        "test_checkpointing.py",
        "test_choice_certification.py",
        "test_clean_states.py",
        "test_cli_inspect.py",
        "test_cli_layers.py",
        "test_corpus_comparison.py",
        "test_crossed_statistics.py",
        "test_distributed.py",
        "test_dropout.py",
        "test_every_architecture.py",
        "test_explained_run.py",
        "test_gguf_source_model.py",
        "test_head_types.py",
        "test_inspection_browser.py",
        "test_leave_out.py",
        "test_lengths.py",
        "test_lenses.py",
        "test_load_for_scoring.py",
        "test_malformed_configs.py",
        "test_missing.py",
        "test_monitoring.py",
        "test_multiple_changes.py",
        "test_online_detector.py",
        "test_overfit_precision.py",
        "test_overfit_run.py",
        "test_pages_browser.py",
        "test_permutation.py",
        "test_perplexity.py",
        "test_pretraining_run.py",
        "test_probe_loop.py",
        "test_rating_judge.py",
        "test_report_inside.py",
        "test_safety_tuning_run.py",
        "test_segmenter.py",
        "test_sweep_run.py",
        "test_task_check.py",
        "test_terminal.py",
        "test_training_dynamics.py",
        "test_vocabulary_size.py",
        "test_volatility.py",
        "test_word_forms.py",
    }
)
"""Files that take two CPU-seconds or more, and whose parts other files test: the full suite runs them."""


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out what is marked
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what the full suite alone runs."""
    for item in items:
        if item.path.name in LONG_FILES:
            item.add_marker(pytest.mark.slow)


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
