"""What adaptive testing found: which explanation is left, and the items that decided."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from shoal.statistics import Interval
from shoal.wording import aligned_rows, joined, plural

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas

DiscriminationVerdict = Literal["rule", "shortcut", "none", "cannot tell"]

NONE = "none of these"
"""The name of the hypothesis that no named explanation is the main one."""

_SHOWN_ITEMS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscriminatingItem:
    """An item that the model was given, and what followed from its answer."""

    prompt: str
    candidates: Mapping[str, str | None]
    """What each explanation answers; None where it does not apply. Of explanations that no item separates, the
    first."""

    answer: str | None
    """What the model answers; None where its answer did not end."""

    given_by: tuple[str, ...]
    """The explanations that give this very answer."""

    log_e: Mapping[str, float]
    """The evidence so far against each explanation being the main one, and against none being so: log e-values
    (nats)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an explanation stands at the end."""

    name: str
    same_as: tuple[str, ...]
    """Explanations with the same answers to the whole pool."""

    agrees: int
    """Answers of the model that it gives, of ``trials``."""

    trials: int
    """The items that test it: those on which it differs from the explanation that leads, or, leading, from others."""

    wins: int
    """Answers that it gives, of ``contests``."""

    contests: int
    """Answers that it or the explanation that leads gives, where the two differ."""

    interval: Interval
    """Of the share of such items that it answers; valid although the items stop by what they show."""

    log_e: float
    """The evidence against its being the main explanation (nats)."""

    rejected_at: int | None
    """The number of the item at which it was rejected; None if it was not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrimination:
    """Which explanation is left after items on which they disagree; ``print`` shows it in full."""

    task: str
    verdict: DiscriminationVerdict
    names: tuple[str, ...]
    """The explanation that is left with those that no item separates from it, or those that may still be the main
    one."""

    sentence: str
    """The verdict in plain words."""

    alpha: float
    """The probability, over the whole procedure, that the true hypothesis is rejected."""

    share: float
    """Of the answers that the main explanation gives at least."""

    items: tuple[DiscriminatingItem, ...]
    """In the order in which the model was given them."""

    standings: tuple[Standing, ...]
    """Every explanation: those that are left first, then those rejected last."""

    none_rejected_at: int | None
    """The number of the item at which it was rejected that no explanation is the main one; None if it was not."""

    batches: int
    """How often the model was asked."""

    pool: int
    """Items that were there to choose from."""

    separating: int
    """Items left in the pool that could have decided further."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Discrimination:
        """The result that `to_dict` wrote, JSON's lists being tuples again."""
        items = (DiscriminatingItem(**{**item, "given_by": tuple(item["given_by"])}) for item in record["items"])
        standings = (
            Standing(
                **{**standing, "same_as": tuple(standing["same_as"]), "interval": Interval(**standing["interval"])}
            )
            for standing in record["standings"]
        )
        return cls(**{**record, "names": tuple(record["names"]), "items": tuple(items), "standings": tuple(standings)})

    def to_frame(self) -> pandas.DataFrame:
        """A row for each item: prompt, answer, who gives it, and the log e-value of each hypothesis after it."""
        import pandas

        return pandas.DataFrame(
            [
                {
                    "prompt": item.prompt,
                    "answer": item.answer,
                    "given_by": ", ".join(item.given_by),
                    **{f"log_e {name}": value for name, value in item.log_e.items()},
                }
                for item in self.items
            ]
        )

    def __str__(self) -> str:
        lines = [self.sentence, "", *self._standing_lines(), "", "the items, in order"]
        lines += [_item_line(number, item) for number, item in enumerate(self.items[:_SHOWN_ITEMS], start=1)]
        if len(self.items) > _SHOWN_ITEMS:
            lines.append(f"  and {len(self.items) - _SHOWN_ITEMS} more")
        return "\n".join(lines)

    def _standing_lines(self) -> list[str]:
        percent = f"{100 * (1 - self.alpha):g}% interval"
        head = ("explanation", "gives", percent, "against the leader", "e-value against it", "rejected at item")
        rows = [head]
        for standing in self.standings:
            interval = standing.interval
            rows.append(
                (
                    " = ".join((standing.name, *standing.same_as)),
                    f"{standing.agrees} of {standing.trials}",
                    f"{interval.low:.2f} to {interval.high:.2f}",
                    f"{standing.wins} of {standing.contests}" if standing.contests else "",
                    # The exponential overflows above 709.
                    f"{math.exp(min(standing.log_e, 700)):.3g}",
                    str(standing.rejected_at or "not rejected"),
                )
            )
        last = self.items[-1].log_e[NONE] if self.items else 0.0
        rows.append((NONE, "", "", "", f"{math.exp(min(last, 700)):.3g}", str(self.none_rejected_at or "not rejected")))
        return aligned_rows(rows)


def verdict_sentence(
    verdict: DiscriminationVerdict, standings: tuple[Standing, ...], *, items: int, separating: int, alpha: float
) -> str:
    """The verdict in plain words.

    Args:
        verdict: what was found.
        standings: the explanations, those that are left first.
        items: how many the model was given.
        separating: items left in the pool that could have decided further.
        alpha: the level of the whole procedure.
    """
    basis = plural(items, "item")
    left = [standing for standing in standings if standing.rejected_at is None]
    if verdict == "none":
        # Of equal shares the one that more items have tested.
        best = max(standings, key=lambda standing: (standing.agrees / max(1, standing.trials), standing.trials))
        return (
            f"None of the named explanations is the main one: all are rejected after {basis} (alpha {alpha:g}); "
            f"the best, {called(best.name)}, gives {best.agrees} of the {best.trials} answers that test it."
        )
    if verdict != "cannot tell":
        (main,) = left
        found = (
            f"gives {main.agrees} of the {main.trials} answers that test it, and every other explanation is rejected"
        )
        same = (
            f", as no item separates it from {joined([called(name) for name in main.same_as])}" if main.same_as else ""
        )
        return f"The main explanation is {called(main.name)}{same}: it {found} after {basis} (alpha {alpha:g})."
    names = joined([called(standing.name) for standing in left] + ([NONE] if len(left) < 2 else []))
    why = (
        f"{plural(separating, 'item')} of the pool would separate them still; raise the budget"
        if separating
        else "no further item of the pool separates them; draw a larger pool"
    )
    return f"Undecided after {basis} between {names}: {why}."


def called(name: str) -> str:
    """An explanation in a sentence.

    Args:
        name: of the explanation.
    """
    return "the rule" if name == "rule" else f"the shortcut {name}"


def _item_line(number: int, item: DiscriminatingItem) -> str:
    """The item, the answer and who gives it; the candidates stand in the table of items."""
    answer = "no end" if item.answer is None else _shortened(item.answer)
    givers = joined(item.given_by) if item.given_by else "none of the explanations"
    return f"  {number:>3}. {_shortened(item.prompt)} -> {answer}; given by {givers}"


def _shortened(text: str, limit: int = 48) -> str:
    """A text in quotes; of a long one the end, where answers differ."""
    return repr(text if len(text) <= limit else f"...{text[-limit:]}")
