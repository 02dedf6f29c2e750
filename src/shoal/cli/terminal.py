r"""All output of the verbs: progress and notices on standard error, results on standard output, files for a person.

What a terminal cannot show, or must not obey, is escaped as ``\uXXXX``. A text may hold control codes (an escape
sequence recolours the screen, a carriage return hides a line, an override turns the direction of writing round) and
letters that the terminal's encoding lacks. The escapes are those of JSON, so that JSON stays the same JSON.
"""

from __future__ import annotations

import codecs
import os
import re
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol, TextIO, TypeVar

from shoal.errors import StoreError, UsageError
from shoal.wording import format_duration, joined, plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from rich.progress import Progress as RichProgress, TaskID

    from shoal.progress import Progress
    from shoal.training import CurvePoint, HeldOutPoint
    from shoal.training.watch import WatchEvent


MIN_COLUMNS = 20
"""A terminal that claims to be narrower has not set its width."""

_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control codes but the tab and the line feed, and the characters that turn the direction of writing."""
_LACKING = "shoal.lacking"


def shown(text: str, encoding: str | None) -> str:
    """A text as a terminal of an encoding can show it.

    Args:
        text: Any text.
        encoding: The encoding of the terminal; UTF-8 where it has none.
    """
    obeyed = _OBEYED.sub(lambda found: _escaped(found[0]), text)
    name = encoding or "utf-8"
    return obeyed.encode(name, _LACKING).decode(name)


def print_notice(text: str) -> None:
    """Print a line to standard error; a closed pipe is no error."""
    if sys.stderr is None:
        return
    with suppress(BrokenPipeError):
        print(shown(text, sys.stderr.encoding), file=sys.stderr, flush=True)


@contextmanager
def terminal() -> Iterator[None]:
    """Escape everything that is printed on standard output."""
    if os.environ.get("COLUMNS", "").isdecimal() and int(os.environ["COLUMNS"]) < MIN_COLUMNS:
        # Rich takes it before the width of the terminal itself, and would break the help into columns of a few letters.
        del os.environ["COLUMNS"]
    bare = sys.stdout
    # Python without a console (pythonw) has no standard output.
    if bare is None:
        yield
        return
    # Around everything and not print by print: texts of data sets and models reach the terminal by many ways.
    sys.stdout = _EscapedOutput(bare)
    try:
        yield
    finally:
        sys.stdout = bare


def leave_quietly() -> None:
    """Throw away what could not be written to standard output, so that the interpreter does not try it once more."""
    with suppress(OSError, ValueError):
        # On the descriptor: the interpreter flushes its own stream at exit, past any object that stands in
        # sys.stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _EscapedOutput:
    """Standard output with everything escaped that a terminal would obey or could not show."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text and return its length."""
        self._stream.write(shown(text, self._stream.encoding))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _escaped(text: str) -> str:
    """Each UTF-16 unit of a text as JSON escapes it."""
    units = text.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place] << 8 | units[place + 1]:04x}" for place in range(0, len(units), 2))


def _escape_lacking(fault: UnicodeError) -> tuple[str, int]:
    """The handler of characters that an encoding lacks."""
    if not isinstance(fault, UnicodeEncodeError):
        raise fault
    return _escaped(fault.object[fault.start : fault.end]), fault.end


codecs.register_error(_LACKING, _escape_lacking)


Item = TypeVar("Item")

# Often enough to see that the work goes on; a day of it is then less than 9,000 lines.
SECONDS_BETWEEN_LOG_LINES = 10.0
SECONDS_WITHOUT_PROGRESS = 2.0


class Display(Protocol):
    """Where progress is shown: bars on a terminal, lines in a log."""

    def progress(self, what: str, done: int, total: int) -> None:
        """Show the progress of a piece of work; a total of 0 is one that is not known."""

    def note(self, text: str) -> None:
        """Show a note that replaces the one before it."""

    def print(self, text: str) -> None:
        """Show lines that stay."""


@contextmanager
def display() -> Iterator[Display]:
    """Yield bars where standard error is a terminal, and lines where it is not, so that logs stay readable."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield LogLines()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        yield _Bars(bars)


def counted(items: Iterable[Item], what: str, progress: Progress) -> Iterator[Item]:
    """The same items; from two seconds on, their number is shown while they pass. How many there will be is not known.

    Args:
        items: what is worked through.
        what: the name of the work.
        progress: called with the name, the number so far, and 0 for the unknown total.
    """
    started = time.monotonic()
    for done, item in enumerate(items):
        # Short work needs no progress, and an error in it should stand alone.
        if time.monotonic() - started > SECONDS_WITHOUT_PROGRESS:
            progress(what, done, 0)
        yield item


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """Yield a callable (what, done, total) that shows how far each ``what`` is."""
    with display() as shown:
        yield shown.progress


class TrainingNotes:
    """Turns the steps of a training into notes on its loss and speed."""

    def __init__(self, shown: Display) -> None:
        self._shown = shown
        self._first: tuple[float, int] | None = None
        self._held_out = ""

    def __call__(self, point: CurvePoint) -> None:
        """Note one step."""
        now = time.monotonic()
        if self._first is None:
            # The first step starts the clock: it pays for threads and memory that the later ones find ready.
            self._first = (now, point.tokens)
            return
        started, tokens = self._first
        speed = (point.tokens - tokens) / max(now - started, 1e-9)
        self._shown.note(f"loss {point.loss:.4f}, {speed:,.0f} completion tokens/s{self._held_out}")

    def take_event(self, event: WatchEvent) -> None:
        """Print what the watch has seen."""
        self._shown.print(str(event))

    def take_evaluation(self, point: HeldOutPoint) -> None:
        """Show the held-out loss with the steps from now on."""
        self._held_out = f", held-out loss {point.loss:.4f}"


def confirmed() -> bool:
    """Ask a person at a terminal whether to go on; without a terminal the answer is no."""
    # The next line of a pipe is data and no answer.
    return sys.stdin is not None and sys.stdin.isatty() and input("Continue? [y/N] ").strip().lower() in ("y", "yes")


def print_json(value: object) -> None:
    """Print a value as JSON on standard output; a number that is not finite is null, which plain tools can read."""
    import json

    from shoal.textfiles import finite

    print(json.dumps(finite(value), indent=2, ensure_ascii=False, default=str))


class _MeasuredWork(Protocol):
    """Work whose time was estimated from measured steps; printed as it stands."""

    @property
    def seconds(self) -> float:
        """Of all that is left, one training after the other."""

    @property
    def trainings(self) -> int:
        """All of them."""

    @property
    def done(self) -> int:
        """Those of them that are done."""

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""


def print_forecast(measured: _MeasuredWork, workers: int | None, *, threads: int, device: str, as_json: bool) -> None:
    """Print an estimate, and how long the work takes on several workers.

    Args:
        measured: the estimate.
        workers: that were requested; None for one per core, 0 for this process alone.
        threads: of each.
        device: where the trainings run.
        as_json: as JSON.
    """
    from shoal.experiments import side_by_side

    count = side_by_side(workers, threads=threads, device=device)
    if as_json:
        print_json(measured.to_dict() | {"workers": count})
        return
    # No training is done by several workers: the last ones keep one busy, and the others wait.
    share = max(1, min(count, measured.trainings - measured.done))
    print(f"{measured}\nabout {format_duration(measured.seconds / share)} on {plural(count, 'worker')}")


class _Result(Protocol):
    """What a verb found; its text is what the verb prints."""

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""


def show_result(found: _Result, *, as_json: bool, plot: Path | None, page: Callable[[], str]) -> None:
    """Write the page of a result where one is wanted, and print the result.

    Args:
        found: the result.
        as_json: print it as JSON and not as text.
        plot: where the page is written; None for none.
        page: renders it.

    Raises:
        StoreError: the page cannot be written.
    """
    if plot is not None:
        write_whole(plot, page())
        print_notice(f"written to {plot}")
    if as_json:
        print_json(found.to_dict())
    else:
        print(found)


def print_summary(summary: Mapping[str, object]) -> None:
    """Print names and values on standard output, one per line."""
    width = max(map(len, summary), default=0)
    for name, value in summary.items():
        print(f"{name:{width}}  {value}")


def refuse_options(options: Mapping[str, object], why: str) -> None:
    """Refuse options that would be ignored.

    Args:
        options: by name; those that are None or False are not given.
        why: what makes them useless.

    Raises:
        UsageError: one of them is given.
    """
    given = [name for name, value in options.items() if value is not None and value is not False]
    if given:
        raise UsageError(f"{why}; leave out {joined(given)}")


def check_target(path: Path) -> None:
    """Raise before any work is done where a file could not be written afterwards.

    Raises:
        StoreError: its folder does not exist, or it is a folder itself.
    """
    if path.is_dir():
        raise StoreError(f"{path} is a folder; give the file that is to be written in it")
    if not path.parent.is_dir():
        raise StoreError(f"there is no folder {path.parent} to write {path.name} into; make it first")


def write_whole(path: Path, text: str) -> None:
    """Write a file atomically.

    Args:
        path: the file, whose folder exists.
        text: its contents, written as UTF-8.

    Raises:
        StoreError: the file cannot be written.
    """
    from shoal.files import atomic_file

    try:
        with atomic_file(path) as partial:
            partial.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}; nothing is left of it") from error


class _Bars:
    """One bar for each piece of work."""

    def __init__(self, bars: RichProgress) -> None:
        self._bars = bars
        self._known: dict[str, TaskID] = {}

    def progress(self, what: str, done: int, total: int) -> None:
        if what not in self._known:
            # Rich draws a moving bar where the total is None, and a full one where it is 0.
            self._known[what] = self._bars.add_task(_for_bars(what), total=total or None, note="")
        elif done < next(task.completed for task in self._bars.tasks if task.id == self._known[what]):
            # The next piece of work of this name: a bar that was full once would show no time left.
            self._bars.reset(self._known[what], total=total or None, note="")
        self._bars.update(self._known[what], completed=done, total=total or None)

    def note(self, text: str) -> None:
        if self._known:
            self._bars.update(list(self._known.values())[-1], note=_for_bars(text))

    def print(self, text: str) -> None:
        # Brackets of a text are no markup, and its long lines are wrapped by the terminal, so that they can be
        # copied.
        self._bars.console.print(_for_bars(text), markup=False, highlight=False, soft_wrap=True)


def _for_bars(text: str) -> str:
    """A text for rich, which writes its control codes by itself."""
    return shown(text, sys.stderr.encoding)


class LogLines:
    """A line where a piece of work begins, and one every ten seconds while it lasts, with the time that is left."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # Of each piece of work: when it began, the units that it had then, and those that it has now.
        self._known: dict[str, tuple[float, int, int]] = {}
        self._last = clock()
        self._note = ""

    def progress(self, what: str, done: int, total: int) -> None:
        """Print a line where the work is new, or the last line is ten seconds old."""
        now = self._clock()
        new = what not in self._known
        started, first, before = self._known.get(what, (now, done, done))
        if done < before:
            # The next piece of work of this name has a speed of its own.
            started, first = now, done
        self._known[what] = started, first, done
        if not new and now - self._last < SECONDS_BETWEEN_LOG_LINES:
            return
        self._last = now
        parts = [f"{what}: {done:,} of {total:,}" if total else f"{what}: {done:,}", self._note]
        if total and first < done < total:
            # What was there when the work began, as after a resume, does not count towards its speed.
            parts.append(f"about {format_duration((now - started) / (done - first) * (total - done))} left")
        print_notice("  ".join(filter(None, parts)))

    def note(self, text: str) -> None:
        """Show the note with the next line of progress."""
        self._note = text

    def print(self, text: str) -> None:
        """Print lines at once."""
        print_notice(text)
