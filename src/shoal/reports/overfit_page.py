"""The report of a comparison of methods against overfitting: one folder to one HTML file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from shoal.experiments.overfitting import sorted_rows
from shoal.figures import (
    DotRow,
    PageContent,
    ScalingLine,
    Section,
    dot_chart,
    figure,
    responsive,
    scaling_chart,
    table,
)
from shoal.reports.estimates import estimate_row, interval_ends, with_interval
from shoal.reports.html_format import plan_text
from shoal.wording import plural

if TYPE_CHECKING:
    from shoal.experiments.overfitting import Asymptote, OverfitResult, OverfitRow
    from shoal.statistics import Estimate

_BITS = "bits per byte of test text (less is better)"
_KINDS = {"single": 0, "distilled": 2}
"""Colours: one model, one distilled model; all else is an ensemble."""

_ENSEMBLE = 1

_REPRODUCE = Markup(
    "The comparison as its folder keeps it, recipe included; <code>shoal overfit</code> with the file that it was "
    "begun with resumes it."
)


def overfit_content(result: OverfitResult, plan: str = "") -> PageContent:
    """The page of a comparison of methods against overfitting.

    Args:
        result: the comparison.
        plan: the text of its file; empty leaves the section out.
    """
    return PageContent(
        title=f"Overfitting: {result.plan.overfit.name}",
        result=_summary(result),
        sections=(
            Section("rows", "All methods", _table(result)),
            Section("gap", "How closely each fits its training text", _gaps(result)),
            Section("asymptotes", "With more models, and with larger ones", _asymptotes(result)),
            Section("claims", "What was claimed before the run", _claims(result)),
            Section("reading", "How to read this page", _reading(result)),
            Section("failed", "Rows without numbers", _failed(result)),
            Section("reproduce", "How to reproduce", plan_text(_REPRODUCE, plan)),
        ),
        details=_about(result),
        picture=_picture(result),
    )


def _summary(result: OverfitResult) -> str:
    """The best row in one sentence."""
    best = sorted_rows(result.rows)[0]
    assert best.test is not None
    if best.gain is None:
        return f"No method is better than the recipe as it is, with {best.test.value:.4f} bits per byte of test text."
    sure = "" if best.gain.bounds[0] > 0 else "; the interval does not exclude that it is no better"
    return (
        f"The best of {len(sorted_rows(result.rows))} rows is {best.name}, with {best.test.value:.4f} bits per byte of "
        f"test text, {best.gain.value:.4f} below the baseline ({interval_ends(best.gain)}){sure}."
    )


def _about(result: OverfitResult) -> str:
    table_, recipe = result.plan.overfit, result.plan.recipe
    base = next(row for row in result.rows if row.name == "baseline")
    return " · ".join(
        [
            f"{plural(table_.seeds, 'seed')} for each row",
            f"{base.tokens:,} training tokens",
            f"{base.parameters:,} parameters",
            f"recipe {recipe.name}",
            f"{100 * table_.confidence:g}% intervals",
        ]
    )


def _picture(result: OverfitResult) -> Markup:
    rows = [_dots(row, row.test, row.by_seed) for row in sorted_rows(result.rows) if row.test is not None]
    base = next(row.test.value for row in result.rows if row.name == "baseline" and row.test is not None)
    drawing = responsive(
        lambda width: dot_chart(rows, title="Test text", axis=_BITS, reference=base, width=width),
        title="bits per byte of test text by method",
    )
    caption = (
        "The mean over seeds with its interval; a ring is a seed. The dashed line is the baseline. Circles are single "
        "models, squares ensembles, triangles single models distilled from an ensemble."
    )
    return figure([drawing], caption=caption)


def _dots(row: OverfitRow, estimate: Estimate, seeds: tuple[float, ...] = ()) -> DotRow:
    """The mark of a row, in the colour of its kind."""
    return estimate_row(row.name, estimate, series=_KINDS.get(row.kind, _ENSEMBLE), seeds=seeds)


def _table(result: OverfitResult) -> Markup:
    base = next(row for row in result.rows if row.name == "baseline")
    head = ["Method", "What", "Test", "Below the baseline", "Gap", "Training", "Use"]
    rows = [
        [
            row.name,
            row.meaning,
            with_interval(row.test),
            "" if row.gain is None else with_interval(row.gain),
            with_interval(row.gap),
            f"x{row.training_compute / base.training_compute:.2f}",
            f"x{row.inference_compute / base.inference_compute:.2f}",
        ]
        for row in sorted_rows(result.rows)
    ]
    caption = (
        "Bits per byte, the best first. Below the baseline: the difference to the baseline of the same seed, above 0 "
        "is better. Gap: test minus training text. Training and use: operations, as multiples of the baseline's (6 "
        "for each parameter and token of training, 2 of use)."
    )
    return table(head, rows, caption=caption, numeric=(2, 3, 4, 5, 6))


def _gaps(result: OverfitResult) -> Markup:
    rows = [_dots(row, row.gap) for row in sorted_rows(result.rows) if row.gap is not None]
    drawing = responsive(
        lambda width: dot_chart(
            rows, title="Gap", axis="bits per byte, test minus training", reference=0.0, width=width
        ),
        title="the gap between test and training text by method",
    )
    caption = (
        "A model that knows its training text by heart has a wide gap. A narrow gap alone is no merit: what learns "
        "nothing has none."
    )
    return figure([drawing], caption=caption)


def _asymptotes(result: OverfitResult) -> Markup:
    if not result.asymptotes:
        return Markup("")
    drawings = [_curve(one) for one in result.asymptotes]
    lines = Markup("").join(Markup("<li>{}</li>").format(str(one)) for one in result.asymptotes)
    caption = (
        "Marks are medians over seeds and bars go from the best seed to the worst. The line is the fitted law, loss = "
        "floor + factor / size^exponent; its floor is what ever more models, or ever larger ones, would come to, as "
        "far as the law holds beyond what was trained."
    )
    return Markup("{}<ul>{}</ul>").format(figure(drawings, caption=caption), lines)


def _curve(one: Asymptote) -> Markup:
    sizes = np.asarray(one.sizes)
    line = ScalingLine(
        name=one.name,
        series=_ENSEMBLE if one.axis == "members" else 0,
        sizes=one.sizes,
        costs=tuple(map(tuple, np.asarray(one.losses).T.tolist())),
        # The law has the size below the line, and the chart means the slope.
        exponent=-one.exponent,
        fitted=tuple((float(size), one.at(float(size))) for size in np.geomspace(sizes.min(), sizes.max(), 40)),
    )
    title = f"Over {one.axis}"
    return responsive(
        lambda width: scaling_chart([line], title=title, size=one.axis, axis=_BITS, width=width),
        title=f"test bits per byte over {one.axis}",
        wide=460,
    )


def _claims(result: OverfitResult) -> Markup:
    items = [Markup("<li>{}</li>").format(str(claim)) for claim in result.claims]
    for name, share in result.distilled_shares.items():
        items.append(
            Markup("<li>{} keeps {:.0%} of its teacher's gain over the baseline ({}).</li>").format(
                name, share.value, interval_ends(share, ".0%")
            )
        )
    return Markup("<ul>{}</ul>").format(Markup("").join(items)) if items else Markup("")


def _reading(result: OverfitResult) -> Markup:
    plan = result.plan.overfit
    return Markup(
        "<p>Each row trains models on the same documents. A row of one model and a row of an ensemble whose members "
        "share the tokens cost the same to train; where each member has all tokens, the column Training says how much "
        "more it took. An ensemble is a mixture of probabilities: what it gives the next token is the weighted mean "
        "of what its members give it.</p><p>Held-out documents are divided in two. Weights of members and the best "
        "value of a setting come from the validation half; all numbers here are of the test half, which decides "
        "nothing.</p><p>With {} the intervals are Student's t over seeds: they hold for other seeds on these "
        "documents, and not for other documents.</p>"
    ).format(plural(plan.seeds, "seed"))


def _failed(result: OverfitResult) -> Markup:
    rows = [[row.name, row.failed] for row in result.rows if row.failed]
    return table(["Method", "Why"], rows, caption="Not in any figure") if rows else Markup("")
