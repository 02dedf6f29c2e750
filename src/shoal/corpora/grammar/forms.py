"""The sentences of a story: for each kind of event the forms that say it.

A form has slots. ``{A}`` is the one who acts at the head of the sentence (a name, or a pronoun where it is clear),
``{a}`` the same by name further on, ``{b}`` another one; ``{t}`` and ``{u}`` are known things ("the red ball"),
``{x}`` and ``{y}`` the same said for the first time ("a red ball"); ``{p}`` is a place and ``{at}`` the words before
it; ``{s}`` a spot, ``{f}`` a feeling, ``{v}`` and ``{d}`` a verb and its past, ``{k}`` a kind of being, ``{r}`` a
trait, ``{o}`` a food, ``{n}`` and ``{i}`` sights, ``{q}`` a sound, ``{w}`` parts of the body, ``{j}`` a calling,
``{c}`` and ``{e}`` colors. ``{his}``, ``{him}`` and ``{he}`` stand for the one who acts, ``{bhis}``, ``{bhim}`` and
``{bhe}`` for the other one. The same forms serve to tell a story and to read one.
"""

from __future__ import annotations

from shoal.corpora.grammar.forms_beings import BEINGS
from shoal.corpora.grammar.forms_moments import MOMENTS
from shoal.corpora.grammar.forms_scenes import SCENES
from shoal.corpora.grammar.forms_things import THINGS_DONE

FORMS: dict[str, tuple[str, ...]] = {
    kind: tuple(line.strip() for line in lines.strip().splitlines())
    for family in (BEINGS, THINGS_DONE, SCENES, MOMENTS)
    for kind, lines in family.items()
}
"""Forms by kind of event."""

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
