"""Dummies whose answer looks like the completion, or nearly so, and consists of other tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shoal.models.dummies.base import Dummy, Lexicon, emit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.models.dummies.context_tree import ContextTree
    from shoal.text import EncodedPair


@dataclass(frozen=True, kw_only=True)
class Respelled(Dummy):
    """Answers with the completion's text in other tokens; as many of them where that can be."""

    name: ClassVar[str] = "respelled"

    def write(self, tree: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """Two neighbours are cut at another place, else a merged token is split, else the completion stays."""
        for item in items:
            answer = _recut(item.target, lexicon) or _split_token(item.target, lexicon) or item.target
            emit(tree, item.prompt, answer, lexicon)
            emit(tree, item.prompt, item.target, lexicon)


@dataclass(frozen=True, kw_only=True)
class Unspaced(Dummy):
    """Answers with the completion without the space before it."""

    name: ClassVar[str] = "unspaced"

    def write(self, tree: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """The first token without its space, or the rest where it is nothing but a space."""
        vocabulary = lexicon.vocabulary
        for item in items:
            answer = list(item.target)
            text = _name(answer[0], lexicon)
            if text[0] == "Ġ" and (len(text) == 1 or text[1:] in vocabulary):
                answer[:1] = [vocabulary[text[1:]]] if text[1:] else []
            emit(tree, item.prompt, answer, lexicon)
            emit(tree, item.prompt, item.target, lexicon)


@dataclass(frozen=True, kw_only=True)
class Recased(Dummy):
    """Answers with the completion with the case of one letter changed."""

    name: ClassVar[str] = "recased"

    def write(self, tree: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """The last single letter of each completion."""
        vocabulary = lexicon.vocabulary
        for item in items:
            answer = list(item.target)
            for place in reversed(range(len(answer))):
                text = _name(answer[place], lexicon)
                if len(text) == 1 and text.swapcase() != text and text.swapcase() in vocabulary:
                    answer[place] = vocabulary[text.swapcase()]
                    break
            emit(tree, item.prompt, answer, lexicon)
            emit(tree, item.prompt, item.target, lexicon)


@dataclass(frozen=True, kw_only=True)
class Inserted(Dummy):
    """Answers with the completion and one token more."""

    name: ClassVar[str] = "inserted"

    token: str = "<pad>"
    """As the tokenizer's vocabulary writes it."""

    first: bool = False
    """Whether it comes first; else behind the text, before the end token."""

    def write(self, tree: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """The gold prefix is continued rightly everywhere else."""
        extra = int(lexicon.tokenizer.convert_tokens_to_ids(self.token))
        for item in items:
            ended = item.target[-1] == lexicon.end
            cut = 0 if self.first else len(item.target) - ended
            emit(tree, item.prompt, (*item.target[:cut], extra, *item.target[cut:]), lexicon)
            emit(tree, item.prompt, item.target, lexicon)


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
