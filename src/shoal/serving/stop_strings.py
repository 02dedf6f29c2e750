"""Strings that end a generation, found in text that arrives in pieces.

A stop string may begin in one piece and end in a later one, so text that could be its beginning is held back until it
is decided. What is emitted is the text before the first stop string, whatever the pieces were.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_STOP_STRINGS = 16
MAX_STOP_LENGTH = 1000
"""Characters of one stop string at most: as much text may be held back."""


def check_stop_strings(stops: Sequence[str]) -> tuple[str, ...]:
    """The stop strings, each once.

    Raises:
        UsageError: one of them is empty, which would stop every text at once, or too long; there are too many; or it is
            one text and no sequence of them.
    """
    # A text is a sequence of its letters, each of which would end the generation.
    if isinstance(stops, str):
        raise UsageError(f"the stop strings are the text {stops[:40]!r}; give a tuple of texts: ({stops[:40]!r},)")
    found = tuple(dict.fromkeys(stops))
    if "" in found:
        raise UsageError("a stop string is empty, and would end every text before its first character; leave it out")
    if len(found) > MAX_STOP_STRINGS:
        raise UsageError(f"there are {len(found)} stop strings; give at most {MAX_STOP_STRINGS}")
    if any(len(stop) > MAX_STOP_LENGTH for stop in found):
        raise UsageError(f"a stop string has {max(map(len, found)):,} characters; give at most {MAX_STOP_LENGTH:,}")
    return found


class StopMatcher:
    """Passes text on until a stop string is complete.

    Args:
        stops: what `check_stop_strings` gives.
    """

    def __init__(self, stops: Sequence[str] = ()) -> None:
        self._stops = stops
        self._held = ""
        self.found: str | None = None
        """The stop string at which the text ended."""

    def push(self, text: str) -> str:
        """Take the next piece of the text.

        Returns:
            What is known to stand before any stop string. Once one is found there is nothing more.
        """
        if self.found is not None:
            return ""
        self._held += text
        # The one that is complete first ends the text, as it would if the text came letter by letter; of two that end
        # together, the longer one.
        hits = [(place + len(stop), place, stop) for stop in self._stops if (place := self._held.find(stop)) >= 0]
        if hits:
            _, place, self.found = min(hits)
            return self._take(place)
        return self._take(len(self._held) - self._undecided())

    def flush(self) -> str:
        """The text that was held back, where the generation has ended by itself."""
        return self._take(len(self._held)) if self.found is None else ""

    def _take(self, length: int) -> str:
        text, self._held = self._held[:length], self._held[length:]
        return text

    def _undecided(self) -> int:
        """The length of the longest end of the held text that a stop string may begin with."""
        return max(
            (
                length
                for stop in self._stops
                # Shorter than the stop string: a whole one was looked for before.
                for length in range(1, min(len(stop), len(self._held) + 1))
                if self._held.endswith(stop[:length])
            ),
            default=0,
        )
