"""What all dummies have in common: a name, parameters, and how they write down what they will predict."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from shoal.errors import UnknownNameError, UsageError
from shoal.models.dummies.context_tree import confident, hash_uniform

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from transformers import PreTrainedTokenizerFast

    from shoal.models.dummies.context_tree import ContextTree, Prediction
    from shoal.text import EncodedPair

Parameter = str | int | float | bool


def _whole(value: Parameter) -> int:
    """A whole number, which 2.5 is not."""
    number = int(value)
    if not isinstance(value, str) and number != value:
        raise ValueError
    return number


def _flag(value: Parameter) -> bool:
    """True or false, in any case: bool("false") is True."""
    return {"true": True, "false": False}[str(value).lower()]


_READERS: dict[str, Callable[[Parameter], Parameter]] = {"int": _whole, "float": float, "str": str, "bool": _flag}
_EXPECTED = {"int": "a number (int)", "float": "a number (float)", "bool": "true or false"}


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The tokens that a dummy may predict."""

    tokenizer: PreTrainedTokenizerFast
    vocabulary: Mapping[str, int]
    """Token, as the tokenizer writes it, to id."""
    end: int
    pad: int
    unknown: int
    """What is predicted where nothing is known: the question mark."""
    ordinary: tuple[int, ...]
    """The tokens of the pairs, special ones left out."""

    def other(self, token: int, *key: object) -> int:
        """A token that is not the one given, the same for the same key."""
        # From the tokens of the pairs, so that an error cannot be recognized by the kind of its token.
        others = [candidate for candidate in self.ordinary if candidate != token] or [self.unknown]
        return others[int(hash_uniform(0, token, *key) * len(others))]


@dataclass(frozen=True, kw_only=True)
class Dummy(ABC):
    """A model whose right scores are known by construction. A subclass with a ``name`` can be made by that name."""

    name: ClassVar[str]
    absolute_positions: ClassVar[bool] = False
    counts_calls: ClassVar[bool] = False
    known: ClassVar[dict[str, type[Dummy]]] = {}

    seed: int = 0
    """For what it decides at random; the same item always gets the same decision."""

    def __init_subclass__(cls) -> None:
        if "name" in cls.__dict__:
            Dummy.known[cls.name] = cls

    @abstractmethod
    def write(self, tree: ContextTree, items: Sequence[EncodedPair], lexicon: Lexicon) -> None:
        """Write into the tree what the dummy predicts for the items.

        Args:
            tree: is written to.
            items: the examples as token ids.
            lexicon: the tokens to choose from.
        """


def dummy_by_name(name: str, parameters: Mapping[str, Parameter]) -> Dummy:
    """A dummy with its parameters, which may be text as in a model spec (``oracle?p=0.3``).

    Args:
        name: of a dummy.
        parameters: by name.

    Raises:
        UnknownNameError: no dummy or no parameter is called so.
        UsageError: a parameter is not a number, or not true or false, where one is due.
    """
    if name not in Dummy.known:
        raise UnknownNameError("dummy", name, Dummy.known)
    kind = Dummy.known[name]
    # Annotations are text here (from __future__ import annotations).
    types = {field.name: str(field.type).split(" ")[0] for field in fields(kind)}
    values: dict[str, Any] = {}
    for key, value in parameters.items():
        if key not in types:
            raise UnknownNameError(f"parameter of the dummy {name}", key, types)
        try:
            values[key] = _READERS[types[key]](value)
        except (ValueError, KeyError, OverflowError) as fault:
            raise UsageError(f"the dummy {name} was given {key}={value!r}; give {_EXPECTED[types[key]]}") from fault
    return kind(**values)


def emit(tree: ContextTree, context: Sequence[int], tokens: Sequence[int], lexicon: Lexicon) -> None:
    """Write into the tree that a context is continued by these tokens.

    Args:
        tree: is written to.
        context: token ids.
        tokens: the continuation.
        lexicon: the tokens to choose runners-up from.
    """
    rows = [confident(token, place, lexicon.other(token, place)) for place, token in enumerate(tokens)]
    tree.write(context, list(zip(rows, tokens, strict=True)))


def emit_teacher_forced(tree: ContextTree, item: EncodedPair, rows: Sequence[Prediction]) -> None:
    """Write into the tree what is predicted at each position of the target, given the gold prefix.

    Args:
        tree: is written to.
        item: whose target it is.
        rows: one prediction per token of the target.
    """
    tree.write(item.prompt, list(zip(rows, item.target, strict=True)))
