"""How many files of ``src/shoal`` a reader has to open who follows a call from its beginning to its end.

    python -m benchmarks.visits [train segment run]

Three calls are followed: one step of `shoal.training.train`, ``shoal segment --plot``, and ``shoal run`` of a toy with
two arms, one seed and 12 items. A file is visited when one of its functions runs; what runs while a module is imported
does not count, and neither do templates. With one name given, each file is printed with the calls that led into it.
"""

from __future__ import annotations

import inspect
import os
import sys
import tempfile
import threading
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shoal
from benchmarks.processes import write_result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

SOURCE = f"{Path(shoal.__file__).parent}{os.sep}"
TEXT = "The ship sailed over the sea, and the captain looked at the waves. " * 8 + (
    "A bank lends money at interest, and the company pays the loan back. " * 8
)
EXPERIMENT = """
name = "toy"
hypothesis = "A toy."
treatment = "pretrained"
baseline = "random"
seeds = 1
device = "cpu"
task = { name = "counting", options = { largest = 12 } }
split = { name = "last-digit", parameters = { digits = [1, 3, 7] } }
arms = { pretrained = "bundled:searches", random = "random:bundled:searches" }
training = { epochs = 1, batch_tokens = 300, precision = "float32" }
tuning = { learning_rates = [1e-3], validation = 0.2 }
measure = { primary = "exact_match", smallest_effect = 0.1 }
"""


class Visits:
    """The files that were visited, each with the functions of other files that called it."""

    def __init__(self) -> None:
        self.callers: defaultdict[str, set[str]] = defaultdict(set)

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Follow what runs in it, in threads that it starts too."""
        threading.setprofile(self._note)
        sys.setprofile(self._note)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

    def _note(self, frame: FrameType, event: str, _value: Any) -> None:
        code = frame.f_code
        # The bodies of modules and classes are code too, and have no local variables of their own.
        is_function = code.co_flags & inspect.CO_OPTIMIZED
        if event != "call" or not is_function or not code.co_filename.startswith(SOURCE):
            return
        stack = list(_shoal_frames(frame.f_back))
        if code.co_filename.endswith(".py") and not any(one.f_code.co_name == "<module>" for one in stack):
            name = code.co_filename.removeprefix(SOURCE)
            from_elsewhere = [one.f_code for one in stack if one.f_code.co_filename != code.co_filename][:1]
            self.callers[name] |= {
                f"{caller.co_filename.removeprefix(SOURCE)}:{caller.co_qualname}" for caller in from_elsewhere
            }


def _shoal_frames(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        if frame.f_code.co_filename.startswith(SOURCE):
            yield frame
        frame = frame.f_back


def train() -> Visits:
    from shoal.models import load_model
    from shoal.tasks import Example
    from shoal.training import TrainSettings, train

    loaded, visits = load_model("bundled:searches"), Visits()
    with visits.followed():
        settings = TrainSettings(epochs=1)
        train(loaded.model, loaded.tokenizer, [Example(prompt="one", completion=" two")], settings)
    return visits


def segment() -> Visits:
    Path("text.txt").write_text(TEXT, encoding="utf-8")
    return _command("segment", "text.txt", "--plot", "page.html")


def run() -> Visits:
    Path("toy.toml").write_text(EXPERIMENT, encoding="utf-8")
    return _command("run", "toy.toml", "--workers", "0", "--out", "toy")


def _command(*words: str) -> Visits:
    from shoal.cli.main import main

    visits = Visits()
    with visits.followed():
        main(words)
    return visits


FLOWS: dict[str, Callable[[], Visits]] = {"train": train, "segment": segment, "run": run}


def main() -> None:
    names = sys.argv[1:] or list(FLOWS)
    counts = {}
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            found = FLOWS[name]()
            os.chdir(SOURCE)
        counts[name] = len(found.callers)
        if len(names) == 1:
            for file, callers in sorted(found.callers.items()):
                lines = len(Path(SOURCE, file).read_text(encoding="utf-8").splitlines())
                print(f"{file} ({lines} lines) <- {', '.join(sorted(callers)) or 'the caller'}")
    for name, count in counts.items():
        print(f"{name}: {count} files")
    write_result("visits", counts)


if __name__ == "__main__":
    main()
