"""What explains the answers of a model, and those of several trainings together, with the seed as the unit."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal

from shoal.errors import UnknownNameError, UsageError
from shoal.statistics import sign_flip_interval
from shoal.wording import aligned_rows, joined, plural, probability

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas

    from shoal.attribution.candidates import ExplanationKind


ExplanationVerdict = Literal["rule", "shortcut", "mixture", "noise", "cannot tell"]

_SHOWN_ITEMS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Plain counts: how often an explanation gives the very answer of the model."""

    agrees: int
    """Items on which the model's greedy answer is the explanation's."""

    applies: int
    """Items that the explanation has an answer to."""

    differs: int
    """Of those, items on which its answer is not the right one: only there it can be told from the rule."""

    agrees_where_differs: int
    """Of these, items on which the model follows the explanation and not the rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplanationShare:
    """One explanation, or noise."""

    name: str
    kind: ExplanationKind
    share: float
    """The share of the answers that it explains: the posterior mean."""

    low: float
    high: float
    """The ends of the central credible interval of the share."""

    leads: float
    """The probability that it explains more of the answers than any other does."""

    same_as: tuple[str, ...]
    """Explanations with the same answers to all items: these items cannot tell them apart."""

    agreement: Agreement | None
    """None for noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemExplanation:
    """What explains the answer to one item."""

    prompt: str
    expected: str
    answer: str
    ends: bool
    right: bool
    given_by: tuple[str, ...]
    """The explanations that give this very answer."""

    probabilities: Mapping[str, float]
    """The probability that the answer came from each explanation, or from noise; those below one in a thousand are
    left out."""

    @property
    def best(self) -> str:
        """The most probable explanation of the answer."""
        return max(self.probabilities, key=lambda name: self.probabilities[name])


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Which explanation fits what a model says; ``print`` shows it in full."""

    task: str
    verdict: ExplanationVerdict
    names: tuple[str, ...]
    """The explanations that the verdict names: the one that leads, those of a mixture by their share, or those that
    cannot be told apart."""

    sentence: str
    """The verdict in plain words."""

    confidence: float
    """Of the verdict, and of the intervals of the shares."""

    shares: tuple[ExplanationShare, ...]
    """Every explanation and noise, the greatest share first."""

    items: tuple[ItemExplanation, ...]
    right: int
    """Items with the right answer."""

    def share_of(self, name: str) -> ExplanationShare:
        """The share of one explanation, or of noise.

        Raises:
            UnknownNameError: there is no explanation of that name, or it applies to no item.
        """
        by_name = {share.name: share for share in self.shares}
        if name not in by_name:
            raise UnknownNameError("explanation", name, by_name)
        return by_name[name]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Explanation:
        """The explanation that `to_dict` wrote, JSON's lists being tuples again."""
        shares = tuple(
            ExplanationShare(
                **{
                    **share,
                    "same_as": tuple(share["same_as"]),
                    "agreement": Agreement(**share["agreement"]) if share["agreement"] else None,
                }
            )
            for share in record["shares"]
        )
        items = tuple(ItemExplanation(**{**item, "given_by": tuple(item["given_by"])}) for item in record["items"])
        return cls(**{**record, "names": tuple(record["names"]), "shares": shares, "items": items})

    def to_frame(self) -> pandas.DataFrame:
        """A row for each explanation."""
        import pandas

        rows = []
        for share in self.shares:
            row = asdict(share)
            counts = row.pop("agreement") or {}
            rows.append(row | {"same_as": ", ".join(share.same_as), **counts})
        return pandas.DataFrame(rows)

    def items_frame(self) -> pandas.DataFrame:
        """A row for each item: what was right, what the model says, and what explains that."""
        import pandas

        return pandas.DataFrame(
            [
                {
                    "prompt": item.prompt,
                    "expected": item.expected,
                    "answer": item.answer,
                    "right": item.right,
                    "best": item.best,
                    "probability": item.probabilities[item.best],
                    "given_by": ", ".join(item.given_by),
                }
                for item in self.items
            ]
        )

    def __str__(self) -> str:
        lines = [self.sentence, "", *self._share_lines()]
        wrong = [item for item in self.items if not item.right]
        if wrong:
            lines += ["", f"what it answers instead ({len(wrong)} of {plural(len(self.items), 'item')} wrong)"]
            lines += [_item_line(item) for item in wrong[:_SHOWN_ITEMS]]
            if len(wrong) > _SHOWN_ITEMS:
                lines.append(f"  and {len(wrong) - _SHOWN_ITEMS} more")
        return "\n".join(lines)

    def _share_lines(self) -> list[str]:
        """The table of the explanations; those that neither explain nor agree with anything are counted only."""
        percent = f"{100 * self.confidence:g}% interval"
        head = ("explanation", "share", percent, "leads", "agrees", "agrees where it differs from the rule")
        shown = [share for share in self.shares if share.share >= 0.005 or share.agreement is None or _agrees(share)]
        rows = [head]
        for share in shown:
            counts = share.agreement
            rows.append(
                (
                    share.name,
                    f"{share.share:.2f}",
                    f"{share.low:.2f} to {share.high:.2f}",
                    probability(share.leads),
                    f"{counts.agrees} of {counts.applies}" if counts else "",
                    f"{counts.agrees_where_differs} of {counts.differs}" if counts and counts.differs else "",
                )
            )
        lines = aligned_rows(rows)
        left_out = len(self.shares) - len(shown)
        if left_out == 1:
            return [*lines, "1 explanation that explains nothing is left out"]
        return [*lines, f"{plural(left_out, 'explanation')} that explain nothing are left out"] if left_out else lines


def _agrees(share: ExplanationShare) -> bool:
    return share.agreement is not None and share.agreement.agrees > 0


def _item_line(item: ItemExplanation) -> str:
    """What the model says to an item, and what else says so."""
    said = _short(item.answer) + ("" if item.ends else " (did not end)")
    source = joined(item.given_by) if item.given_by else "none of the explanations"
    return f"  {_short(item.prompt)} -> {said} (right: {_short(item.expected)}); given by {source}"


def _short(text: str, limit: int = 48) -> str:
    """A text in quotes; of a long one the end, where answers differ."""
    return repr(text if len(text) <= limit else f"...{text[-limit:]}")


_SHOWN = 0.05
"""The mean share from which an explanation stands in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedVerdict:
    """What explains one training."""

    seed: int
    verdict: ExplanationVerdict
    names: tuple[str, ...]
    right: int
    items: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanShare:
    """The share of one explanation over the seeds."""

    name: str
    kind: ExplanationKind
    mean: float
    low: float | None
    """The ends of the interval over seeds, by sign flips; None where so few seeds bound nothing."""

    high: float | None
    by_seed: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingsExplanation:
    """What explains the answers of an arm."""

    sentence: str
    seeds: tuple[SeedVerdict, ...]
    shares: tuple[MeanShare, ...]
    """Every explanation, and noise, the greatest mean share first."""

    confidence: float

    def __str__(self) -> str:
        lines = [f"{self.sentence}.", ""]
        percent = f"{100 * self.confidence:g}% interval over seeds"
        for share in self.shares:
            if share.mean >= 0.005:
                bounded = share.low is not None and share.high is not None
                interval = (
                    f"{percent} {share.low:.2f} to {share.high:.2f}" if bounded else "too few seeds for an interval"
                )
                lines.append(f"  {share.name:<24} {share.mean:.2f}  {interval}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def explain_trainings(found: Mapping[int, Explanation], *, confidence: float = 0.95) -> TrainingsExplanation:
    """Bring the explanations of several trainings together.

    Args:
        found: from seed to what explains it; all on the same items.
        confidence: of the intervals over seeds.

    Raises:
        UsageError: there is none.
    """
    if not found:
        raise UsageError("there is no training to explain; give at least one")
    seeds = tuple(
        SeedVerdict(
            seed=seed,
            verdict=explanation.verdict,
            names=explanation.names,
            right=explanation.right,
            items=len(explanation.items),
        )
        for seed, explanation in found.items()
    )
    shares = _mean_shares(found, confidence)
    return TrainingsExplanation(sentence=_sentence(seeds, shares), seeds=seeds, shares=shares, confidence=confidence)


def _mean_shares(found: Mapping[int, Explanation], confidence: float) -> tuple[MeanShare, ...]:
    # Over all trainings, as one in which a neighbour answers nothing has no share of it.
    kinds = {share.name: share.kind for explanation in found.values() for share in explanation.shares}
    by_name = {
        # An explanation that gives no answer of a training has no part in it.
        name: tuple(
            next((share.share for share in explanation.shares if share.name == name), 0.0)
            for explanation in found.values()
        )
        for name in kinds
    }
    shares = []
    for name, values in by_name.items():
        interval = sign_flip_interval(values, confidence=confidence)
        shares.append(
            MeanShare(
                name=name,
                kind=kinds[name],
                mean=sum(values) / len(values),
                # A share lies between 0 and 1, whatever the spread of the seeds would allow.
                low=max(interval.low, 0.0) if isfinite(interval.low) else None,
                high=min(interval.high, 1.0) if isfinite(interval.high) else None,
                by_seed=values,
            )
        )
    return tuple(sorted(shares, key=lambda share: -share.mean))


def _sentence(seeds: tuple[SeedVerdict, ...], shares: tuple[MeanShare, ...]) -> str:
    doubtful = [seed for seed in seeds if seed.verdict == "cannot tell" and len(seed.names) > 1]
    counts = Counter(_called(seed) for seed in seeds if seed not in doubtful)
    if doubtful:
        # Together: each training doubts between names of its own, and all of their lists would hide the verdict.
        often = Counter(name for seed in doubtful for name in seed.names)
        counts[f"cannot tell between {joined([name for name, _ in often.most_common()])}"] = len(doubtful)
    verdicts = joined([f"{words} in {count} of {plural(len(seeds), 'seed')}" for words, count in counts.most_common()])
    parts = ", ".join(f"{share.name} {share.mean:.2f}" for share in shares if share.mean >= _SHOWN)
    return f"{verdicts} (mean share: {parts})"


def _called(seed: SeedVerdict) -> str:
    """The verdict of one training in a few words."""
    if seed.verdict == "shortcut":
        return f"the shortcut {' or '.join(seed.names)}"
    if seed.verdict == "mixture":
        return f"a mixture of {joined(list(seed.names))}"
    if seed.verdict == "cannot tell":
        # One name alone leads without being sure of it.
        return f"perhaps {seed.names[0]}"
    return {"rule": "the rule", "noise": "none of the named explanations"}[seed.verdict]
