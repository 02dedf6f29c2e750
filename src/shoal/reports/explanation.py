"""What explains the answers: shares of the rule, the shortcuts and noise, and what was answered instead."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.attribution import NOISE, RULE, explain_trainings
from shoal.figures import DotRow, Section, document, dot_chart, figure, responsive, table
from shoal.reports.html_format import NOTHING
from shoal.wording import capital, plural, probability

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shoal.attribution import Explanation, ItemExplanation, TrainingsExplanation
    from shoal.attribution.programs import SearchResult

_WIDTH = 460
_DRAWN = 0.02
"""The share from which an explanation is drawn; the rule and noise always are."""

_MAX_ITEMS = 60
"""Wrong items that a table lists."""

_SIDE_BY_SIDE = 4
"""Arms that are all drawn, and whose counts stand in one table; with more it would be wider than the page."""

_SHOWING = 8
"""Items that show a program which nobody named."""

_TEXT = 60
"""Characters of a text in a table: of a longer one its beginning and its end."""


def trainings_section(found: Mapping[str, Mapping[int, Explanation]], *, confidence: float) -> Markup | None:
    """The section of a run's report; None where no training has been explained.

    Args:
        found: from arm or cell to seed to what explains that training.
        confidence: of the intervals over seeds.
    """
    if not found:
        return None
    arms = {arm: explain_trainings(seeds, confidence=confidence) for arm, seeds in found.items()}
    caption = (
        f"Share of the answers to held-out items that each explanation gives: mean over seeds (filled mark), "
        f"{100 * confidence:g}% interval over seeds (line), each seed (ring)."
    )
    drawn = _drawn({arm: _arm_panel(arm, trainings) for arm, trainings in arms.items()}, _leading_arms(arms), caption)
    return _verdicts(arms) + drawn + _agreement_tables(found) + _all_instead(found)


def _verdicts(arms: Mapping[str, TrainingsExplanation]) -> Markup:
    """What explains each arm: a few in a list, many in a table, which is quicker to look through."""
    if len(arms) > _SIDE_BY_SIDE:
        rows = [(arm, f"{capital(trainings.sentence)}.") for arm, trainings in arms.items()]
        return table(("Arm", "What explains it"), rows, caption="What explains the answers of each arm", cards=True)
    listed = (Markup("<li><b>{}</b>: {}.</li>").format(arm, trainings.sentence) for arm, trainings in arms.items())
    return Markup("<ul>{}</ul>").format(Markup("").join(listed))


def explanation_page(found: Explanation, *, model: str, search: SearchResult | None = None) -> str:
    """A whole document on what explains the answers of one model.

    Args:
        found: as `shoal.attribution.explain` gives it.
        model: what the model is called.
        search: what a search for an unnamed shortcut found, where there was one.
    """
    caption = (
        f"Share of the answers that each explanation gives: posterior mean (mark) and {100 * found.confidence:g}% "
        "credible interval (line)."
    )
    rows = [
        DotRow(label=share.name, series=_series(share.name), mean=share.share, low=share.low, high=share.high)
        for share in found.shares
        if share.share >= _DRAWN or share.name in (RULE, NOISE)
    ]
    sections = [Section("explanations", "Every explanation", _shares(found))]
    details = [f"{found.right} of {plural(len(found.items), 'answer')} are right."]
    if search is not None:
        # Before the other sections: an unnamed shortcut that fits better is the answer to the question of the page.
        sections.insert(0, Section("search", "Shortcuts that nobody named", _programs(search)))
        details.append(_search_sentence(search))
    instead = _instead([item for item in found.items if not item.right])
    if instead is not None:
        sections.append(Section("instead", "What it answers instead", instead))
    return document(
        f"What explains the answers of {model} to {found.task}",
        found.sentence,
        sections,
        details=" ".join(details),
        picture=figure([_panel(rows, f"Explanations of {found.task}", wide=None)], caption=caption),
    )


def _search_sentence(search: SearchResult) -> str:
    if not search.found:
        return f"A search among {search.tried:,} programs found no shortcut that is not named here."
    best = max(search.found, key=lambda program: program.agrees)
    return (
        f"A search found {plural(len(search.found), 'shortcut')} that nobody named; "
        f"{'it' if len(search.found) == 1 else 'the closest'} gives the model's answer to {best.agrees} of "
        f"{plural(best.items, 'item')}."
    )


def _programs(search: SearchResult) -> Markup:
    """The programs of a search with their figures, and the items that show each; or the best that was not enough."""
    if not search.programs:
        return Markup("<p>{}</p>").format(_search_sentence(search))
    # Where none was enough the best one is still shown, so that a reader sees how far it falls short.
    shown = search.found or search.programs[:1]
    head = ("The answer is", "Agrees", "Follows it where it is not the rule", "Code, bits", "Saves, bits")
    rows = [
        (
            program.text,
            f"{program.agrees} of {program.items}",
            f"{program.follows} of {program.differs}",
            f"{program.bits:.1f}",
            f"{program.bits_saved:.1f}",
        )
        for program in shown
    ]
    caption = (
        f"Found among {search.tried:,} programs with different answers. “Saves” is the number of bits by which the "
        "program shortens the answers, less the length of its own code."
        if search.found
        else f"The best of {search.tried:,} programs; it is not more than chance finds, or explains too little"
    )
    found = [table(head, rows, caption=caption, numeric=(3, 4))]
    for number, program in enumerate(search.found, 1):
        items = [(_short(item.prompt), _short(item.expected), _short(item.answer)) for item in program.showing]
        title = f"Items that show {'it' if len(search.found) == 1 else f'number {number}'}"
        found.append(table(("Prompt", "Right", "Answered"), items[:_SHOWING], caption=title))
    return Markup("").join(found)


def _leading_arms(arms: Mapping[str, TrainingsExplanation]) -> list[str]:
    """For each explanation that leads anywhere, the arm in which its share is greatest; all of a few arms."""
    if len(arms) <= _SIDE_BY_SIDE:
        return list(arms)
    shown: dict[str, str] = {}
    leading = {arm: trainings.shares[0] for arm, trainings in arms.items()}
    for arm, share in sorted(leading.items(), key=lambda pair: -pair[1].mean):
        shown.setdefault(share.name, arm)
    return [arm for arm in arms if arm in shown.values()]


def _drawn(panels: Mapping[str, Markup], shown: Sequence[str], caption: str) -> Markup:
    """The panels, those that show nothing further folded away."""
    rest = [panel for arm, panel in panels.items() if arm not in shown]
    if not rest:
        return figure(list(panels.values()), caption=caption)
    caption += " Of each explanation that leads anywhere, the arm in which it leads by most."
    folded = Markup("<details><summary>The shares in the other {}</summary>{}</details>")
    first = figure([panels[arm] for arm in shown], caption=caption)
    return first + folded.format(plural(len(rest), "arm"), figure(rest, caption="As above."))


def _arm_panel(arm: str, trainings: TrainingsExplanation) -> Markup:
    rows = [
        DotRow(
            label=share.name,
            series=_series(share.name),
            mean=share.mean,
            low=share.low,
            high=share.high,
            seeds=share.by_seed,
        )
        for share in trainings.shares
        if share.mean >= _DRAWN or share.name in (RULE, NOISE)
    ]
    return _panel(rows, arm)


def _panel(rows: Sequence[DotRow], title: str, *, wide: int | None = _WIDTH) -> Markup:
    return responsive(
        lambda width: dot_chart(rows, title=title, axis="share of the answers", domain=(0.0, 1.0), width=width),
        title=f"{title}: shares of the explanations, as in the table below",
        wide=wide,
    )


def _series(name: str) -> int:
    """The rule and noise have a colour of their own in every panel; all shortcuts share one."""
    return {RULE: 0, NOISE: 2}.get(name, 1)


def _shares(found: Explanation) -> Markup:
    """All explanations of one model with their counts."""
    head = ("Explanation", "Share", "Interval", "Leads", "Agrees", "Agrees where it differs from the rule", "Same as")
    rows = []
    for share in found.shares:
        counts = share.agreement
        rows.append(
            (
                share.name,
                f"{share.share:.2f}",
                f"{share.low:.2f} to {share.high:.2f}",
                probability(share.leads),
                f"{counts.agrees} of {counts.applies}" if counts else NOTHING,
                f"{counts.agrees_where_differs} of {counts.differs}" if counts and counts.differs else NOTHING,
                ", ".join(share.same_as) or NOTHING,
            )
        )
    return table(head, rows, caption="Shares by the posterior, and plain counts of equal answers", numeric=(1, 2, 3))


def _agreement_tables(found: Mapping[str, Mapping[int, Explanation]]) -> Markup:
    """One table of a few arms, or of many one for each, folded away."""
    if len(found) <= _SIDE_BY_SIDE:
        return _agreements(found)
    folded = Markup("<details><summary>Answers equal to those of each explanation, arm by arm</summary>{}</details>")
    titled = Markup("<h3>{}</h3>{}")
    return folded.format(
        Markup("").join(titled.format(capital(arm), _agreements({arm: seeds})) for arm, seeds in found.items())
    )


def _agreements(found: Mapping[str, Mapping[int, Explanation]]) -> Markup:
    """Plain counts, summed over the seeds of each arm: what a person would check."""
    agrees: Counter[tuple[str, str]] = Counter()
    applies: Counter[tuple[str, str]] = Counter()
    instead: Counter[tuple[str, str]] = Counter()
    differs: Counter[tuple[str, str]] = Counter()
    for arm, seeds in found.items():
        for share in (share for explanation in seeds.values() for share in explanation.shares):
            if share.agreement is not None:
                key = (arm, share.name)
                agrees[key] += share.agreement.agrees
                applies[key] += share.agreement.applies
                instead[key] += share.agreement.agrees_where_differs
                differs[key] += share.agreement.differs
    # Those that give the most answers first, over all arms, so that the tables of folded arms have one order.
    names = sorted({name for _, name in applies}, key=lambda name: -sum(agrees[arm, name] for arm in found))
    head = ["Explanation"]
    for arm in found:
        head += [f"{arm}: agrees", "where it differs from the rule"]
    rows = []
    for name in names:
        row = [name]
        for arm in found:
            key = (arm, name)
            row.append(f"{agrees[key]} of {applies[key]}" if applies[key] else NOTHING)
            row.append(f"{instead[key]} of {differs[key]}" if differs[key] else NOTHING)
        rows.append(row)
    return table(head, rows, caption="Answers equal to those of each explanation, all seeds together")


def _all_instead(found: Mapping[str, Mapping[int, Explanation]]) -> Markup:
    """What each arm answers instead; of many arms behind one more line to open."""
    arms = Markup("").join(_instead_of_run(arm, seeds) for arm, seeds in found.items())
    if len(found) <= _SIDE_BY_SIDE:
        return arms
    return Markup("<details><summary>What each arm answers instead</summary>{}</details>").format(arms)


def _instead_of_run(arm: str, seeds: Mapping[int, Explanation]) -> Markup:
    """What an arm answers instead, folded away."""
    wrong = [item for explanation in seeds.values() for item in explanation.items if not item.right]
    drawn = _instead(wrong)
    if drawn is None:
        return Markup("<p>{}: all answers are right.</p>").format(capital(arm))
    summary = f"{capital(arm)}: what it answers instead, {plural(len(wrong), 'wrong answer')}"
    return Markup("<details><summary>{}</summary>{}</details>").format(summary, drawn)


def _instead(wrong: Sequence[ItemExplanation]) -> Markup | None:
    """Wrong answers with what gives them."""
    if not wrong:
        return None
    rows = [
        (
            _short(item.prompt),
            _short(item.expected),
            _short(item.answer) + ("" if item.ends else " (did not end)"),
            ", ".join(item.given_by) or "none of the explanations",
        )
        for item in wrong[:_MAX_ITEMS]
    ]
    left_out = f", the first {_MAX_ITEMS} of {len(wrong)}" if len(wrong) > _MAX_ITEMS else ""
    return table(("Prompt", "Right", "Answered", "Given by"), rows, caption=f"Wrong answers{left_out}")


def _short(text: str) -> str:
    """A text with its beginning and its end, since unary answers differ in length alone."""
    if len(text) <= _TEXT:
        return text
    half = _TEXT // 2
    return f"{text[:half]} … {text[-half:]} ({len(text)} characters)"
