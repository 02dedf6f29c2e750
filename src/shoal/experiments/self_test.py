"""A test of the installation in some seconds: the evaluator's certificate, a training twice, a file written whole."""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import ShoalError
from shoal.files import atomic_file
from shoal.progress import no_progress
from shoal.wording import in_one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas

    from shoal.progress import Progress

# The shape of a bundled model with fresh weights: nothing has to be downloaded.
_MODEL = "random:bundled:searches"
_EXAMPLES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTestPart:
    """One part of the test."""

    name: str
    passed: bool
    found: str
    """What was found, in one line."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """What `run_self_test` found."""

    parts: tuple[SelfTestPart, ...]
    certificate: Mapping[str, Any] | None
    """The certificate of the evaluator as plain values; None where it could not be made."""

    @property
    def passed(self) -> bool:
        """Whether every part passed."""
        return all(part.passed for part in self.parts)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"passed": self.passed}

    def to_frame(self) -> pandas.DataFrame:
        """A row per part."""
        import pandas

        return pandas.DataFrame([asdict(part) for part in self.parts])

    def __str__(self) -> str:
        lines = [f"{'pass' if part.passed else 'FAIL'}  {part.name}: {part.found}" for part in self.parts]
        seconds = sum(part.seconds for part in self.parts)
        outcome = "this installation works" if self.passed else "this installation does not work as it must"
        return "\n".join([*lines, f"{outcome}: {len(self.parts)} parts in {seconds:.1f} s"])


def run_self_test(*, progress: Progress = no_progress) -> SelfTest:
    """Test the installation: about ten seconds of one core, without a network.

    The evaluator proves itself on dummies of known accuracy; a small model is trained twice from one seed and must end
    with the same weights; a file is written whole and read back.

    Args:
        progress: called with (what, done, total).
    """
    record: dict[str, Any] = {}
    steps: dict[str, Callable[[], str]] = {
        "evaluator": lambda: _certify(record),
        "training": _train_twice,
        "files": _write_and_read,
    }
    parts = []
    for done, (name, step) in enumerate(steps.items()):
        progress("self-test", done, len(steps))
        parts.append(_timed(name, step))
    progress("self-test", len(steps), len(steps))
    return SelfTest(parts=tuple(parts), certificate=record or None)


class _Failed(Exception):  # noqa: N818 - a finding of the test, and no fault of the program
    """A part that ran and found something wrong."""


def _timed(name: str, step: Callable[[], str]) -> SelfTestPart:
    started = time.perf_counter()
    try:
        found, passed = step(), True
    # Whatever a broken installation raises (a library that cannot be loaded, an illegal value) is what is looked for.
    except (_Failed, ShoalError, OSError, ImportError, RuntimeError, ValueError, TypeError) as fault:
        found, passed = in_one_line(fault), False
    return SelfTestPart(name=name, passed=passed, found=found, seconds=round(time.perf_counter() - started, 3))


def _certify(record: dict[str, Any]) -> str:
    from shoal.evaluation import certify

    certificate = certify(fast=True)
    record.update(certificate.to_dict())
    failed = [check.name for check in certificate.checks if not check.passed]
    if failed:
        raise _Failed(f"the evaluator failed {len(failed)} of {len(certificate.checks)} checks: {', '.join(failed)}")
    return f"certified by {len(certificate.checks)} checks on dummies of known accuracy"


def _train_twice() -> str:
    first, second = _trained_digest(), _trained_digest()
    if first != second:
        raise _Failed(f"two trainings from one seed ended with different weights ({first[:12]} and {second[:12]})")
    return f"two trainings from one seed ended with the same weights ({first[:12]})"


def _trained_digest() -> str:
    from shoal.models import load_model, model_digest
    from shoal.tasks import make_task
    from shoal.training import TrainSettings, train

    loaded = load_model(_MODEL, device="cpu", seed=0)
    examples = make_task("counting", largest=10).seen[:_EXAMPLES]
    train(loaded.model, loaded.tokenizer, examples, TrainSettings(epochs=2, batch_tokens=64, precision="float32"))
    return model_digest(loaded.model)


def _write_and_read() -> str:
    text = "shoal\n" * 1000
    with tempfile.TemporaryDirectory(prefix="shoal-") as folder:
        path = Path(folder) / "whole.txt"
        with atomic_file(path, durable=True) as partial:
            partial.write_text(text, encoding="utf-8")
        if path.read_text(encoding="utf-8") != text:
            raise _Failed(f"a file that was written to {folder} did not read back")
    return f"a file was written whole and read back in {tempfile.gettempdir()}"
