"""What `shoal doctor` looks at, and its self-test."""

from __future__ import annotations

import json
import tempfile
from importlib import metadata
from pathlib import Path

import pytest

from shoal.cli.main import main
from shoal.experiments import inspect_installation, run_self_test


def test_the_installation_names_packages_extras_devices_and_disk(tmp_path: Path) -> None:
    found = inspect_installation(tmp_path / "not-there-yet")
    assert {"torch", "numpy", "transformers"} <= {package.name for package in found.packages}
    assert all(package.satisfied and package.version for package in found.packages)
    hub = next(extra for extra in found.extras if extra.name == "hub")
    assert hub.command == "pip install 'shoal[hub]'"
    assert "dev" not in {extra.name for extra in found.extras}
    assert found.devices[0].name == "cpu"
    assert found.precision in ("float32", "bfloat16")
    assert found.disk[0].free_bytes
    assert found.problems == ()
    assert "pip install" in str(found) or all(extra.installed for extra in found.extras)


def test_a_package_that_is_missing_is_a_problem_with_its_cure_and_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    needed = [*(metadata.requires("shoal") or ()), "no-such-package-here>=1.0", 'nor-this>=2; extra == "games"']
    monkeypatch.setattr(metadata, "requires", lambda name: needed)
    with pytest.raises(SystemExit) as ending:
        main(["doctor", "--quick", "--json"])
    assert ending.value.code == 1
    record = json.loads(capsys.readouterr().out)
    assert record["self_test"] is None
    problems = record["installation"]["problems"]
    assert problems[-1].endswith("run: pip install 'no-such-package-here>=1.0'")
    games = next(extra for extra in record["installation"]["extras"] if extra["name"] == "games")
    assert games == {
        "name": "games",
        "missing": ["nor-this>=2"],
        "command": "pip install 'shoal[games]'",
        "installed": False,
    }


def test_a_folder_that_cannot_be_written_is_a_problem() -> None:
    found = inspect_installation("/proc/no-runs-here")
    assert any("/proc/no-runs-here" in problem for problem in found.problems)


@pytest.mark.slow
def test_the_self_test_passes_with_a_certificate() -> None:
    tested = run_self_test()
    assert tested.passed
    assert tested.certificate is not None
    assert tested.certificate["passed"]
    assert "this installation works" in str(tested)


@pytest.mark.slow
def test_a_part_that_fails_is_named_and_ends_with_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/proc/no-temporary-files")
    with pytest.raises(SystemExit) as ending:
        main(["doctor", "--json"])
    assert ending.value.code == 1
    parts = {part["name"]: part for part in json.loads(capsys.readouterr().out)["self_test"]["parts"]}
    assert parts["evaluator"]["passed"]
    assert not parts["files"]["passed"]
