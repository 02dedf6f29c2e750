"""The rating of models as one HTML page: measures with intervals, paradigms, samples with marks, the certificate."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.evaluation.judging import DIMENSIONS
from shoal.figures import DotRow, Section, document, dot_chart, figure, responsive, table
from shoal.reports.estimates import estimate_row, with_interval
from shoal.wording import joined

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shoal.evaluation.judging import JudgeCertificate
    from shoal.evaluation.stories import StoryMeasure, StoryRating

_WIDTH = 460
"""Pixels of a plot, so that two stand side by side."""


# As many as are read; all completions are in the record of the run.
_SAMPLES = 6
_LONGEST_SAMPLE = 700
_SAMPLE = Markup("<div class='sample'><p><span class='prompt'>{}</span>{}</p><p class='muted'>{}</p></div>")
_FOUND = Markup(
    "<p>{} is sensitive to perturbed {}. Not shown for {}; creativity and age are not certified at all.</p>"
)
_STYLE = """
.sample{border-left:3px solid var(--rule);padding:.1rem 0 .1rem 1rem;margin:1rem 0;max-width:44rem}
.sample .prompt{color:var(--muted)}
.sample p{white-space:pre-wrap}
"""


def rating_page(
    ratings: Sequence[StoryRating],
    *,
    settings: Mapping[str, object],
    certificate: JudgeCertificate | None = None,
) -> str:
    """A whole document that opens offline.

    Args:
        ratings: one per model; none where a judge alone was certified.
        settings: how the completions were drawn and on what they were rated, by name.
        certificate: of the judge, where it was certified.
    """
    sections: list[Section] = []
    if ratings:
        sections.append(Section("measures", "Measures", _measures(ratings)))
        sections += [
            Section(f"pairs-{place}", name, _pairs(name, ratings)) for place, name in enumerate(ratings[0].pairs)
        ]
        if any(rating.completions for rating in ratings):
            sections.append(Section("samples", "Samples", _samples(ratings)))
    if certificate is not None:
        sections.append(Section("judge", "The judge", _judge(certificate)))
    sections.append(Section("settings", "How it was done", _settings(settings, ratings)))
    return document("Stories, rated", _result(ratings, certificate), sections, style=_STYLE)


def _result(ratings: Sequence[StoryRating], certificate: JudgeCertificate | None) -> str:
    """Which model is best by most measures; of one alone its first measure; of a judge what it is sensitive to."""
    if not ratings:
        findings = certificate.findings if certificate else ()
        sensitive = [one.perturbation for one in findings if one.sensitivity == "sensitive"]
        judge = certificate.judge if certificate else "The judge"
        return f"{judge} is sensitive to perturbed {joined(sensitive) or 'nothing'}."
    labels = dict(zip((rating.model for rating in ratings), _labels(ratings), strict=True))
    first = ratings[0]
    if len(ratings) == 1:
        one = first.measures[0]
        ends = one.interval
        interval = "too few or too alike for an interval"
        if ends is not None:
            interval = f"95% interval {ends[0]:.3f} to {ends[1]:.3f}"
        rest = f"the first of {len(first.measures)} measures"
        return f"{labels[first.model]}: {one.name} {one.value:.3f} ({interval}), {rest}."
    wins: Counter[str] = Counter(dict.fromkeys(labels.values(), 0))
    compared = 0
    for names in first.measures:
        found = [(rating, one) for rating in ratings for one in rating.measures if one.name == names.name]
        # A measure with no better end, or that some model lacks, decides nothing.
        if names.better == "neither" or len(found) < len(ratings):
            continue
        order = sorted(found, key=lambda pair: pair[1].value, reverse=names.better == "more")
        ahead, behind = order[0][1].interval, [one.interval for _, one in order[1:]]
        compared += 1
        if ahead is None:
            continue
        # Intervals that lie apart, which is stricter than a test of the difference: models share prompts, and their
        # pairs are not at hand here.
        more = names.better == "more"
        if all(ends is not None and (ahead[0] > ends[1] if more else ahead[1] < ends[0]) for ends in behind):
            wins[labels[order[0][0].model]] += 1
    best, count = wins.most_common(1)[0]
    if not count:
        return f"No model is clearly ahead: on none of {compared} measures the intervals lie apart."
    others = [f"{label} on {wins[label]}" for label in wins if label != best]
    return f"{best} is clearly ahead on {count} of {compared} measures (intervals apart); {joined(others)}."


def _measures(ratings: Sequence[StoryRating]) -> Markup:
    """A chart per measure, and all of them as a table."""
    labels = _labels(ratings)
    names = list(dict.fromkeys(one.name for rating in ratings for one in rating.measures))
    found = {(rating.model, one.name): one for rating in ratings for one in rating.measures}
    charts = []
    for name in names:
        rows = [
            _dot(label, place, found.get((rating.model, name)))
            for place, (rating, label) in enumerate(zip(ratings, labels, strict=True))
        ]
        known = next(one for (_, title), one in found.items() if title == name)
        # All marks on the whole scale, so that dimensions can be compared; groups of age are no marks.
        domain = (1.0, 10.0) if name.startswith("judge: ") and "age" not in name else None
        axis = {"more": "more is better", "less": "less is better", "neither": "neither end is better"}[known.better]
        charts.append(_dots(rows, name, axis=axis, domain=domain, reference=_chance(name, ratings)))
    caption = "Each measure with its interval at 95% over prompts, stories, documents, or the pairs of each paradigm"
    caption += "; a dashed line is chance." if any(_chance(name, ratings) for name in names) else "."
    cells = [
        (name, *(_cell(found.get((rating.model, name))) for rating in ratings), _note(name, found, ratings))
        for name in names
    ]
    head = ("measure", *labels, "what it is")
    numeric = range(1, len(ratings) + 1)
    return figure(charts, caption=caption) + table(head, cells, caption="The same as numbers", numeric=list(numeric))


def _chance(name: str, ratings: Sequence[StoryRating]) -> float | None:
    """What guessing reaches where one of two is chosen: sentences of a pair, answers to a question."""
    return 0.5 if name.startswith("plot facts") or any(name in rating.pairs for rating in ratings) else None


def _dots(
    rows: Sequence[DotRow],
    title: str,
    *,
    axis: str,
    domain: tuple[float, float] | None = None,
    reference: float | None = None,
) -> Markup:
    """A dot chart, for a wide and for a narrow page."""
    return responsive(
        lambda width: dot_chart(rows, title=title, axis=axis, domain=domain, reference=reference, width=width),
        title=title,
        wide=_WIDTH,
    )


def _labels(ratings: Sequence[StoryRating]) -> list[str]:
    """The models by the last part of their spec, where that distinguishes them."""
    short = [rating.model.rstrip("/").rpartition("/")[2] for rating in ratings]
    return short if len(set(short)) == len(short) else [rating.model for rating in ratings]


def _dot(model: str, place: int, one: StoryMeasure | None) -> DotRow:
    if one is None:
        return DotRow(label=model, series=place, mean=None, low=None, high=None)
    return estimate_row(model, one, series=place)


def _cell(one: StoryMeasure | None) -> Markup | str:
    return "not measured" if one is None else with_interval(one, ".3f")


def _note(name: str, found: Mapping[tuple[str, str], StoryMeasure], ratings: Sequence[StoryRating]) -> str:
    """What a measure is; by model where that differs."""
    notes = {
        label: found[rating.model, name].note
        for rating, label in zip(ratings, _labels(ratings), strict=True)
        if (rating.model, name) in found
    }
    if len(set(notes.values())) == 1:
        return next(iter(notes.values()))
    return "; ".join(f"{label}: {note}" for label, note in notes.items())


def _paradigm(name: str) -> str:
    """A paradigm as a label, what distinguishes it from its kin first, since a long label is cut short."""
    kin, _, own = name.replace("_", " ").partition("-")
    return f"{own} ({kin})" if own else kin


def _pairs(name: str, ratings: Sequence[StoryRating]) -> Markup:
    """Every paradigm of a set of minimal pairs, a panel per model."""
    charts = []
    for place, (rating, label) in enumerate(zip(ratings, _labels(ratings), strict=True)):
        rows = [
            DotRow(
                label=_paradigm(part.paradigm),
                series=place,
                mean=part.accuracy,
                low=part.interval.low,
                high=part.interval.high,
            )
            for part in rating.pairs[name].paradigms
        ]
        charts.append(_dots(rows, label, axis="right pairs", domain=(0.0, 1.0), reference=0.5))
    caption = (
        "Share of pairs whose good sentence is the likelier one, with Wilson's interval; the dashed line at one half "
        "is chance."
    )
    return figure(charts, caption=caption)


def _samples(ratings: Sequence[StoryRating]) -> Markup:
    """The first completion of the first prompts of each model, with the judge's marks where there are some."""
    parts = []
    for rating in ratings:
        # The first completion of each prompt, and not the best: nothing is picked.
        firsts = [place for place, one in enumerate(rating.completions) if one.number == 0][:_SAMPLES]
        parts.append(Markup("<h3>{}</h3>").format(rating.model))
        for place in firsts:
            one = rating.completions[place]
            text = one.text if len(one.text) <= _LONGEST_SAMPLE else one.text[:_LONGEST_SAMPLE] + " …"
            parts.append(_SAMPLE.format(one.prompt.text, text, _marks(rating, place)))
    return Markup("").join(parts)


def _marks(rating: StoryRating, place: int) -> str:
    if not rating.judgements:
        return f"{rating.completions[place].tokens} tokens"
    one = rating.judgements[place]
    if one is None:
        return "the judge gave no usable answer"
    return ", ".join([*(f"{name} {one.mark(name)}" for name in DIMENSIONS), f"age group {one.age}"])


def _judge(certificate: JudgeCertificate) -> Markup:
    """What the judge is sensitive to, and what not."""
    found = [one.perturbation for one in certificate.findings if one.sensitivity == "sensitive"]
    other = [
        f"{one.perturbation} ({one.sensitivity})" for one in certificate.findings if one.sensitivity != "sensitive"
    ]
    findings = _FOUND.format(certificate.judge, ", ".join(found) or "nothing", ", ".join(other) or "nothing")
    charts = [
        _dots(
            [
                DotRow(label=name, series=place, mean=drop.estimate, low=drop.low, high=drop.high)
                for place, (name, drop) in enumerate(one.drops.items())
            ],
            f"perturbed {one.perturbation}",
            axis="marks lost at the highest severity",
            reference=0.0,
        )
        for one in certificate.findings
        if one.drops
    ]
    drops = figure(
        charts,
        caption="Marks that each dimension loses under each full perturbation, with exact intervals over stories. "
        "A judge that sees what is wrong takes marks off in that dimension alone.",
    )
    head = ("perturbation", "verdict", "detected from severity", "p", "pairs in order", "own dimension most",
            "falls as well", *(f"mark at {severity:g}" for severity in (0.0, *certificate.severities)))  # fmt: skip
    rows = []
    for one in certificate.findings:
        trend = one.trend
        steps = (0.0, *certificate.severities)
        means = ["" for _ in steps] if trend is None else [f"{mean:.2f}" for mean in trend.means]
        rows.append(
            (
                one.perturbation,
                one.sensitivity,
                "none" if one.detected_from is None else f"{one.detected_from:g}",
                "" if trend is None else f"{trend.p_value:.2g}",
                "" if trend is None else f"{trend.in_order:.0%}",
                "yes" if one.specific else "no",
                ", ".join(one.leaks) or "none",
                *means,
            )
        )
    caption = (
        f"{certificate.stories} stories, {certificate.submissions} submissions, "
        f"{certificate.unusable} without a usable answer; Page's exact test, intervals at {certificate.confidence:.1%}"
    )
    return findings + (drops if charts else Markup("")) + table(head, rows, caption=caption)


def _settings(settings: Mapping[str, object], ratings: Sequence[StoryRating]) -> Markup:
    models = [(rating.model, f"{rating.parameters:,}", rating.digest[:16]) for rating in ratings]
    return table(("model", "parameters", "weights"), models, caption="Models", numeric=(1,)) + table(
        ("setting", "value"), [(name, str(value)) for name, value in settings.items()], caption="Settings"
    )
