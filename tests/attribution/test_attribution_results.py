"""Results of the attribution as values: what they say, their tables, and JSON that is read again."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hand_tables import SEEN, answers_to, table_of, texts_of
from hypothesis import given as given_values, strategies as st

from shoal.attribution import (
    Agreement,
    DiscriminatingItem,
    Discrimination,
    Explanation,
    ExplanationShare,
    GroupEffect,
    ItemAnswer,
    ItemExplanation,
    LeaveOutChange,
    LeaveOutResult,
    Standing,
    explain_answers,
    explain_trainings,
)
from shoal.attribution.discrimination import NONE, verdict_sentence
from shoal.errors import UnknownNameError, UsageError
from shoal.statistics import Interval

HOSTILE = 'a"b\n\t\\ é 日本 🐟'


def share(name: str, **given: Any) -> ExplanationShare:
    settings: dict[str, Any] = {
        "kind": "noise" if name == "noise" else "shortcut", "share": 0.5, "low": 0.25, "high": 0.75, "leads": 0.5,
        "same_as": (), "agreement": None if name == "noise" else Agreement(
            agrees=3, applies=4, differs=2, agrees_where_differs=1
        ),
    }  # fmt: skip
    return ExplanationShare(name=name, **settings | given)


def item(prompt: str = "p", **given: Any) -> ItemExplanation:
    settings: dict[str, Any] = {
        "expected": " 1", "answer": " 2", "ends": True, "right": False, "given_by": ("copy",),
        "probabilities": {"copy": 0.75, "noise": 0.25},
    }  # fmt: skip
    return ItemExplanation(prompt=prompt, **settings | given)


def explanation(**given: Any) -> Explanation:
    settings: dict[str, Any] = {
        "task": "t", "verdict": "shortcut", "names": ("copy",), "sentence": "It copies.", "confidence": 0.95,
        "shares": (share("copy"), share("noise")), "items": (item(),), "right": 0,
    }  # fmt: skip
    return Explanation(**settings | given)


def test_an_explanation_prints_its_shares_and_what_is_wrong() -> None:
    lines = str(explanation()).split("\n")
    assert lines[0] == "It copies."
    assert lines[2].split("  ")[0] == "explanation"
    assert lines[3].split()[:5] == ["copy", "0.50", "0.25", "to", "0.75"]
    assert "3 of 4" in lines[3]
    assert "1 of 2" in lines[3]
    assert lines[-2] == "what it answers instead (1 of 1 item wrong)"
    assert lines[-1] == "  'p' -> ' 2' (right: ' 1'); given by copy"


def test_explanations_that_explain_nothing_are_counted_and_many_items_cut() -> None:
    idle = share("idle", share=0.0, agreement=Agreement(agrees=0, applies=4, differs=4, agrees_where_differs=0))
    text = str(explanation(shares=(share("copy"), idle, share("noise")), items=tuple(item(f"p{k}") for k in range(15))))
    assert "1 explanation that explains nothing is left out" in text
    assert "idle" not in text
    assert text.endswith("  and 3 more")
    assert text.count("given by copy") == 12


def test_long_prompts_are_shown_by_their_end_and_what_did_not_end_says_so() -> None:
    text = str(explanation(items=(item("x" * 90 + "END", answer=" 22", ends=False, given_by=()),)))
    assert "xxxEND' -> ' 22' (did not end) (right: ' 1'); given by none of the explanations" in text
    assert "..." in text


def test_a_share_is_found_by_its_name_or_the_nearest_known_one_is_named() -> None:
    assert explanation().share_of("noise").kind == "noise"
    with pytest.raises(UnknownNameError, match="copy"):
        explanation().share_of("copi")


def test_the_best_explanation_of_an_item_is_the_most_probable() -> None:
    assert item().best == "copy"
    assert item(probabilities={"noise": 1.0}).best == "noise"


@given_values(text=st.text(max_size=8), name=st.text(min_size=1, max_size=5), value=st.floats(0, 1))
def test_any_explanation_comes_back_from_json(text: str, name: str, value: float) -> None:
    given_shares = (share(name, share=value, same_as=(text, name)), share("noise", leads=value))
    whole = explanation(
        task=text, names=(name, text), sentence=text, shares=given_shares,
        items=(item(text, answer=text, given_by=(name,), probabilities={name: value}),),
    )  # fmt: skip
    assert Explanation.from_dict(json.loads(json.dumps(whole.to_dict()))) == whole


def test_tables_have_the_numbers_of_the_shares_and_items() -> None:
    frame = explanation().to_frame()
    assert frame["name"].tolist() == ["copy", "noise"]
    assert frame.loc[0, ["agrees", "applies", "differs", "agrees_where_differs"]].tolist() == [3, 4, 2, 1]
    assert frame.loc[1, ["agrees"]].isna().all()
    (row,) = explanation().items_frame().to_dict("records")
    assert row == {
        "prompt": "p", "expected": " 1", "answer": " 2", "right": False, "best": "copy", "probability": 0.75,
        "given_by": "copy",
    }  # fmt: skip


@given_values(
    nats=st.dictionaries(st.text(max_size=4), st.floats(-1e3, 0.0) | st.just(-float("inf")), max_size=4),
    answer=st.text(max_size=6),
    ends=st.booleans(),
)
def test_any_answer_comes_back_from_json(nats: dict[str, float], answer: str, ends: bool) -> None:
    one = ItemAnswer(prompt=HOSTILE, expected=" 1", answer=answer, ends=ends, log_probs=nats)
    written = json.dumps(one.to_dict(), allow_nan=False)
    assert ItemAnswer.from_dict(json.loads(written)) == one


def standing(name: str, rejected_at: int | None = None, **given: Any) -> Standing:
    settings: dict[str, Any] = {
        "same_as": (), "agrees": 3, "trials": 4, "wins": 2, "contests": 3,
        "interval": Interval(low=0.25, high=1.0, confidence=0.95), "log_e": 0.0,
    }  # fmt: skip
    return Standing(name=name, rejected_at=rejected_at, **settings | given)


def discrimination(**given: Any) -> Discrimination:
    asked = DiscriminatingItem(
        prompt="1+1=", candidates={"rule": " 2", "copy": None}, answer=None, given_by=(), log_e={"rule": 0.5, NONE: 1.0}
    )
    settings: dict[str, Any] = {
        "task": "t", "verdict": "cannot tell", "names": ("rule", "copy"), "sentence": "Undecided.", "alpha": 0.05,
        "share": 0.5, "items": (asked,), "standings": (standing("rule", same_as=("twin",)), standing("copy", 7)),
        "none_rejected_at": None, "batches": 1, "pool": 30, "separating": 2,
    }  # fmt: skip
    return Discrimination(**settings | given)


def test_a_discrimination_prints_its_standings_and_items() -> None:
    lines = str(discrimination()).split("\n")
    assert lines[0] == "Undecided."
    assert lines[2].startswith("explanation")
    assert "95% interval" in lines[2]
    assert lines[3].startswith("rule = twin")
    assert "0.25 to 1.00" in lines[3]
    assert lines[3].rstrip().endswith("not rejected")
    assert lines[4].split()[-1] == "7"
    assert lines[5].startswith(NONE)
    assert "2.72" in lines[5]
    assert lines[-1] == "    1. '1+1=' -> no end; given by none of the explanations"


def test_a_discrimination_comes_back_from_json_and_has_a_row_an_item() -> None:
    whole = discrimination(sentence=HOSTILE)
    assert Discrimination.from_dict(json.loads(json.dumps(whole.to_dict()))) == whole
    (row,) = whole.to_frame().to_dict("records")
    assert (row["prompt"], row["answer"], row["given_by"]) == ("1+1=", None, "")
    assert (row["log_e rule"], row[f"log_e {NONE}"]) == (0.5, 1.0)


RULE, COPY, TWIN = standing("rule"), standing("copy"), standing("copy", same_as=("twin",))
BY_RULE = (
    "it gives 3 of the 4 answers that test it, and every other explanation is rejected after 5 items (alpha 0.05)."
)
VERDICTS = {
    f"The main explanation is the rule: {BY_RULE}": ("rule", (RULE, standing("copy", 3)), 0),
    f"The main explanation is the shortcut copy, as no item separates it from the shortcut twin: {BY_RULE}": (
        "shortcut", (TWIN, standing("rule", 3)), 0,
    ),
    "None of the named explanations is the main one: all are rejected after 5 items (alpha 0.05); the best, the rule, "
    "gives 1 of the 4 answers that test it.": (
        "none", (standing("rule", 2, agrees=1), standing("copy", 3, agrees=1, trials=9)), 0,
    ),
    "Undecided after 5 items between the rule and the shortcut copy: 3 items of the pool would separate them still; "
    "raise the budget.": ("cannot tell", (RULE, COPY), 3),
    "Undecided after 5 items between the rule and none of these: no further item of the pool separates them; draw a "
    "larger pool.": ("cannot tell", (RULE, standing("copy", 3)), 0),
}  # fmt: skip


@pytest.mark.parametrize(("says", "given"), VERDICTS.items(), ids=[row[0] for row in VERDICTS.values()])
def test_a_verdict_is_a_sentence(says: str, given: tuple[Any, ...]) -> None:
    verdict, standings, separating = given
    assert verdict_sentence(verdict, standings, items=5, separating=separating, alpha=0.05) == says


COLUMNS = {name: texts_of(name, 12) for name in ("rule", "copy")}


def trained(name: str) -> Explanation:
    table = table_of(COLUMNS)
    return explain_answers(table, answers_to(table, texts_of(name, 12)), SEEN)


def test_trainings_that_cannot_tell_are_told_together_with_all_names_between_which_they_doubt() -> None:
    def doubtful(*names: str) -> Explanation:
        return replace(trained("rule"), verdict="cannot tell", names=names)

    found = explain_trainings({0: doubtful("rule", "noise"), 1: trained("copy"), 2: doubtful("copy", "rule")})
    assert found.sentence.startswith(
        "cannot tell between rule, noise and copy in 2 of 3 seeds and the shortcut copy in 1 of 3 seeds (mean share: "
    )
    assert explain_trainings({0: doubtful("rule")}).sentence.startswith("perhaps rule in 1 of 1 seed (")


def test_trainings_say_their_verdicts_with_the_commonest_first() -> None:
    found = explain_trainings({3: trained("copy"), 5: trained("rule"), 8: trained("copy")}, confidence=0.8)
    assert found.sentence.startswith("the shortcut copy in 2 of 3 seeds and the rule in 1 of 3 seeds (mean share: copy")
    assert [one.seed for one in found.seeds] == [3, 5, 8]
    assert [(one.right, one.items) for one in found.seeds] == [(0, 12), (12, 12), (0, 12)]
    by_name = {one.name: one for one in found.shares}
    assert by_name["copy"].by_seed == tuple(
        one.share_of("copy").share for one in (trained("copy"), trained("rule"), trained("copy"))
    )
    assert [one.mean for one in found.shares] == sorted((one.mean for one in found.shares), reverse=True)
    again = json.loads(json.dumps(found.to_dict()))
    assert again["shares"][0]["by_seed"] == list(found.shares[0].by_seed)
    assert str(found).startswith(f"{found.sentence}.\n\n  copy")


def test_a_training_that_follows_none_says_so() -> None:
    found = explain_trainings({0: trained("nonsense")})
    assert found.sentence.startswith("none of the named explanations in 1 of 1 seed")


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95, float("nan")])
def test_a_confidence_that_is_none_is_refused_for_trainings_too(confidence: float) -> None:
    with pytest.raises(UsageError, match="confidence"):
        explain_trainings({0: trained("rule"), 1: trained("rule")}, confidence=confidence)


def change(estimate: float, low: float = -float("inf"), high: float = float("inf")) -> LeaveOutChange:
    return LeaveOutChange(estimate=estimate, low=low, high=high, by_seed=(estimate,))


def test_a_leave_out_writes_json_without_infinities_and_a_row_each() -> None:
    effect = GroupEffect(
        group="length 1 to 3", examples=1, changes={"accuracy": change(-0.25), "copy": change(0.5, 0.25, 0.75)},
        beyond_chance={"accuracy": change(-0.125), "copy": change(0.0, -0.5, 0.5)},
    )  # fmt: skip
    found = LeaveOutResult(
        task="t",
        seeds=(0,),
        confidence=0.95,
        held_out=1,
        all_examples={"accuracy": 0.75, "copy": 0.0},
        groups=(effect,),
    )
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    changes = plain["groups"][0]["changes"]
    assert (changes["accuracy"]["low"], changes["copy"]["low"]) == (None, 0.25)
    frame = found.to_frame()
    assert frame["quantity"].tolist() == ["accuracy", "copy"]
    assert frame["change"].tolist() == [-0.25, 0.5]
    assert frame["change_beyond_chance"].tolist() == [-0.125, 0.0]
    text = str(found)
    assert "1 seed, 1 held-out example" in text
    assert "without length 1 to 3 (1 example)" in text
    assert "  copy: 0.00 +0.50 [+0.25, +0.75]; beyond chance +0.00 [-0.50, +0.50]" in text
    assert "An interval of 95% needs 6 seeds or more." in text
