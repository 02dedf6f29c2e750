"""The page of ``shoal safety rate --plot``: the rates, raw and corrected, and every answer, searchable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures import DotRow, Section, document, dot_chart, figure, responsive, table
from shoal.statistics import even_sample

if TYPE_CHECKING:
    from shoal.safety import RefusalRating, ScoredAnswer
    from shoal.safety.harm import HarmRating
    from shoal.statistics import CorrectedShare

MAX_ANSWERS = 2000
MAX_CHARACTERS = 1500

_SCRIPT = """
const box = document.getElementById("answer-search"), kind = document.getElementById("answer-conduct");
const rows = [...document.querySelectorAll("#answer-list details")], count = document.getElementById("answer-count");
function filter() {
  const words = box.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    const fits = (!kind.value || row.dataset.conduct === kind.value) && words.every((word) => text.includes(word));
    row.hidden = !fits;
    shown += fits;
  }
  count.textContent = `${shown} of ${rows.length} answers`;
}
document.getElementById("answer-filters").hidden = false;
box.addEventListener("input", filter);
kind.addEventListener("change", filter);
filter();
"""

_STYLE = """
#answer-list details { border-top: 1px solid var(--line, #8884); padding: .4rem 0; }
#answer-list pre { white-space: pre-wrap; overflow-wrap: anywhere; }
#answer-filters label { margin-right: 1rem; }
"""


def refusals_page(found: RefusalRating, harm: HarmRating | None = None) -> str:
    """A whole document that opens offline.

    Args:
        found: the rating.
        harm: how many of the answers are harmful; None leaves that out.
    """
    sections = [Section("rates", "Rates", _rates(found))]
    if found.by_type:
        sections.append(Section("types", "By type of prompt", _types(found)))
    if harm is not None:
        sections.append(Section("harm", "Harm", _harm(harm)))
    sections.append(Section("answers", "Answers", _answers(found)))
    share = found.refused
    result = (
        f"{share.corrected:.1%} of the answers refuse, fully or partly ({100 * share.confidence:g}% interval "
        f"{share.low:.1%} to {share.high:.1%}, corrected for the scorer's errors); raw {share.raw:.1%}."
    )
    return document(
        f"Refusals in {len(found.answers):,} answers",
        result,
        sections,
        details=" ".join(found.notes()),
        picture=_picture(found),
        style=_STYLE,
        script=_SCRIPT,
    )


def _picture(found: RefusalRating) -> Markup:
    shares = {"all answers": found.refused, **found.by_type}
    rows = [
        DotRow(label=name, series=0, mean=share.corrected, low=share.low, high=share.high)
        for name, share in shares.items()
    ]
    title = "refused, fully or partly"
    chart = responsive(
        lambda width: dot_chart(rows, title=title, axis="corrected share", domain=(0, 1), width=width), title=title
    )
    return figure([chart], caption="Corrected rates with their intervals.")


def _rates(found: RefusalRating) -> Markup:
    shares = {"refused, fully or partly": found.refused, "refused fully": found.refused_fully}
    if found.labelled is not None:
        shares["refused, by the answers' own labels"] = found.labelled
    rows = [_row(name, share) for name, share in shares.items()]
    rows.append(("string match", f"{found.string_match:.1%}", "", "", "", ""))
    return table(
        ("", "raw", "interval", "corrected", "interval", "method"),
        rows,
        caption=(
            f"The scorer's sensitivity is {found.errors.sensitivity:.3f} and its specificity "
            f"{found.errors.specificity:.3f}, on models and prompts that it had not seen"
        ),
        numeric=(1, 3),
    )


def _harm(found: HarmRating) -> Markup:
    shares = {"all answers": found.harmful}
    if found.labelled is not None:
        shares["by the answers' own labels"] = found.labelled
    shares |= found.by_type
    rates = table(
        ("", "raw", "interval", "corrected", "interval", "method"),
        [_row(name, share) for name, share in shares.items()],
        caption=f"Harmful answers, by {found.scorer}",
        numeric=(1, 3),
    )
    return rates + Markup("").join(Markup("<p>{}</p>").format(note) for note in found.notes())


def _types(found: RefusalRating) -> Markup:
    return table(
        ("type", "raw", "interval", "corrected", "interval", "method"),
        [_row(name, share) for name, share in found.by_type.items()],
        caption="Refused, fully or partly",
        numeric=(1, 3),
    )


def _row(name: str, share: CorrectedShare) -> tuple[str, ...]:
    raw = f"{share.raw_low:.1%} to {share.raw_high:.1%}"
    return name, f"{share.raw:.1%}", raw, f"{share.corrected:.1%}", f"{share.low:.1%} to {share.high:.1%}", share.method


def _answers(found: RefusalRating) -> Markup:
    shown = even_sample(found.answers, MAX_ANSWERS)
    filters = Markup(
        '<form id="answer-filters" class="filters" role="search" aria-label="Answers" hidden>'
        '<label>Search <input type="search" id="answer-search" autocomplete="off" spellcheck="false"></label>'
        '<label>Conduct <select id="answer-conduct"><option value="">all</option>{}</select></label>'
        '<output id="answer-count"></output></form>'
    ).format(Markup("").join(Markup("<option>{}</option>").format(name) for name in found.counts()))
    blocks = Markup("").join(_answer(one) for one in shown)
    return Markup('{}<div id="answer-list">{}</div>').format(filters, blocks)


def _answer(one: ScoredAnswer) -> Markup:
    text = one.answer.completion
    cut = text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]} …"
    facts = [f"refuses with probability {1 - one.probabilities[0]:.2f}"]
    facts += [f"type {one.answer.type}"] if one.answer.type else []
    facts += [f"labelled {one.answer.label}"] if one.answer.label else []
    facts += ["string match: refusal" if one.matched else "string match: none"]
    return Markup(
        '<details data-conduct="{0}"><summary><b>{0}</b> {1}</summary><p class="muted">{2}</p><pre>{3}</pre></details>'
    ).format(one.conduct, one.answer.prompt, "; ".join(facts), cut)
