"""Templates: the fixed wording of a prompt in other words, its variable parts as they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shoal.curation.augmentation.augmenter import TextAugmenter
from shoal.errors import UsageError

if TYPE_CHECKING:
    import random

_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Templates(TextAugmenter):
    """A prompt that is of one wording is written in another one."""

    name: ClassVar[str] = "templates"
    summary: ClassVar[str] = (
        "the fixed wording of a prompt in other words: templates(wordings=('add {a} and {b}:', ...))"
    )

    wordings: Sequence[str]
    """Two or more, all with the same parts in braces: ``add {a} and {b}:``, ``what is {a} plus {b}?``."""

    def __post_init__(self) -> None:
        one = isinstance(self.wordings, str) or not isinstance(self.wordings, Sequence)
        wordings = () if one else tuple(map(str, self.wordings))
        if len(set(wordings)) < 2:
            raise UsageError("templates needs two wordings or more; give them as wordings=('add {a} and {b}:', ...)")
        parts = set(_SLOT.findall(wordings[0]))
        if unnamed := sorted(part for part in parts if not part.isidentifier()):
            raise UsageError(f"the part {{{unnamed[0]}}} of templates begins with a digit; name it as in {{a}}")
        for wording in wordings:
            found = _SLOT.findall(wording)
            if set(found) != parts or len(found) != len(parts) or not parts:
                raise UsageError(
                    f"the wording {wording!r} needs the same parts in braces, each once, as {wordings[0]!r}"
                )
        # The class is frozen, and a list from a TOML file would make it unhashable.
        object.__setattr__(self, "wordings", wordings)

    def rewrite(self, text: str, generator: random.Random) -> str:
        """The prompt in another wording; itself where it is of none."""
        for wording in self.wordings:
            match = re.fullmatch(_pattern(wording), text, flags=re.DOTALL)
            if match is not None:
                other = generator.choice([one for one in self.wordings if one != wording])
                # One pass, so that a part which holds braces itself is not filled in again.
                return _SLOT.sub(lambda slot, match=match: match[slot[1]], other)  # type: ignore[misc]
        return text


def _pattern(wording: str) -> str:
    pieces = _SLOT.split(wording)
    # Split by a pattern with one group, a wording alternates between fixed text (even) and names of parts (odd).
    return "".join(f"(?P<{piece}>.+?)" if place % 2 else re.escape(piece) for place, piece in enumerate(pieces))
