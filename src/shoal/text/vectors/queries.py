"""Questions to word vectors: which words are near a word, and which word completes an analogy.

An analogy is a list of words to be near and of words to be far from: king - man + woman. The cosines with these words
are combined by a sum (3CosAdd: Mikolov et al. 2013) or by a product (3CosMul: Levy and Goldberg 2014, "Linguistic
regularities in sparse and explicit word representations", CoNLL, eq. 4), in which no single large cosine decides.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas
    from numpy.typing import NDArray

    from shoal.text.vectors.wordvectors import WordVectors

NearWords = tuple[tuple[str, float], ...]
"""Words with their closeness, the nearest first."""

_EPSILON = 0.001
"""Levy and Goldberg's, against a division by 0."""

_SPACED_SIGN = re.compile(r"(?:^|(?<=\s))([+-])(?=\s|\w)")


@dataclass(frozen=True, slots=True, kw_only=True)
class WordNeighbours:
    """The words nearest to a word, by cosine."""

    word: str
    nearest: NearWords

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def to_frame(self) -> pandas.DataFrame:
        """A row per neighbour."""
        import pandas

        return pandas.DataFrame(self.nearest, columns=["word", "cosine"])

    def __str__(self) -> str:
        """One line per neighbour."""
        return "\n".join([self.word, *(f"  {cosine:6.3f}  {word}" for word, cosine in self.nearest)])


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalogyAnswer:
    """The answers to one analogy."""

    near: tuple[str, ...]
    """The words with a plus."""

    far: tuple[str, ...]
    """The words with a minus."""

    by_sum: NearWords
    """By 3CosAdd, without the words of the question."""

    by_product: NearWords
    """By 3CosMul, without the words of the question."""

    without_exclusion: NearWords
    """By 3CosAdd, the words of the question allowed."""

    without_far: NearWords
    """The nearest to the words with a plus alone: what the words with a minus add shows by comparison."""

    @property
    def question(self) -> str:
        """The question as a sum."""
        return " ".join([" + ".join(self.near), *(f"- {word}" for word in self.far)])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"question": self.question, **asdict(self)}

    def to_frame(self) -> pandas.DataFrame:
        """A row per answer and method."""
        import pandas

        ways = {name: getattr(self, name) for name in ("by_sum", "by_product", "without_exclusion", "without_far")}
        rows = [(name, word, value) for name, found in ways.items() for word, value in found]
        return pandas.DataFrame(rows, columns=["method", "word", "closeness"])

    def __str__(self) -> str:
        """The answers by each method."""
        used = (*self.near, *self.far)
        first, _ = self.without_exclusion[0]
        own = "a word of the question" if first in used else "no word of the question"
        lines = [
            self.question,
            f"  3CosAdd   {_listed(self.by_sum)}",
            f"  3CosMul   {_listed(self.by_product)}",
            f"  with the words of the question allowed, 3CosAdd answers {first}, {own}: "
            + _listed(self.without_exclusion[:4]),
        ]
        if self.far:
            without = " + ".join(self.near)
            lines.append(
                f"  without {', '.join(self.far)}, the nearest to {without} is {_listed(self.without_far[:4])}"
            )
        return "\n".join(lines)


def nearest_words(vectors: WordVectors, word: str, *, count: int = 10) -> WordNeighbours:
    """The words nearest to a word, by cosine; the word itself is left out.

    Args:
        vectors: the words with their vectors.
        word: one of them; in lower case where it is not known as it stands.
        count: number of neighbours.

    Raises:
        UsageError: the word has no vector, or there are not that many other words.
    """
    place = find_word(vectors, word)
    _check_count(vectors, count, 1)
    unit = vectors.unit()
    closeness_V = unit @ unit[place]
    return WordNeighbours(word=vectors.words[place], nearest=_nearest(vectors, closeness_V, count, {place}))


def solve_analogy(
    vectors: WordVectors, near: Sequence[str], far: Sequence[str] = (), *, count: int = 5
) -> AnalogyAnswer:
    """Answer an analogy by 3CosAdd and 3CosMul, and show what the exclusion of its own words does.

    Args:
        vectors: the words with their vectors.
        near: words with a plus: king and woman.
        far: words with a minus: man.
        count: number of answers.

    Raises:
        UsageError: a word has no vector, there is no word with a plus, or there are not that many other words.
    """
    if not near:
        raise UsageError("an analogy needs a word with a plus, as in king - man + woman")
    near_at, far_at = ([find_word(vectors, word) for word in words] for words in (near, far))
    used = {*near_at, *far_at}
    _check_count(vectors, count, len(used))
    unit = vectors.unit()
    plus, minus = ([unit @ unit[place] for place in places] for places in (near_at, far_at))
    summed_V = combine_cosines(plus, minus, product=False)
    return AnalogyAnswer(
        near=tuple(vectors.words[place] for place in near_at),
        far=tuple(vectors.words[place] for place in far_at),
        by_sum=_nearest(vectors, summed_V, count, used),
        by_product=_nearest(vectors, combine_cosines(plus, minus, product=True), count, used),
        without_exclusion=_nearest(vectors, summed_V, count, set()),
        without_far=_nearest(vectors, combine_cosines(plus, [], product=False), count, used),
    )


def parse_analogy(text: str) -> tuple[list[str], list[str]]:
    """The words with a plus and those with a minus of a question.

    Args:
        text: ``king - man + woman``, or ``man : king :: woman``.

    Raises:
        UsageError: it is neither.
    """
    if ":" in text:
        parts = [part.strip(" ?") for part in re.split(r"::?", text)]
        words = [part for part in parts if part]
        if len(words) != 3:
            raise UsageError(f"{text!r} is no analogy of three words; write it as 'man : king :: woman'")
        return [words[1], words[2]], [words[0]]
    pieces = [
        piece.strip() for piece in _SPACED_SIGN.split(f"+ {text}" if text.strip()[:1] not in ("+", "-") else text)
    ]
    signed = list(zip(pieces[1::2], pieces[2::2], strict=True))
    if not signed or any(not word or " " in word for _, word in signed):
        raise UsageError(f"{text!r} is no analogy; write it as 'king - man + woman', with blanks around the signs")
    return [word for sign, word in signed if sign == "+"], [word for sign, word in signed if sign == "-"]


def combine_cosines(near: Sequence[NDArray[Any]], far: Sequence[NDArray[Any]], *, product: bool) -> NDArray[np.float32]:
    """Combine the cosines of all words with those of a question.

    Args:
        near: cosines with each word with a plus, of one shape.
        far: cosines with each word with a minus.
        product: 3CosMul, of cosines moved to 0 to 1; else 3CosAdd, the mean over all words of the question.
    """
    if product:
        above, below = (np.prod([(1 + each) / 2 for each in sides], axis=0) for sides in (near, far))
        closeness: NDArray[np.float32] = above / (below + _EPSILON) if far else above
        return closeness
    # Of unit vectors, the sum of cosines has the order of the cosine with the sum.
    total = np.sum(np.stack(near), axis=0) - (np.sum(np.stack(far), axis=0) if far else 0)
    mean: NDArray[np.float32] = total / (len(near) + len(far))
    return mean


def find_word(vectors: WordVectors, word: str) -> int:
    """The place of a word among the vectors; in lower case where it is not known as it stands.

    Args:
        vectors: the words with their vectors.
        word: any word.

    Raises:
        UsageError: it has no vector; the message names a near spelling.
    """
    from rapidfuzz import fuzz, process

    for form in (word, word.lower()):
        if form in vectors.places:
            return vectors.places[form]
    near = process.extractOne(word.lower(), vectors.words[:_SUGGESTED], scorer=fuzz.ratio, score_cutoff=_NEAR)
    hint = f"did you mean {near[0]!r}?" if near else "it was too rare in the training text, or is no word of it"
    raise UsageError(f"the word {word!r} has no vector; {hint}")


_SUGGESTED = 50_000
"""Words among which a near spelling is sought, the most frequent ones."""

_NEAR = 75.0
"""Per cent of letters that agree."""


def _nearest(vectors: WordVectors, closeness_V: NDArray[Any], count: int, excluded: set[int]) -> NearWords:
    closeness_V = closeness_V.copy()
    closeness_V[list(excluded)] = -np.inf
    best = np.argsort(-closeness_V, kind="stable")[:count]
    return tuple((vectors.words[place], float(closeness_V[place])) for place in best.tolist())


def _check_count(vectors: WordVectors, count: int, used: int) -> None:
    if not 1 <= count <= len(vectors.words) - used:
        raise UsageError(f"{len(vectors.words)} words leave 1 to {len(vectors.words) - used} answers, not {count}")


def _listed(found: NearWords) -> str:
    return ", ".join(f"{word} {value:.3f}" for word, value in found)
