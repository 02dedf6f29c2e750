"""The report of a comparison of corpora: one folder to one HTML file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.experiments.corpus_comparison import MEAN, format_size
from shoal.figures import PageContent, Section, dot_chart, figure, responsive, table
from shoal.reports.estimates import estimate_row, interval_ends, with_interval
from shoal.reports.html_format import plan_text
from shoal.wording import joined, plural

if TYPE_CHECKING:
    from shoal.experiments.corpus_comparison import CorpusComparison, TokenDesign
    from shoal.statistics import Estimate

_DESIGNS = {"equal": "equal unique tokens", "whole": "all unique tokens"}

_SHOWN_PAIRS = 6
"""Differences that stand open; more are folded away."""

_REPRODUCE = Markup(
    "The comparison as its folder keeps it; <code>shoal curate compare</code> with this file repeats it."
)


def corpus_comparison_content(result: CorpusComparison, plan: str = "") -> PageContent:
    """The page of a comparison of corpora.

    Args:
        result: the comparison.
        plan: the text of its file; empty leaves the section out.
    """
    return PageContent(
        title=f"Corpora compared: {result.plan.name}",
        result=result.summary,
        sections=(
            Section("differences", "Paired differences", _differences(result)),
            Section("decisions", "Do small models decide as large ones?", _decisions(result)),
            Section("scores", "All corpora", _scores(result)),
            Section("corpora", "What was trained on", _corpora(result)),
            Section("reading", "How to read this page", _reading(result)),
            Section("reproduce", "How to reproduce", plan_text(_REPRODUCE, plan)),
        ),
        details=_about(result),
        picture=_picture(result),
    )


def _about(result: CorpusComparison) -> str:
    plan = result.plan
    # Stopped on its way, one size has more seeds than another.
    fewest, most = (end(one.bits.units for one in result.scores) for end in (min, max))
    parts = [
        plural(most, "seed") if fewest == most else f"{fewest} to {most} seeds",
        f"{plan.training_tokens:,} training tokens in {plural(result.steps, 'step')}",
        f"{plan.unique:,} unique tokens",
        f"{joined([f'{count:,}' for count in result.parameters.values()])} parameters",
        f"{100 * plan.confidence:g}% intervals",
    ]
    return " · ".join([*parts, *([f"filters {plan.filters}"] if plan.filters else [])])


def _picture(result: CorpusComparison) -> Markup:
    """The corpora by the largest models, a chart for each held-out text and for the mean."""
    size, design = result.settings()[0]
    wide = 460 if len(result.texts) > 1 else None
    drawings = [_chart(result, size, design, text, wide) for text in result.texts]
    caption = (
        f"Models of {format_size(size)} parameters ({_DESIGNS[design]}): the mean over seeds with its interval, the "
        "best corpus first; a ring is a seed."
    )
    return figure(drawings, caption=caption)


def _chart(result: CorpusComparison, size: int, design: TokenDesign, text: str, wide: int | None) -> Markup:
    """The corpora on one held-out text."""
    rows = [estimate_row(one.corpus, one.bits, seeds=one.by_seed) for one in result.ranked(size, design, text)]
    title = "Mean over the held-out texts" if text == MEAN else text
    return responsive(
        lambda width: dot_chart(rows, title=title, axis="bits per byte (less is better)", width=width),
        title=f"bits per byte by corpus: {title}",
        wide=wide,
    )


def _differences(result: CorpusComparison) -> Markup:
    head = ["Size", "Tokens", "Held-out text", "Corpus", "against", "Bits per byte", "Outcome"]
    rows = [
        [
            format_size(one.size),
            _DESIGNS[one.design],
            one.held_out,
            one.first,
            one.second,
            with_interval(one.difference),
            one.outcome,
        ]
        for one in sorted(result.differences, key=lambda one: (-one.size, one.design))
    ]
    caption = (
        "The difference to the other corpus with the same seed: below 0 the first is better. Each interval stands "
        f"alone: of {plural(len(rows), 'difference')} some {100 * (1 - result.plan.confidence):g}% would lie off 0 by "
        "chance."
    )
    listed = table(head, rows, caption=caption, numeric=(5,))
    # Of many corpora the pairs would bury the page.
    if result.plan.filters or len(rows) <= _SHOWN_PAIRS:
        return listed
    return Markup("<details><summary>All {} pairs</summary>{}</details>").format(len(rows), listed)


def _decisions(result: CorpusComparison) -> Markup:
    if not result.decisions:
        return Markup("")
    head = [
        "Small",
        "Large",
        "Tokens",
        "Held-out text",
        "By one seed",
        "By means",
        "Large with itself",
        "Pairs",
        "Compute",
    ]
    rows = [
        [
            format_size(one.small),
            format_size(one.large),
            _DESIGNS[one.design],
            one.held_out,
            _share(one.accuracy.one_seed),
            _share(one.accuracy.mean_of_seeds),
            "" if one.accuracy.large_with_itself is None else f"{one.accuracy.large_with_itself:.0%}",
            f"{one.accuracy.pairs}",
            f"1/{one.compute_ratio:.1f}",
        ]
        for one in result.decisions
    ]
    caption = (
        "The share of pairs of corpora that the small models rank as the large ones do, whose scores are means over "
        "seeds. By one seed: one small model for each corpus, mean over seeds. Large with itself: one seed of the "
        "large models against the mean of the others. Compute: of a small training, as a part of a large one's."
    )
    names = result.plan.compared
    turned = [
        Markup("<li>{}, {} against {}: {}</li>").format(
            one.held_out,
            format_size(one.small),
            format_size(one.large),
            "; ".join(f"{names[first]} before {names[second]}" for first, second in one.accuracy.reversed_pairs)
            or "none",
        )
        for one in result.decisions
    ]
    return Markup(
        "{}<p>The intervals are over seeds of both sizes (Student's t with a bootstrap standard error). They cover "
        "neither other corpora nor other held-out texts, and pairs that share a corpus are not independent.</p><p>"
        "Pairs that the large models rank the other way round (theirs, by means over seeds):</p><ul>{}</ul>"
    ).format(table(head, rows, caption=caption, numeric=(4, 5, 6, 7, 8)), Markup("").join(turned))


def _share(estimate: Estimate) -> str:
    return f"{estimate.value:.0%} ({interval_ends(estimate, '.0%')})"


def _scores(result: CorpusComparison) -> Markup:
    parts = []
    for size, design in result.settings():
        cells = {
            (one.corpus, one.held_out): with_interval(one.bits)
            for one in result.scores
            if (one.size, one.design) == (size, design)
        }
        order = [one.corpus for one in result.ranked(size, design, result.texts[-1])]
        rows = [[name, *(cells[name, text] for text in result.texts)] for name in order]
        caption = f"Bits per byte: {result.parameters[size]:,} parameters, {_DESIGNS[design]}"
        columns = tuple(range(1, len(result.texts) + 1))
        parts.append(table(["Corpus", *result.texts], rows, caption=caption, numeric=columns))
    return Markup("").join(parts)


def _corpora(result: CorpusComparison) -> Markup:
    head = ["Corpus", "Documents", "Characters", "Tokens", "Left out: held-out text", "Left out: repeats"]
    rows = [
        [
            name,
            f"{one.documents:,}",
            f"{one.characters:,}",
            f"{one.tokens:,}",
            f"{one.contaminated:,}",
            f"{one.repeated:,}",
        ]
        for name, one in result.counts.items()
    ]
    caption = (
        f"Documents that share {result.plan.run} words in succession with an excerpt of a held-out text, and documents "
        "that repeat another one, are not trained on."
    )
    return table(head, rows, caption=caption, numeric=(1, 2, 3, 4, 5))


def _reading(result: CorpusComparison) -> Markup:
    plan = result.plan
    parts = (
        "The better part is what the filters keep, as they leave it; the worse part is what they remove; the random "
        "part is documents of both in their shares. "
        if plan.filters
        else ""
    )
    return Markup(
        "<p>{}Models of one size are alike but for what they are trained on: {:,} tokens each. With equal unique "
        "tokens each corpus gives {:,} of them, which are read {}; with all unique tokens a small corpus is "
        "read more often than a large one. The tokenizer of {:,} tokens was learned on equally many characters of "
        "each corpus.</p>"
        "<p>A seed draws the parts of the corpus, the fresh weights and the order. Intervals are Student's t over "
        "seeds: they hold for other seeds with these corpora and held-out texts, and not for others.</p>"
    ).format(parts, plan.training_tokens, plan.unique, _times(plan.training_tokens / plan.unique), plan.vocabulary)


def _times(passes: float) -> str:
    return "once" if passes == 1 else f"{passes:.3g} times"
