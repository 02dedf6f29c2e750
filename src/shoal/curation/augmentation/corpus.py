"""The documents of a corpus with rewritten ones behind each; none is equal to a held-out document."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

from shoal.curation.augmentation.augmenter import TextAugmenter, make_augmenter
from shoal.curation.augmentation.examples import plain
from shoal.curation.augmentation.result import MethodCount
from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from shoal.curation.augmentation.augmenter import AugmenterSpec


class CorpusAugmentation:
    """Rewrites documents, and counts what became of them. A document has no answer, so no rule is needed."""

    def __init__(
        self, methods: Sequence[AugmenterSpec], *, copies: int = 1, seed: int = 0, held_out: Iterable[str] = ()
    ) -> None:
        """Name the methods.

        Args:
            methods: as `shoal.curation.augmentation.augment` takes them, of those that rewrite texts.
            copies: documents that each method makes of each document.
            seed: every draw hangs on it.
            held_out: documents that are not augmented, and that no document may be equal to.

        Raises:
            UnknownNameError: no method or parameter has that name.
            UsageError: a method needs a task, none is given, or ``copies`` is less than 1.
        """
        if not methods:
            raise UsageError("no method of augmentation is given; name one, as in spelling-noise")
        if copies < 1:
            raise UsageError(f"copies is {copies}; give 1 or more")
        self.methods: list[TextAugmenter] = []
        for method in map(make_augmenter, methods):
            if not isinstance(method, TextAugmenter) or method.needs_endpoint:
                raise UsageError(
                    f"{method.name} cannot augment the documents of a corpus as they pass by; augment the rows of a "
                    "task with it, or take another method"
                )
            self.methods.append(method)
        self.copies = copies
        self.seed = seed
        self._held_out = {plain(text) for text in held_out}
        self._fates = {method.label(): Counter[str]() for method in self.methods}

    @property
    def counts(self) -> tuple[MethodCount, ...]:
        """What became of the documents so far, by method."""
        return tuple(MethodCount(method=name, **fates) for name, fates in self._fates.items())

    def apply(self, texts: Iterable[str]) -> Iterator[str]:
        """Yield each document and, behind it, what was made of it.

        Args:
            texts: the documents; a held-out one is left out.
        """
        for place, text in enumerate(texts):
            # The document itself goes too: training on it would spoil the measurement as much as on a rewriting of it.
            if plain(text) in self._held_out:
                continue
            yield text
            known = {text}
            for method in self.methods:
                # By method and place, so that another method or a longer corpus leaves all other rewritings as they
                # are.
                generator = random.Random(f"augment {self.seed} {method.label()} {place}")
                for _ in range(self.copies):
                    made = method.rewrite(text, generator)
                    fate = self._fate(made, text, known)
                    self._fates[method.label()][fate] += 1
                    if fate == "accepted":
                        known.add(made)
                        yield made

    def _fate(self, made: str, text: str, known: set[str]) -> str:
        if made == text:
            return "unchanged"
        if made in known:
            return "duplicate"
        return "held_out" if plain(made) in self._held_out else "accepted"
