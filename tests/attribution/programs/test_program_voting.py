from __future__ import annotations

import pytest

from shoal.attribution.programs.context import Context, PromptBatch
from shoal.attribution.programs.expressions import Expression
from shoal.attribution.programs.voting import Vote
from shoal.tasks import Example

WORDS = Expression("words")
SEEN = [
    Example(prompt=f"Is it good? {text}:", completion=f" {label}")
    for text, label in (
        ("fine warm sun", "yes"),
        ("fine calm sea", "yes"),
        ("fine cold sea", "yes"),
        ("awful cold rain", "no"),
        ("grey cold rain", "no"),
        ("grey calm sea", "no"),
    )
]


def answers(voters: str, *texts: str) -> list[str | None]:
    context = Context(SEEN, lambda prompt: "")
    return Vote(voters, WORDS).answers(PromptBatch(context, [f"Is it good? {text}:" for text in texts], [None] * 9))


@pytest.mark.parametrize("voters", ["all", "strongest"])
def test_a_prompt_has_the_label_that_its_words_went_with(voters: str) -> None:
    assert answers(voters, "fine sun", "grey rain", "warm") == [" yes", " no", " yes"]


def test_all_words_outvote_the_clearest_one() -> None:
    # "fine" stood in three prompts and always with yes; the four others lean to no.
    assert answers("all", "fine awful grey cold rain") == [" no"]
    assert answers("strongest", "fine awful cold") == [" yes"]


def test_new_words_have_no_vote() -> None:
    context = Context(SEEN[:5], lambda prompt: "")
    batch = PromptBatch(context, ["Is it good? unheard:"], [None])
    assert Vote("all", WORDS).answers(batch) == [" yes"]


def test_who_votes_is_shown() -> None:
    vote = Vote("strongest", Expression("last-letters", None, (WORDS,)))
    assert vote.notation == "vote[strongest](last-letters(words))"
    assert "the clearest one of these: the last letters of the words" in vote.text
