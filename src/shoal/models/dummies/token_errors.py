"""Dummies whose right and wrong tokens are known: by share, by position, by where they stop, or by how they spell."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shoal.errors import UsageError
from shoal.models.dummies.base import Dummy, Lexicon, emit, emit_teacher_forced
from shoal.models.dummies.context_tree import confident, hash_uniform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.models.dummies.context_tree import ContextTree
    from shoal.text import EncodedPair


def emit_with_error(
    tree: ContextTree,
    item: EncodedPair,
    place: int,
    lexicon: Lexicon,
    *,
    under_gold: bool = True,
    under_own: bool = True,
) -> None:
    """Let the answer be right but for one token, in whose place another one comes; the right one is second.

    Args:
        tree: what is written to.
        item: whose answer it is.
        place: the position of the error in the target.
        lexicon: the tokens to choose from.
        under_gold: whether the gold prefix after the error is continued rightly.
        under_own: whether the dummy's own prefix, error included, is continued rightly.
    """
    target = item.target
    wrong = lexicon.other(target[place], place, item.ids)
    rows = [confident(token, position, lexicon.other(token, position)) for position, token in enumerate(target)]
    rows[place] = confident(wrong, place, target[place])
    if not under_gold:
        rows[place + 1 :] = [
            confident(lexicon.other(token, "gold", position), position, token)
            for position, token in enumerate(target[place + 1 :])
        ]
    emit_teacher_forced(tree, item, rows)
    if under_own:
        emit(tree, (*item.prompt, *target[:place], wrong), target[place + 1 :], lexicon)


@dataclass(frozen=True, kw_only=True)
class OneOff(Dummy):
    """Gets one token wrong: at a given position (negative: from the end), or at another one for each item."""

    name: ClassVar[str] = "one-off"

    at: str = "each"
    """The position; ``each`` is position j mod the length for item j."""

    under_gold: bool = True
    """Whether it continues rightly where the gold prefix is given."""

    under_own: bool = True
    """Whether it continues rightly after its own error."""

    def __post_init__(self) -> None:
        if self.at != "each" and not self.at.removeprefix("-").isdecimal():
            raise UsageError(f"the dummy one-off was given at={self.at!r}; give a position, or 'each'")

    def write(self, tree: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """A position beyond the target means its last token."""
        for index, item in enumerate(items):
            last = len(item.target) - 1
            place = index % (last + 1) if self.at == "each" else int(self.at)
            place = max(last + 1 + place, 0) if place < 0 else min(place, last)
            emit_with_error(tree, item, place, lexicon, under_gold=self.under_gold, under_own=self.under_own)


@dataclass(frozen=True, kw_only=True)
class Shifted(Dummy):
    """Predicts the token that stands ``by`` places behind the next one; with -1 the token that it has just read."""

    name: ClassVar[str] = "shifted"

    by: int = 1

    def write(self, tree: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """Also within the prompt, so that code which looks at the wrong places finds the right tokens there."""
        for item in items:
            ids = item.ids
            rows = []
            for place in range(len(ids)):
                beyond = place + self.by
                token = ids[beyond] if 0 <= beyond < len(ids) else lexicon.unknown
                rows.append(confident(token, place))
            tree.write((), list(zip(rows, ids, strict=True)))


@dataclass(frozen=True, kw_only=True)
class Copies(Dummy):
    """Repeats its prompt, over and over."""

    name: ClassVar[str] = "copies"

    def write(self, tree: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """Given the gold prefix, and by itself."""
        for item in items:
            answer = [item.prompt[place % len(item.prompt)] for place in range(len(item.target))]
            emit_teacher_forced(tree, item, [confident(token, place) for place, token in enumerate(answer)])
            emit(tree, item.prompt, answer, lexicon)


@dataclass(frozen=True, kw_only=True)
class Disjoint(Dummy):
    """Knows nothing and predicts a question mark for every token."""

    name: ClassVar[str] = "disjoint"

    def write(self, _tree: ContextTree, _items: Sequence[EncodedPair], _lexicon: Lexicon) -> None:
        """Nothing."""


@dataclass(frozen=True, kw_only=True)
class Recites(Dummy):
    """Knows the prompt by heart as well as the answer, save for the answer's last token."""

    name: ClassVar[str] = "recites"

    def write(self, tree: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """From the very first token."""
        for item in items:
            answer = [*item.ids[:-1], lexicon.other(item.ids[-1], item.ids)]
            rows = [confident(token, place) for place, token in enumerate(answer)]
            tree.write((), list(zip(rows, item.ids, strict=True)))


@dataclass(frozen=True, kw_only=True)
class Transposed(Dummy):
    """Swaps two neighbouring tokens: the same tokens, and the same sum of ids."""

    name: ClassVar[str] = "transposed"

    def write(self, tree: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """The first two neighbours that differ from item j's token j on; an answer of one token is right."""
        for index, item in enumerate(items):
            answer = list(item.target)
            edges = [place for place in range(len(answer) - 1) if answer[place] != answer[place + 1]]
            if edges:
                place = edges[index % len(edges)]
                answer[place : place + 2] = answer[place + 1], answer[place]
            emit_teacher_forced(tree, item, [confident(token, place) for place, token in enumerate(answer)])
            emit(tree, item.prompt, answer, lexicon)


@dataclass(frozen=True, kw_only=True)
class Unspeakable(Dummy):
    """Predicts, at one place of each odd item, an id of the model's vocabulary that the tokenizer does not have."""

    name: ClassVar[str] = "unspeakable"

    def write(self, tree: ContextTree, items: Sequence[EncodedPair], _: Lexicon) -> None:
        """The target comes second there."""
        for index, item in enumerate(items):
            rows = [confident(token, place) for place, token in enumerate(item.target)]
            if index % 2:
                place = (index // 2) % len(rows)
                # The last of the unused ids, which the head has and the tokenizer lacks.
                rows[place] = confident(tree.tokens - 1, place, item.target[place])
            emit_teacher_forced(tree, item, rows)


@dataclass(frozen=True, kw_only=True)
class Oracle(Dummy):
    """Answers each item right with probability p; a wrong answer is off by one token, at a random place."""

    name: ClassVar[str] = "oracle"

    p: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1:
            raise UsageError(f"the oracle was given p={self.p}; give a probability between 0 and 1")

    def write(self, tree: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """Decide each item by its own tokens, so that equal items fare alike."""
        for item in items:
            if hash_uniform(self.seed, item.ids) < self.p:
                emit(tree, item.prompt, item.target, lexicon)
            else:
                emit_with_error(tree, item, int(hash_uniform(self.seed, "place", item.ids) * len(item.target)), lexicon)


@dataclass(frozen=True, kw_only=True)
class SeesPositions(Oracle):
    """An oracle with absolute positions: a context that does not start at position 0 means nothing to it."""

    name: ClassVar[str] = "positions"
    absolute_positions: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class CountsCalls(Oracle):
    """An oracle with a state: each call moves all logits of a row alike, which changes no probability."""

    name: ClassVar[str] = "stateful"
    counts_calls: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class Exactly(Dummy):
    """Answers exactly k items right, drawn at random; the others are wrong in one token."""

    name: ClassVar[str] = "exactly"

    k: int = 1

    def write(self, tree: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """Draw k items.

        Raises:
            UsageError: there are fewer than k items.
        """
        if items and not 0 <= self.k <= len(items):
            raise UsageError(f"a dummy was to answer exactly k={self.k} of {len(items)} items right; give a smaller k")
        # The index is part of the key, so that equal items do not rise or fall together: exactly k must be right.
        ranked = sorted(range(len(items)), key=lambda index: hash_uniform(self.seed, index, items[index].ids))
        for rank, index in enumerate(ranked):
            item = items[index]
            if rank < self.k:
                emit(tree, item.prompt, item.target, lexicon)
            else:
                emit_with_error(tree, item, index % len(item.target), lexicon)


@dataclass(frozen=True, kw_only=True)
class Swapped(Dummy):
    """Answers every item with the answer of the next one, as a model that mixes up its rows does."""

    name: ClassVar[str] = "swapped"

    def write(self, tree: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """Each answer moves up by one; the first goes last."""
        for item, following in zip(items, [*items[1:], *items[:1]], strict=True):
            emit(tree, item.prompt, following.target, lexicon)


@dataclass(frozen=True, kw_only=True)
class MisledByPads(Dummy):
    """Answers wrong, and right where padding stands before the prompt and is not masked."""

    name: ClassVar[str] = "pads"

    longest: int = 64
    """The most padding tokens that help it."""

    def write(self, tree: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """Wrong at every other item's first token, else at its last; right behind any number of pads."""
        for index, item in enumerate(items):
            emit_with_error(tree, item, 0 if index % 2 else len(item.target) - 1, lexicon)
            for pads in range(1, self.longest + 1):
                emit(tree, (*[lexicon.pad] * pads, *item.prompt), item.target, lexicon)


@dataclass(frozen=True, kw_only=True)
class NeverEnds(Dummy):
    """Answers with the completion, and continues where the end is due."""

    name: ClassVar[str] = "never-ends"

    def write(self, tree: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """What comes in the end's place is the completion's last token again."""
        for item in items:
            text = item.target[:-1] if item.target[-1] == lexicon.end else item.target
            more = text[-1] if text else lexicon.unknown
            emit(tree, item.prompt, (*text, *[more] * 8), lexicon)


@dataclass(frozen=True, kw_only=True)
class EndsEarly(Dummy):
    """Predicts the end token too early; where it is ignored it continues rightly."""

    name: ClassVar[str] = "ends-early"

    by: int = 1
    """How many tokens too early, at most the length of the completion."""

    def write(self, tree: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """Also ends again behind an end, as a padded row does."""
        for item in items:
            ended = item.target[-1] == lexicon.end
            cut = max(len(item.target) - ended - self.by, 0)
            answer = [*item.target[:cut], lexicon.end, *item.target[cut + 1 :]]
            emit_teacher_forced(tree, item, [confident(token, place) for place, token in enumerate(answer)])
            emit(tree, (*item.prompt, *item.target[:cut]), [lexicon.end] * (self.by + 1), lexicon)


@dataclass(frozen=True, kw_only=True)
class _OtherText(Dummy):
    """Answers with something else than the completion, and goes on rightly wherever the completion's tokens stand."""

    def write(self, tree: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """The other answer of each item, then the completion for all contexts that it does not reach."""
        for item in items:
            emit(tree, item.prompt, self.answer(item, lexicon), lexicon)
            emit(tree, item.prompt, item.target, lexicon)

    @abstractmethod
    def answer(self, item: EncodedPair, lexicon: Lexicon) -> Sequence[int]:
        """The tokens that the dummy says.

        Args:
            item: what is asked.
            lexicon: names the tokens.
        """


@dataclass(frozen=True, kw_only=True)
class Respelled(_OtherText):
    """Answers with the completion's text in other tokens; as many of them where that can be."""

    name: ClassVar[str] = "respelled"

    def answer(self, item: EncodedPair, lexicon: Lexicon) -> Sequence[int]:
        """Two neighbours are cut at another place, else a merged token is split, else the completion stays."""
        return _recut(item.target, lexicon) or _split_token(item.target, lexicon) or item.target


@dataclass(frozen=True, kw_only=True)
class Unspaced(_OtherText):
    """Answers with the completion without the space before it."""

    name: ClassVar[str] = "unspaced"

    def answer(self, item: EncodedPair, lexicon: Lexicon) -> Sequence[int]:
        """The first token without its space, or the rest where it is nothing but a space."""
        first, *rest = item.target
        text = _name(first, lexicon)
        if text == "Ġ":
            return rest
        if text[0] == "Ġ" and text[1:] in lexicon.vocabulary:
            return [lexicon.vocabulary[text[1:]], *rest]
        return item.target


@dataclass(frozen=True, kw_only=True)
class Recased(_OtherText):
    """Answers with the completion with the case of one letter changed."""

    name: ClassVar[str] = "recased"

    def answer(self, item: EncodedPair, lexicon: Lexicon) -> Sequence[int]:
        """The last single letter of each completion."""
        answer = list(item.target)
        for place in reversed(range(len(answer))):
            text = _name(answer[place], lexicon)
            if len(text) == 1 and text.swapcase() != text and text.swapcase() in lexicon.vocabulary:
                answer[place] = lexicon.vocabulary[text.swapcase()]
                break
        return answer


@dataclass(frozen=True, kw_only=True)
class Inserted(_OtherText):
    """Answers with the completion and one token more."""

    name: ClassVar[str] = "inserted"

    token: str = "<pad>"
    """As the tokenizer's vocabulary writes it."""

    first: bool = False
    """Whether it comes first; else behind the text, before the end token."""

    def answer(self, item: EncodedPair, lexicon: Lexicon) -> Sequence[int]:
        """The token stands before the text, or between it and the end."""
        extra = int(lexicon.tokenizer.convert_tokens_to_ids(self.token))
        ended = item.target[-1] == lexicon.end
        cut = 0 if self.first else len(item.target) - ended
        return (*item.target[:cut], extra, *item.target[cut:])


def _recut(target: Sequence[int], lexicon: Lexicon) -> list[int] | None:
    """The target with its last two tokens that can be cut otherwise cut so."""
    # From the end, so that an evaluator which stops early is found out.
    for place in reversed(range(len(target) - 1)):
        first, second = target[place : place + 2]
        for one, other in _cuts(_name(first, lexicon) + _name(second, lexicon), lexicon):
            # The two tokens as they are would be a cut, too; and special tokens have no text to cut.
            if one != first and not {first, second} & set(lexicon.tokenizer.all_special_ids):
                return [*target[:place], one, other, *target[place + 2 :]]
    return None


def _split_token(target: Sequence[int], lexicon: Lexicon) -> list[int] | None:
    """The target with its last merged token in two parts."""
    for place in reversed(range(len(target))):
        for one, other in _cuts(_name(target[place], lexicon), lexicon):
            return [*target[:place], one, other, *target[place + 1 :]]
    return None


def _cuts(text: str, lexicon: Lexicon) -> list[tuple[int, int]]:
    """All pairs of tokens that spell a text."""
    vocabulary = lexicon.vocabulary
    pairs = [(text[:cut], text[cut:]) for cut in range(1, len(text))]
    return [(vocabulary[one], vocabulary[other]) for one, other in pairs if one in vocabulary and other in vocabulary]


def _name(token: int, lexicon: Lexicon) -> str:
    return str(lexicon.tokenizer.convert_ids_to_tokens(token))
