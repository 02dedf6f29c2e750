"""The verdict: what it names where explanations agree, where one item is all there is, and where nothing fits."""

from __future__ import annotations

import pytest
from hand_tables import SEEN, answers_to, table_of, texts_of

from shoal.attribution import Explanation, explain_answers
from shoal.errors import UnknownNameError, UsageError

COUNT = 24
RULE, OTHER = texts_of("rule", COUNT), texts_of("other", COUNT)


def explained(columns, texts, **options) -> Explanation:
    table = table_of(columns)
    return explain_answers(table, answers_to(table, texts), SEEN, **options)


def test_two_equal_shortcuts_are_one_class_and_divide_what_it_has() -> None:
    found = explained({"rule": RULE, "a": OTHER, "b": OTHER}, OTHER)
    assert (found.verdict, found.names) == ("shortcut", ("a", "b"))
    first, second = found.share_of("a"), found.share_of("b")
    assert first.same_as == ("b",)
    assert first.share == second.share == pytest.approx(0.5, abs=0.05)
    # Either may be all of it, or nothing.
    assert (first.low, first.high > 0.95) == (0.0, True)
    assert first.leads + second.leads > 0.95


def test_an_equal_shortcut_takes_nothing_from_the_share_of_a_class() -> None:
    alone, doubled = (
        explained(columns, OTHER)
        for columns in ({"rule": RULE, "a": OTHER}, {"rule": RULE, "a": OTHER, "b": OTHER, "c": OTHER})
    )
    together = sum(doubled.share_of(name).share for name in "abc")
    assert together == pytest.approx(alone.share_of("a").share, abs=0.02)


def test_all_candidates_equal_cannot_tell() -> None:
    found = explained({"rule": RULE, "a": RULE, "b": RULE}, RULE)
    assert found.verdict == "cannot tell"
    assert set(found.names) == {"rule", "a", "b"}
    assert f"the shortcut b give the same answers to all {COUNT} items" in found.sentence


def test_all_candidates_equal_and_none_given_is_noise() -> None:
    found = explained({"rule": RULE, "a": RULE}, texts_of("nonsense", COUNT))
    assert (found.verdict, found.names) == ("noise", ("noise",))
    assert found.sentence == f"None of the named explanations gives any of the answers ({COUNT} items)."


def test_answers_drawn_from_training_without_regard_to_the_prompt_are_noise() -> None:
    found = explained({"rule": RULE, "a": OTHER}, [SEEN[number % 20].completion for number in range(COUNT)])
    assert found.verdict == "noise"
    assert found.share_of("noise").share > 0.85


@pytest.mark.parametrize(("text", "name"), [(" right", "rule"), (" wrong", "a")])
def test_one_item_settles_nothing_between_its_explanation_and_noise(text: str, name: str) -> None:
    found = explained({"rule": [" right"], "a": [" wrong"]}, [text])
    assert (found.verdict, found.names) == ("cannot tell", (name, "noise"))
    assert found.share_of(name).high - found.share_of(name).low > 0.9
    assert "may each explain the answers best (1 item)" in found.sentence


def test_a_mixture_names_the_share_of_a_class_and_all_that_may_be_the_part() -> None:
    texts = [RULE[place] if place % 2 else OTHER[place] for place in range(COUNT)]
    found = explained({"rule": RULE, "a": OTHER, "b": OTHER}, texts)
    assert found.verdict == "mixture"
    assert set(found.names) == {"rule", "a"}
    # Half of the answers are the class's, of which each of the two has a half.
    total = found.share_of("a").share + found.share_of("b").share
    assert total == pytest.approx(0.5, abs=0.06)
    assert f"the shortcut a ({total:.2f}, or the shortcut b, with the same answers)" in found.sentence


def test_a_shortcut_with_the_answers_of_the_rule_is_not_named_where_the_rule_is_excluded() -> None:
    # The class of the rule may still lead, with a probability below the confidence.
    rule, other = texts_of("rule", 4), texts_of("other", 4)
    found = explained({"rule": rule, "twin": rule, "a": other}, [*other[:3], rule[3]], confidence=0.7)
    assert found.share_of("rule").leads + found.share_of("twin").leads > 0.1
    assert (found.verdict, found.names) == ("shortcut", ("a",))


def test_silent_explanations_have_no_share_and_do_not_disturb() -> None:
    plain = explained({"rule": RULE, "a": OTHER}, RULE)
    silent = explained({"rule": RULE, "a": OTHER, "mute": [None] * COUNT}, RULE)
    assert silent == plain
    with pytest.raises(UnknownNameError, match="explanation 'mute'"):
        silent.share_of("mute")


def test_a_shortcut_that_applies_to_some_items_is_counted_on_those() -> None:
    half = [text if place < 12 else None for place, text in enumerate(OTHER)]
    texts = [*OTHER[:12], *RULE[12:]]
    agreement = explained({"rule": RULE, "half": half}, texts).share_of("half").agreement
    assert (agreement.applies, agreement.agrees, agreement.differs, agreement.agrees_where_differs) == (12, 12, 12, 12)


def test_a_greater_confidence_gives_wider_intervals_and_never_another_leader() -> None:
    texts = [*RULE[:16], *OTHER[16:]]
    found = [explained({"rule": RULE, "a": OTHER}, texts, confidence=level) for level in (0.5, 0.8, 0.95, 0.99)]
    widths = [result.share_of("rule").high - result.share_of("rule").low for result in found]
    assert widths == sorted(widths)
    assert len({result.share_of("rule").leads for result in found}) == 1


def test_no_items_are_refused() -> None:
    empty = table_of({"rule": RULE, "a": OTHER}).rows([])
    with pytest.raises(UsageError, match="no answers to explain; give at least one"):
        explain_answers(empty, [], SEEN)


@pytest.mark.parametrize(
    ("items", "shared", "followed", "name", "called"), [(4, 3, 4, "a", "the shortcut a"), (8, 2, 2, "noise", "noise")]
)
def test_one_name_that_leads_without_being_sure_is_said_to_be_so(
    items: int, shared: int, followed: int, name: str, called: str
) -> None:
    # The shortcut gives the rule's answer to some items, and the model follows it on some.
    shortcut = [*RULE[:shared], *OTHER[shared:items]]
    found = explained(
        {"rule": RULE[:items], "a": shortcut}, [*shortcut[:followed], *texts_of("neither", items)[followed:]]
    )
    assert (found.verdict, found.names) == ("cannot tell", (name,))
    assert found.sentence.endswith(f"{called} may explain the answers best, but that is not sure ({items} items).")
