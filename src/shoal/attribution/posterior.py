"""The posterior over explanations, and the verdict that it allows.

The verdict, in this order, with the confidence given (0.95, say):

1. two explanations or more have a mean share of a tenth each, and are sure to have a twentieth: **mixture**;
2. the rule, or noise, is sure to explain more than anything else: **rule** or **noise**; and where a shortcut has the
   same answers as the rule to all items: **cannot tell**;
3. the shortcuts together are sure of that: **shortcut**, naming all that may be the one;
4. otherwise: **cannot tell**, between those that may lead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shoal.attribution.candidates import NOISE, RULE, collect_evidence
from shoal.attribution.explanation import Agreement, Explanation, ExplanationShare, ItemExplanation
from shoal.attribution.mixtures import fit_mixtures
from shoal.statistics import check_confidence
from shoal.wording import capital, joined, plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from shoal.attribution.answers import ItemAnswer
    from shoal.attribution.candidates import AnswerEvidence, CandidateTable
    from shoal.attribution.explanation import ExplanationVerdict
    from shoal.attribution.mixtures import MixturePosterior
    from shoal.tasks import Example

_RULE_PRIOR = 0.5
"""The prior weight of the rule; the shortcuts share the rest, so that naming more of them does not make a shortcut
more probable."""

_PART = 0.1
"""The mean share of the answers that makes an explanation a part of a mixture."""

_SURE = 0.05
"""What the lower end of its interval must reach: a rule-learner errs now and then just as a shortcut would."""

_MAY_LEAD = 0.05
"""The probability of leading from which an explanation is named where nothing is sure; or half of the greatest one,
if that is less, since of thirty that fit equally well none would reach it."""


def explain_answers(
    table: CandidateTable,
    answers: Sequence[ItemAnswer],
    seen: Sequence[Example],
    *,
    task: str = "task",
    confidence: float = 0.95,
    seed: int = 0,
) -> Explanation:
    """Find which explanation fits the answers of a model.

    Args:
        table: the candidates of the items, as `candidates_of` gives them.
        answers: what the model says to these items, in the same order.
        seen: the training examples.
        task: the name of the task, for the report.
        confidence: of the verdict and of the intervals.
        seed: random seed of the draws from the posterior.

    Raises:
        UsageError: the answers are not those to the items, no explanation gives any answer to them, or the confidence
            cannot be used.
    """
    check_confidence(confidence)
    evidence = collect_evidence(table, answers, [example.completion for example in seen])
    weights = prior_weights(table, evidence)
    posterior = fit_mixtures(evidence, [sum(map(weights.__getitem__, group)) for group in evidence.classes], seed=seed)
    verdict, names = _verdict(evidence.classes, posterior, confidence)
    shares = _shares(table, answers, evidence, posterior, weights, confidence)
    return Explanation(
        task=task,
        verdict=verdict,
        names=names,
        sentence=_sentence(verdict, names, {share.name: share for share in shares}, len(answers)),
        confidence=confidence,
        shares=shares,
        items=_items(table, answers, evidence, posterior, weights),
        right=sum(answer.ends and answer.answer == answer.expected for answer in answers),
    )


def prior_weights(table: CandidateTable, evidence: AnswerEvidence) -> dict[str, float]:
    """The prior weight of each explanation: the rule has a half, and the shortcuts share the other.

    Args:
        table: the candidates of the items.
        evidence: has the classes of those that apply to any item.
    """
    # Those that apply to no item are not counted: they would take prior weight from those that do.
    shortcuts = max(1, sum(len(group) for group in evidence.classes) - 1)
    return {name: _RULE_PRIOR if name == RULE else (1 - _RULE_PRIOR) / shortcuts for name in table.names}


def _verdict(
    classes: Sequence[Sequence[str]], posterior: MixturePosterior, confidence: float
) -> tuple[ExplanationVerdict, tuple[str, ...]]:
    """The verdict and the explanations that it names."""
    low, _ = posterior.interval(confidence)
    leads, mean, noise = posterior.leads(), posterior.mean(), len(classes)
    parts = [place for place in np.argsort(-mean) if place < noise and low[place] >= _SURE and mean[place] >= _PART]
    # Before the question who leads: of two parts of .7 and .3 the larger leads surely, which hides the other.
    if len(parts) > 1:
        return "mixture", tuple(classes[place][0] for place in parts)
    # Noise before shortcuts: where it leads, the best shortcut agrees no more often than chance would.
    if leads[noise] >= confidence:
        return "noise", (NOISE,)
    ruled = next((place for place, group in enumerate(classes) if RULE in group), None)
    if ruled is not None and leads[ruled] >= confidence:
        return ("cannot tell" if _hides_the_rule(classes[ruled]) else "rule"), tuple(classes[ruled])
    # Without the class of the rule: a shortcut in it gives the rule's answers, and the verdict denies those.
    shortcuts = [place for place in range(noise) if place != ruled]
    if leads[shortcuts].sum() >= confidence:
        return "shortcut", tuple(name for place in _may_lead(leads, shortcuts) for name in classes[place])
    able = _may_lead(leads, range(noise + 1))
    return "cannot tell", tuple(name for place in able for name in ((NOISE,) if place == noise else classes[place]))


def _may_lead(leads: NDArray[np.float64], places: Sequence[int]) -> list[int]:
    """Those of some classes that may lead, the most probable first."""
    threshold = min(_MAY_LEAD, max(leads[place] for place in places) / 2)
    return sorted((place for place in places if leads[place] >= threshold), key=lambda place: -leads[place])


def _hides_the_rule(group: Sequence[str]) -> bool:
    """Whether a shortcut has the answers of the rule to all items."""
    return RULE in group and len(group) > 1


def _shares(
    table: CandidateTable,
    answers: Sequence[ItemAnswer],
    evidence: AnswerEvidence,
    posterior: MixturePosterior,
    weights: Mapping[str, float],
    confidence: float,
) -> tuple[ExplanationShare, ...]:
    """Every explanation with its share; those of one class divide what the class has, by their prior."""
    mean, leads, (low, high) = posterior.mean(), posterior.leads(), posterior.interval(confidence)
    kinds = dict(zip(table.names, table.kinds, strict=True))
    found = []
    for place, group in enumerate(evidence.classes):
        for name in group:
            part = weights[name] / sum(map(weights.__getitem__, group))
            alone = len(group) == 1
            found.append(
                ExplanationShare(
                    name=name,
                    kind=kinds[name],
                    share=float(mean[place]) * part,
                    # Any one of a class may be all of it, or nothing.
                    low=float(low[place]) if alone else 0.0,
                    high=float(high[place]),
                    leads=float(leads[place]) * part,
                    same_as=tuple(other for other in group if other != name),
                    agreement=_agreement(table, answers, name),
                )
            )
    found.append(
        ExplanationShare(
            name=NOISE,
            kind="noise",
            share=float(mean[-1]),
            low=float(low[-1]),
            high=float(high[-1]),
            leads=float(leads[-1]),
            same_as=(),
            agreement=None,
        )
    )
    return tuple(sorted(found, key=lambda share: -share.share))


def _agreement(table: CandidateTable, answers: Sequence[ItemAnswer], name: str) -> Agreement:
    rows = [
        (candidate, candidate == answer.answer and answer.ends, candidate != answer.expected)
        for candidate, answer in zip(table.column(name), answers, strict=True)
        if candidate is not None
    ]
    return Agreement(
        agrees=sum(same for _, same, _ in rows),
        applies=len(rows),
        differs=sum(differs for _, _, differs in rows),
        agrees_where_differs=sum(same and differs for _, same, differs in rows),
    )


def _items(
    table: CandidateTable,
    answers: Sequence[ItemAnswer],
    evidence: AnswerEvidence,
    posterior: MixturePosterior,
    weights: Mapping[str, float],
) -> tuple[ItemExplanation, ...]:
    found = []
    for answer, row, probable in zip(
        answers, table.answers, posterior.responsibilities(evidence.answered_NC).tolist(), strict=True
    ):
        by_name = {
            name: share * weights[name] / sum(map(weights.__getitem__, group))
            # The last probability is that of noise, which has no class.
            for group, share in zip(evidence.classes, probable, strict=False)
            for name in group
        }
        by_name[NOISE] = probable[-1]
        found.append(
            ItemExplanation(
                prompt=answer.prompt,
                expected=answer.expected,
                answer=answer.answer,
                ends=answer.ends,
                right=answer.ends and answer.answer == answer.expected,
                given_by=tuple(
                    name
                    for name, candidate in zip(table.names, row, strict=True)
                    if answer.ends and candidate == answer.answer
                ),
                probabilities={
                    name: share for name, share in sorted(by_name.items(), key=lambda pair: -pair[1]) if share >= 1e-3
                },
            )
        )
    return tuple(found)


def _sentence(
    verdict: ExplanationVerdict, names: Sequence[str], shares: Mapping[str, ExplanationShare], items: int
) -> str:
    """The verdict in plain words."""
    basis = plural(items, "item")
    if verdict == "mixture":
        return f"The model mixes {joined([_mixture_part(shares[name], shares) for name in names])} ({basis})."
    if verdict == "noise":
        agreements = {share.name: share.agreement for share in shares.values() if share.agreement}
        best = max(agreements, key=lambda name: agreements[name].agrees)
        if not agreements[best].agrees:
            return f"None of the named explanations gives any of the answers ({basis})."
        return (
            f"None of the named explanations fits: the best, {_called(best)}, gives {agreements[best].agrees} of "
            f"{agreements[best].applies} answers, no more than noise may."
        )
    if verdict == "cannot tell":
        between = joined([_called(name) for name in names])
        # All of one class: whatever the model had answered, these items could not have separated them.
        if len(names) > 1 and all(set(names) <= {name, *shares[name].same_as} for name in names):
            return f"These items cannot tell: {between} give the same answers to all {basis}."
        if len(names) == 1:
            return f"These items cannot tell: {between} may explain the answers best, but that is not sure ({basis})."
        return f"These items cannot tell: {between} may each explain the answers best ({basis})."
    share = shares[names[0]]
    agreement = share.agreement
    assert agreement is not None
    counts = f"{agreement.agrees} of {agreement.applies}"
    if agreement.differs:
        counts += f", and {agreement.agrees_where_differs} of the {agreement.differs} where it differs from the rule"
    if len(names) > 1:
        others = joined([f"{name}" for name in names[1:]])
        return (
            f"A shortcut explains the answers, and not the rule: {names[0]} gives {counts}; these items cannot tell "
            f"it from {others}."
        )
    return (
        f"{capital(_called(names[0]))} explains {share.share:.0%} of the answers [{share.low:.0%}, {share.high:.0%}]: "
        f"it gives {counts}."
    )


def _mixture_part(share: ExplanationShare, shares: Mapping[str, ExplanationShare]) -> str:
    """A part of a mixture with its share: that of its class, of which each explanation may be all."""
    twins = joined([_called(name) for name in share.same_as])
    total = share.share + sum(shares[name].share for name in share.same_as)
    return f"{_called(share.name)} ({total:.2f}{f', or {twins}, with the same answers' if twins else ''})"


def _called(name: str) -> str:
    """An explanation in a sentence."""
    return {RULE: "the rule", NOISE: "noise"}.get(name, f"the shortcut {name}")
