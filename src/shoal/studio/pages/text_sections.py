"""What the playground shows of a text besides the views of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.errors import ShoalError
from shoal.figures import Section, table
from shoal.wording import capital, in_one_line, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.models import LoadedModel
    from shoal.tasks import Task

MIN_STEPS = 20
"""Tokens from which on changes are looked for: fewer could not show one."""

_CONTEXT = 6


def continuation_section(loaded: LoadedModel, text: str, tokens: int) -> Section:
    """How the model goes on greedily, or its answer where it has a chat template.

    Args:
        loaded: the model.
        text: what it reads.
        tokens: that are generated at most.
    """
    from shoal.serving import GenerationSettings, chat, generate, make_generation_model

    live = make_generation_model(loaded, rows=1)
    settings = GenerationSettings(max_tokens=tokens)
    try:
        if live.can_chat:
            heading, answer = "Answer", chat(live, text, settings).text
        else:
            heading, answer = "Continuation", generate(live, [text], settings).texts[0].text
    except ShoalError as error:
        return Section("continuation", "Continuation", Markup("<p>{}</p>").format(capital(in_one_line(error))))
    how = "by its chat template" if live.can_chat else "the model has no chat template, so that it continues the text"
    html = Markup("<p class='muted'>Greedy, up to {}; {}.</p><p class='answer-text'>{}</p>")
    return Section("continuation", heading, html.format(plural(tokens, "token"), how, answer or "(nothing)"))


def answers_section(task: Task, text: str, loaded: LoadedModel) -> Section:
    """What the rule and each shortcut of a task answer to a text as a prompt, and what the model answers.

    Args:
        task: has them, and the examples that shortcuts look at.
        text: the prompt.
        loaded: the model.
    """
    from shoal.tasks import shortcut_answer

    answers = {"rule": _rule_answer(task, text)}
    answers |= {name: shortcut_answer(name, shortcut, text, task.seen) for name, shortcut in task.shortcuts.items()}
    given = dict.fromkeys(answer for answer in answers.values() if answer)
    ends = next(iter((*task.seen, *task.held_out))).ends
    agrees = {answer: _agrees(loaded, text, answer, ends=ends) for answer in given}
    rows: list[list[object]] = [
        [name, answer or "does not apply", agrees[answer] if answer else ""] for name, answer in answers.items()
    ]
    lead = Markup("")
    if answers["rule"] is None:
        example = task.held_out[0].prompt if task.held_out else task.seen[0].prompt
        lead = Markup("<p>The text is no prompt of the task {}: its rule cannot read it. Try {}.</p>").format(
            repr(task.name), repr(example)
        )
    if not given:
        return Section("answers", "Rule and shortcuts", lead)
    caption = (
        f"What the rule and the shortcuts of {task.name} would answer, and whether the model's greedy answer is just "
        "that (exact match, its end included)"
    )
    html = table(["Program", "Answer", "Model agrees"], rows, caption=caption)
    return Section("answers", "Rule and shortcuts", lead + html)


def _agrees(loaded: LoadedModel, prompt: str, answer: str, *, ends: bool) -> str:
    """Whether a model answers so, as `shoal score` has it: yes, no, or how it differs in the end alone."""
    from shoal.evaluation import evaluate
    from shoal.tasks import Example

    example = Example(prompt=prompt, completion=answer, ends=ends)
    try:
        item = evaluate(loaded.model, loaded.tokenizer, [example], greedy_text=False).items[0]
    except ShoalError as error:
        # A typed prompt may end within a token, or leave no room for the answer.
        return f"not scored: {in_one_line(error)}"
    if item.exact_match:
        return "yes"
    return "begins so, and goes on" if item.divergence == "went-on" else "no"


def changes_section(tokens: Sequence[str], surprisal: Sequence[float | None]) -> Section:
    """Where the surprisal of the tokens changes its distribution.

    Args:
        tokens: of the text.
        surprisal: of each in bits; None for the first.
    """
    from shoal.changes import change_points

    bits = [value for value in surprisal if value is not None]
    if len(bits) < MIN_STEPS:
        words = (
            f"The text has {plural(len(bits), 'token')} with a surprisal; changes are looked for from {MIN_STEPS} on."
        )
        return Section("changes", "Change points", Markup("<p>{}</p>").format(words))
    first = len(tokens) - len(bits)
    found = change_points(bits, min_distance=0.1)
    rows = []
    for change in found.changes:
        place = first + change.place
        before = "".join(tokens[max(0, place - _CONTEXT) : place])
        after = "".join(tokens[place : place + _CONTEXT])
        rows.append([f"{place + 1}", f"{before} | {after}", f"{change.p_value:.4f}"])
    if not rows:
        words = f"The surprisal of the {len(bits)} tokens does not change significantly at the level 5%."
        return Section("changes", "Change points", Markup("<p>{}</p>").format(words))
    html = table(["Token", "Place", "p"], rows, caption="Where the surprisal changes its distribution", numeric=(0, 2))
    return Section("changes", "Change points", html)


def _rule_answer(task: Task, text: str) -> str | None:
    """What the rule answers; None where it cannot read the text."""
    try:
        return task.rule(text)
    except (ShoalError, ValueError, IndexError, KeyError, AttributeError, TypeError):
        # A rule is written for prompts of its task; any other text may trip it in a way of its own.
        return None
