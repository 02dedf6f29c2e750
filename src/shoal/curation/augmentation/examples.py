"""Examples made of examples: each is checked by the rule, and none is of the held-out part.

An accepted example has the completion that the rule gives its prompt. Where no rule is known nothing can be checked,
and every method is refused unless unchecked examples are accepted by name. Candidates of one example are drawn until
enough are accepted, or `_TRIES` times as many were drawn.
"""

from __future__ import annotations

import random
import time
import unicodedata
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from shoal.curation.augmentation.augmenter import Augmenter, make_augmenter
from shoal.curation.augmentation.result import Augmentation, MethodCount
from shoal.errors import DataError, UsageError
from shoal.progress import no_progress
from shoal.tasks import Task, rows_by_part, rule_answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.curation.augmentation.augmenter import AugmenterSpec
    from shoal.progress import Progress
    from shoal.tasks import Example

_TRIES = 4
"""Candidates per wanted example: a method that seldom keeps the answer still gives some."""

_QUIET_SECONDS = 2.0
"""Nothing is reported of work that is done sooner."""


def augment(
    source: Task | Sequence[Example],
    methods: Sequence[AugmenterSpec],
    *,
    copies: int = 1,
    seed: int = 0,
    unchecked: bool = False,
    progress: Progress = no_progress,
) -> Augmentation:
    """Augment the seen examples of a task or of rows.

    Args:
        source: a task, or rows; of rows with a column ``part`` those of the part held out are left alone.
        methods: the methods by name, with parameters in brackets, or as tables.
        copies: examples that each method makes of each example, where it can.
        seed: every draw hangs on it.
        unchecked: accept examples though no rule is known that could check them.
        progress: called with (what, done, total).

    Raises:
        UnknownNameError: no method or parameter has that name.
        UsageError: no rule is known and ``unchecked`` is false, a method needs a task, or a value cannot be used.
        DataError: there is no seen example.
    """
    task: Task | None = None
    seen: Sequence[Example]
    held_out: Sequence[Example]
    if isinstance(source, Task):
        task, seen, held_out = source, source.seen, source.held_out
    else:
        parts = rows_by_part(source) or {"seen": list(source), "held_out": []}
        seen, held_out = parts["seen"], parts["held_out"]
    return augment_examples(
        seen,
        methods,
        held_out=held_out,
        task=task,
        copies=copies,
        seed=seed,
        unchecked=unchecked,
        progress=progress,
    )


def augment_examples(
    examples: Sequence[Example],
    methods: Sequence[AugmenterSpec],
    *,
    held_out: Sequence[Example],
    task: Task | None = None,
    copies: int = 1,
    seed: int = 0,
    unchecked: bool = False,
    progress: Progress = no_progress,
) -> Augmentation:
    """Augment given examples.

    Args:
        examples: what is augmented; all of them stay.
        methods: as `augment` takes them.
        held_out: what no example may be equal to.
        task: gives the rule, the counterfactuals and the split; None where there is none.
        copies: examples that each method makes of each example, where it can.
        seed: every draw hangs on it.
        unchecked: accept examples though no rule is known that could check them.
        progress: called with (what, done, total).

    Raises:
        ShoalError: as `augment`.
    """
    if not examples:
        raise DataError("there is no example to augment; give at least one that is not held out")
    if not methods:
        raise UsageError("no method of augmentation is given; name one, as in spelling-noise")
    if copies < 1:
        raise UsageError(f"copies is {copies}; give 1 or more")
    made = [make_augmenter(method) for method in methods]
    check = _Check(examples, held_out, task, unchecked=unchecked)
    check.refuse_unchecked(made)
    added: list[Example] = []
    counts = []
    shown_at = time.monotonic() + _QUIET_SECONDS
    for number, method in enumerate(made):
        method = method.prepared([example.prompt for example in examples], progress)
        fates: Counter[str] = Counter()
        for place, example in enumerate(examples):
            # A generator per example and method, so that more examples or methods leave the draws of others alone.
            generator = random.Random(f"augment {seed} {method.label()} {place}")
            accepted = 0
            for candidate in islice(method.candidates(example, task, generator), _TRIES * copies):
                fate = check.fate(candidate, example, method)
                fates[fate] += 1
                if fate == "accepted":
                    added.append(candidate)
                    accepted += 1
                    if accepted == copies:
                        break
            if time.monotonic() > shown_at:
                progress("examples", number * len(examples) + place + 1, len(made) * len(examples))
        counts.append(MethodCount(method=method.label(), **fates))
    return Augmentation(
        examples=(*examples, *added), originals=len(examples), checked=check.by_rule, methods=tuple(counts)
    )


def plain(text: str) -> str:
    """The text as it is compared with held-out ones: case, white space and the form of accents make no difference."""
    return " ".join(unicodedata.normalize("NFC", text.casefold()).split())


class _Check:
    """Decides what becomes of a candidate."""

    def __init__(
        self, examples: Sequence[Example], held_out: Sequence[Example], task: Task | None, *, unchecked: bool
    ) -> None:
        self.task = task
        self.by_rule = task is not None and task.rule_known
        self.unchecked = unchecked
        # Exact for duplicates, since a typo is what some methods add; `plain` for held-out ones, where doubt counts
        # against.
        self.known = {example.prompt for example in examples}
        self.held_out = {plain(example.prompt) for example in held_out}

    def refuse_unchecked(self, methods: Sequence[Augmenter]) -> None:
        """Refuse methods whose examples nothing could check."""
        if not self.by_rule and not self.unchecked:
            raise UsageError(
                f"{methods[0].name} changes prompts, and these rows have no rule that shows whether their answers stay "
                "right; give their rule as FILE.py:FUNCTION, or accept unchecked examples (--unchecked, or "
                "augment_unchecked = true in a file)"
            )

    def fate(self, candidate: Example, example: Example, method: Augmenter) -> str:
        """The field of `MethodCount` that a candidate counts in; an accepted one is known from then on."""
        if candidate.prompt == example.prompt:
            return "unchanged"
        if candidate.prompt in self.known:
            return "duplicate"
        # The split reads tags, which a rewritten prompt has of its example; of another item they are its own.
        is_held_out = method.makes_items and self.task is not None and self.task.split.holds_out(candidate)
        if is_held_out or plain(candidate.prompt) in self.held_out:
            return "held_out"
        if self.by_rule:
            assert self.task is not None
            try:
                if rule_answer(self.task.rule, candidate.prompt) != candidate.completion:
                    return "wrong"
            except DataError:
                return "unreadable"
        self.known.add(candidate.prompt)
        return "accepted"
