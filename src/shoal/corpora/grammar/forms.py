"""The sentence templates of a story: for each kind of event the forms that express it.

A form has slots. ``{A}`` is the one who acts at the head of the sentence (a name, or a pronoun where it is clear),
``{a}`` the same by name further on, ``{b}`` another one; ``{t}`` and ``{u}`` are known things ("the red ball"),
``{x}`` and ``{y}`` the same said for the first time ("a red ball"); ``{p}`` is a place and ``{at}`` the words before
it; ``{s}`` a spot, ``{f}`` a feeling, ``{v}`` and ``{d}`` a verb and its past, ``{k}`` a kind of being, ``{r}`` a
trait, ``{o}`` a food, ``{n}`` and ``{i}`` sights, ``{q}`` a sound, ``{w}`` parts of the body, ``{j}`` a calling,
``{c}`` and ``{e}`` colors. ``{his}``, ``{him}`` and ``{he}`` stand for the one who acts, ``{bhis}``, ``{bhim}`` and
``{bhe}`` for the other one. The same forms serve to write a story and to
parse one.
"""

from __future__ import annotations

from importlib.resources import files


def _read_forms() -> dict[str, tuple[str, ...]]:
    """The sections of ``forms.txt``: a kind of event in brackets, and a form a line."""
    text = files(__package__).joinpath("forms.txt").read_text(encoding="utf-8")
    sections = (section.split("]\n", 1) for section in text.split("\n[")[1:])
    return {
        kind: tuple(line for line in forms.splitlines() if line and not line.startswith("#"))
        for kind, forms in sections
    }


FORMS: dict[str, tuple[str, ...]] = _read_forms()
"""Forms by kind of event. Their order is a part of what a seed means: a form is drawn by its place."""

NARRATED = {kind: tuple(form for form in forms if '"' not in form) for kind, forms in FORMS.items()}
SPOKEN = {kind: tuple(form for form in forms if '"' in form) for kind, forms in FORMS.items()}

OPENERS = (
    "Then", "After that", "Soon", "A little later", "Just then", "After a while", "That day", "Not long after",
    "Right away", "Before long", "A bit later", "Right then", "A moment later", "After that", "Then",
)  # fmt: skip
"""What may stand before a sentence that begins with who acts."""

STATES = frozenset(
    ("intro", "friend", "live", "like", "have", "moral", "want", "favorite", "close", "close_bad", "hint_dream")
)
"""Kinds that say how things are; no word of time opens them."""
