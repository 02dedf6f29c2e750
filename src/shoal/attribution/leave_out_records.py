"""The results of single trainings of a leave-out, appended to a file, so that a killed one is resumed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shoal.errors import StoreError
from shoal.files import atomic_file
from shoal.tasks import shortcut_answer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from shoal.tasks import Task

_FILE = "leave_out.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedWithout:
    """What one model does that was trained without some examples."""

    group: str | None
    """The group that was left out; None where nothing was."""

    control: bool
    """True where as many examples at random were left out in its stead."""

    seed: int
    removed: int
    """Examples that were left out."""

    accuracy: float
    """On the held-out examples."""

    shares: Mapping[str, float]
    """Of each explanation in the answers to the held-out examples."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


class LeaveOutStore:
    """Finished trainings, in memory and, with a folder, in a file: a first line that names the work, then one each.

    Args:
        folder: of the file; None keeps none.
        task: of the leave-out.
        groups: that are left out.
        recipe: how is trained.

    Raises:
        StoreError: the file is of another leave-out, or is damaged.
    """

    def __init__(self, folder: Path | None, task: Task, groups: Mapping[str, Sequence[bool]], recipe: str) -> None:
        self._found: dict[tuple[str | None, bool, int], TrainedWithout] = {}
        self._path = None
        if folder is None:
            return
        self._path, head = folder / _FILE, {"leave_out": _digest(task, groups, recipe)}
        lines = list(_read_lines(self._path))
        if lines and lines[0] != head:
            raise StoreError(
                f"{self._path} is of another task, other groups or another recipe; give a new folder, or remove it"
            )
        records = [_record(self._path, number, line) for number, line in enumerate(lines[1:], start=2)]
        folder.mkdir(parents=True, exist_ok=True)
        # Written whole again: what a killed process left of a last line must not stand before the next one.
        # To another file first, so that a kill at this moment loses no training.
        with atomic_file(self._path) as partial:
            partial.write_text("".join(json.dumps(line) + "\n" for line in lines or [head]), encoding="utf-8")
        for one in records:
            self._remember(one)

    def find(self, group: str | None, control: bool, seed: int) -> TrainedWithout | None:
        """The training, if it is finished.

        Args:
            group: that was left out.
            control: whether random examples were.
            seed: of the training.
        """
        return self._found.get((group, control, seed))

    def add(self, record: TrainedWithout) -> TrainedWithout:
        """Store a finished training, and give it back."""
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record.to_dict()) + "\n")
        self._remember(record)
        return record

    def _remember(self, record: TrainedWithout) -> None:
        self._found[record.group, record.control, record.seed] = record


def _read_lines(path: Path) -> Iterator[Any]:
    if not path.exists():
        return
    # As bytes, so that a line that is no text is named as well.
    lines = path.read_bytes().splitlines(keepends=True)
    for number, line in enumerate(lines, start=1):
        try:
            yield json.loads(line)
        except (ValueError, RecursionError) as error:
            # A last line without its end is what a killed process left; it is trained again.
            if number == len(lines) and not line.endswith(b"\n"):
                return
            raise _damaged(path, number) from error


def _record(path: Path, number: int, line: Any) -> TrainedWithout:
    try:
        return TrainedWithout(**line)
    except TypeError as error:
        raise _damaged(path, number) from error


def _damaged(path: Path, number: int) -> StoreError:
    return StoreError(f"{path}, line {number}, is damaged; remove the line, and its training is repeated")


def _digest(task: Task, groups: Mapping[str, Sequence[bool]], recipe: str) -> str:
    # The held-out examples too, since they are what is answered. A function has no stable text: a shortcut is known by
    # what it answers, which is also all that the shares depend on.
    answers = {
        name: [shortcut_answer(name, shortcut, example.prompt, task.seen) for example in task.held_out]
        for name, shortcut in sorted(task.shortcuts.items())
    }
    examples = [[example.prompt, example.completion, example.ends] for example in (*task.seen, *task.held_out)]
    flags = {name: [bool(flag) for flag in group] for name, group in groups.items()}
    key = json.dumps([task.name, len(task.seen), examples, flags, answers, recipe])
    return hashlib.sha256(key.encode()).hexdigest()
