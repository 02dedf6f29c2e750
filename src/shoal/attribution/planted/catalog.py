"""The set of planted models: fourteen shortcuts pure and mixed, rule-learners, and splits that cannot tell.

The shortcuts are those whose rule a model of this size learns too in some hundreds of steps, since a mixture needs
both. Options come in two sizes, by the seed's parity, so that a set of another seed differs in more than its draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.attribution.planted.planted_model import PlantedModel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NOISES = (0.0, 0.15)
"""The two strengths of a pure shortcut: the share of completions of other prompts."""

SHARES = (0.75, 0.5)
"""The two strengths of a mixture: the shortcut's share."""


@dataclass(frozen=True, slots=True)
class _Source:
    """A task in two sizes, with its shortcuts that are planted and those that a split may hide."""

    task: str
    sizes: tuple[Mapping[str, Any], Mapping[str, Any]]
    planted: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    effort: float = 1.0
    prompts: int = 1600


def _lists(task: str, planted: tuple[str, ...], hidden: tuple[str, ...], **more: Any) -> _Source:
    return _Source(task, _between("length", (2, 4), (1, 4)), planted, hidden, **more)


def _between(what: str, *ranges: tuple[int, int]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    first, second = ({f"min_{what}": low, f"max_{what}": high} for low, high in ranges)
    return first, second


_SOURCES = (
    _lists("copy", ("backward", "drop-last", "first-item"), ("drop-repeats",)),
    _lists("reverse", ("same-order", "last-item-first"), ("swap-ends", "drop-repeats")),
    # Its answers are twice as long, so that lists are shorter, and each sign of them is a chance to slip.
    _Source("duplicate", _between("length", (1, 3), (1, 4)), ("each-item-twice", "mirror"), effort=3.0, prompts=900),
    # Not the minority: a mixture of a label and its opposite is noise, and nothing could tell the two apart.
    _Source(
        "majority",
        _between("length", (3, 10), (5, 12)),
        ("last-symbol", "first-symbol", "middle-symbol", "last-three-symbols"),
        ("last-symbol", "longest-run"),
        # The symbol in the middle is the majority in two prompts of three, and mixtures are measured on the third.
        prompts=2400,
    ),
    _Source(
        "agreement",
        _between("nouns", (1, 3), (1, 4)),
        ("nearest-noun", "first-noun", "any-plural"),
        prompts=3000,
        effort=2.0,
    ),
    # Rules that this size does not learn in time: only splits that cannot tell, where the shortcut is the easier one.
    _Source(
        "comparison",
        _between("digits", (1, 2), (2, 2)),
        (),
        ("first-number", "greater-first-digit", "greater-last-digit"),
        effort=4.0,
    ),
    _Source("missing-duplicate", _between("pairs", (1, 3), (2, 4)), (), ("last-item",), effort=4.0),
    _Source("parity", _between("length", (2, 11), (3, 12)), (), ("last-bit", "first-bit", "more-ones"), effort=4.0),
    _Source("dyck", _between("pairs", (2, 5), (3, 6)), (), ("first-and-last", "last-closes"), effort=4.0),
)


def planted_models(*, seed: int = 0) -> tuple[PlantedModel, ...]:
    """The 84 models of a seed: 56 of shortcuts (28 pure, 28 mixed), 14 rule-learners, 14 splits that cannot tell.

    Args:
        seed: of all draws; even and odd ones have other sizes of prompts.
    """
    planted = [model for source in _SOURCES for model in _planted(source, seed)]
    hidden = [
        _model(source, seed, kind="cannot tell", shortcut=shortcut) for source in _SOURCES for shortcut in source.hidden
    ]
    # The pure ones first, then the others, so that a build that is stopped early has some of each kind of task.
    order = ("pure", "rule", "cannot tell", "mixed")
    return tuple(sorted([*planted, *hidden], key=lambda model: order.index(model.kind)))


def _planted(source: _Source, seed: int) -> Iterator[PlantedModel]:
    for shortcut in source.planted:
        yield _model(source, seed, kind="rule", shortcut=shortcut, share=0.0)
        for noise in NOISES:
            yield _model(source, seed, kind="pure", shortcut=shortcut, noise=noise)
        for share in SHARES:
            yield _model(source, seed, kind="mixed", shortcut=shortcut, share=share)


def _model(source: _Source, seed: int, **planted: Any) -> PlantedModel:
    options = source.sizes[seed % 2]
    return PlantedModel(
        task=source.task,
        options=options,
        skills=("rule", *source.planted) if source.planted else (),
        prompts=source.prompts,
        # A mixture must also stay with the program that it began an answer with.
        effort=source.effort * (3 if planted["kind"] == "mixed" else 1),
        seed=seed,
        **planted,
    )
