"""The page of rated stories: which model is ahead, every measure with its interval, samples, and the judge."""

from __future__ import annotations

import pytest

from page_reader import HOSTILE, read_page
from shoal.evaluation.judging import JudgeCertificate, Judgement, PerturbationFinding
from shoal.evaluation.judging.page_trend import Trend
from shoal.evaluation.stories import PairScores, StoryMeasure, StoryRating
from shoal.evaluation.stories.minimal_pairs import ParadigmScore
from shoal.evaluation.stories.prompts import StoryPrompt
from shoal.evaluation.stories.sampling import Completion
from shoal.reports import rating_page
from shoal.statistics import sign_flip, wilson_interval


def measure(name="zorro", value=0.8, low=0.7, high=0.9, *, better="more", note="pairs"):
    return StoryMeasure(name=name, value=value, low=low, high=high, count=100, clusters=10, better=better, note=note)


def rating(model, *measures, completions=(), judgements=(), pairs=None):
    return StoryRating(
        model=model,
        digest="0123456789abcdef" * 4,
        parameters=1_900_000,
        measures=measures or (measure(),),
        pairs=pairs or {},
        completions=tuple(completions),
        judgements=tuple(judgements),
    )


def page_of(*ratings, **more):
    return read_page(rating_page(list(ratings), **({"settings": {"seed": 0}} | more)))


def test_of_one_model_the_first_measure_is_the_result():
    page = page_of(rating("folder/one/", measure(), measure("loss", 1.5, 1.0, 2.0, better="less")))
    assert page.part(".result") == "one: zorro 0.800 (95% interval 0.700 to 0.900), the first of 2 measures."
    assert page_of(rating("one", measure(low=None, high=None))).part(".result") == (
        "one: zorro 0.800 (too few or too alike for an interval), the first of 1 measures."
    )


@pytest.mark.parametrize(
    ("measures", "result"),
    [
        (
            [
                (measure("a", 0.9, 0.8, 1.0), measure("a", 0.5, 0.4, 0.6)),
                (measure("b", 0.5, 0.4, 0.6), measure("b", 0.9, 0.8, 1.0)),
            ],
            None,
        ),
        (
            [(measure("a", 0.9, 0.8, 1.0), measure("a", 0.5, 0.4, 0.6))],
            "one is clearly ahead on 1 of 1 measures (intervals apart); other on 0.",
        ),
        (
            [(measure("a", 1.0, 0.9, 1.1, better="less"), measure("a", 2.0, 1.9, 2.1, better="less"))],
            "one is clearly ahead on 1 of 1 measures (intervals apart); other on 0.",
        ),
        (
            [(measure("a", 0.9, 0.5, 1.0), measure("a", 0.5, 0.4, 0.6))],
            "No model is clearly ahead: on none of 1 measures the intervals lie apart.",
        ),
        (
            [(measure("a", 0.9, 0.6, 1.0), measure("a", 0.5, 0.4, 0.6))],
            "No model is clearly ahead: on none of 1 measures the intervals lie apart.",
        ),
        (
            [(measure("a", 0.9, 0.8, 1.0, better="neither"), measure("a", 0.5, 0.4, 0.6, better="neither"))],
            "No model is clearly ahead: on none of 0 measures the intervals lie apart.",
        ),
    ],
)
def test_a_model_is_ahead_where_its_interval_lies_apart(measures, result):
    first, second = zip(*measures, strict=True)
    found = page_of(rating("one", *first), rating("other", *second)).part(".result")
    if result is None:
        # One win each: the first of them is named, and the other one's wins are counted.
        assert found == "one is clearly ahead on 1 of 2 measures (intervals apart); other on 1."
    else:
        assert found == result


def test_a_measure_that_a_model_lacks_decides_nothing_and_is_stated():
    page = page_of(
        rating("one", measure(), measure("loss", 1.0, 0.9, 1.1)), rating("other", measure(low=None, high=None))
    )
    assert page.rows("The same as numbers") == [
        ["zorro", "0.800 0.700 to 0.900", "0.800 no interval", "pairs"],
        ["loss", "1.000 0.900 to 1.100", "not measured", "pairs"],
    ]


def test_notes_that_differ_stand_with_the_model():
    page = page_of(rating("a/one", measure(note="60 pairs")), rating("a/two", measure(note="50 pairs")))
    assert page.rows("The same as numbers")[0][3] == "one: 60 pairs; two: 50 pairs"


@pytest.mark.parametrize(
    ("models", "labels"),
    [(("a/one", "b/two"), ["one", "two"]), (("a/one", "b/one"), ["a/one", "b/one"]), (("one",), ["one"])],
)
def test_models_are_called_by_the_last_part_of_their_spec_where_that_tells_them_apart(models, labels):
    page = page_of(*(rating(model) for model in models))
    (head,) = [rows[0] for name, rows in page.tables.items() if name == "The same as numbers"]
    assert head[1:-1] == labels
    assert page.rows("Models") == [[model, "1,900,000", "0123456789abcdef"] for model in models]


def completion(text="a <b>dog</b>.", *, number=0, prompt="Once"):
    return Completion(
        prompt=StoryPrompt(text=prompt), number=number, text=text, ended=True, tokens=7, key=f"{prompt}{number}"
    )


def test_the_first_completion_of_each_prompt_is_shown_with_its_marks():
    completions = [completion(number=1, text="second"), completion(), completion("x" * 800, prompt="Two")]
    judgements = [None, Judgement(grammar=9, creativity=8, consistency=7, instruction=6, age="C"), None]
    page = page_of(rating("one", completions=completions, judgements=judgements))
    shown = page.part(".sample")
    assert "second" not in shown
    assert "Oncea <b>dog</b>." in shown
    assert "grammar 9" in page.text
    assert "age group C" in page.text
    assert "the judge gave no usable answer" in page.text
    assert "x" * 700 + " …" in shown
    assert "7 tokens" in page_of(rating("one", completions=completions)).part(".sample")


def paradigm(name, right):
    return ParadigmScore(paradigm=name, pairs=100, right=right, ties=0, interval=wilson_interval(right, 100))


def test_every_paradigm_is_drawn_with_what_tells_it_apart_first():
    scores = PairScores(paradigms=(paradigm("agreement-across_one", 90), paradigm("case", 50)), margins=(1.0,) * 200)
    page = page_of(rating("one", pairs={"zorro": scores}))
    assert "across one (agreement)" in page.text
    assert "case: 0.500, interval" in page.text
    assert "pairs-0" in {attrs["id"] for attrs in page.all("section")}


def finding(name="grammar", **changes):
    drop = sign_flip([2.0, 2.5, 3.0, 2.0, 2.5, 3.5, 2.0, 3.0])
    trend = Trend(stories=8, p_value=0.0012, in_order=0.75, drop=drop, means=(8.0, 7.25, 6.5, 5.0))
    given = {
        "perturbation": name,
        "sensitivity": "sensitive",
        "trend": trend,
        "detected_from": 0.5,
        "drops": {"grammar": drop},
        "specific": True,
        "leaks": (),
    }
    return PerturbationFinding(**{**given, **changes})


def certificate(*findings):
    return JudgeCertificate(
        judge="a judge", findings=findings, severities=(0.25, 0.5, 1.0), stories=8, submissions=80, unusable=3, seed=0,
        confidence=0.983, min_drop=1.0,
    )  # fmt: skip


LOST = finding(
    "order", sensitivity="undecided", trend=None, detected_from=None, drops={}, specific=False, leaks=("grammar", "age")
)


def test_a_judge_stands_with_what_it_is_sensitive_to():
    page = page_of(certificate=certificate(finding(), LOST))
    assert page.part(".result") == "a judge is sensitive to perturbed grammar."
    assert page.rows("8 stories, 80 submissions, 3 without a usable answer") == [
        ["grammar", "sensitive", "0.5", "0.0012", "75%", "yes", "none", "8.00", "7.25", "6.50", "5.00"],
        ["order", "undecided", "none", "", "", "no", "grammar, age", "", "", "", ""],
    ]
    assert "Not shown for order (undecided); creativity and age are not certified at all." in page.text


def test_a_judge_that_is_sensitive_to_nothing_is_stated():
    page = page_of(certificate=certificate(LOST))
    assert page.part(".result") == "a judge is sensitive to perturbed nothing."
    assert page.all("svg") == []


def test_a_certificate_is_printed_framed_and_judged():
    found = certificate(finding(), LOST)
    assert not found.passed
    assert certificate(finding()).passed
    lines = str(found).splitlines()
    assert lines[0] == "judge a judge is not sensitive to every perturbation"
    assert lines[1] == "8 stories, 80 submissions, 3 without a usable answer"
    assert lines[-1].startswith("creativity and age are not certified")
    assert any(line.startswith("order: undecided, since too few stories") for line in lines)
    frame = found.to_frame()
    assert frame["perturbation"].tolist() == ["grammar", "order"]
    assert frame["p_value"].isna().tolist() == [False, True]
    assert frame["leaks"].tolist() == ["", "grammar, age"]
    assert found.to_dict()["passed"] is False


def test_names_texts_and_settings_are_text():
    page = page_of(
        rating(HOSTILE, measure(HOSTILE, note=HOSTILE), completions=[completion(HOSTILE, prompt=HOSTILE)]),
        settings={HOSTILE: HOSTILE},
    )
    wanted = " ".join(HOSTILE.split())
    assert page.rows("Settings") == [[wanted, wanted]]
    assert wanted in page.part(".sample")


def test_a_rating_is_printed_and_a_frame():
    found = rating("one", measure(), measure("loss", 1.5, None, None))
    lines = str(found).splitlines()
    assert lines[0] == "one  (1,900,000 parameters, digest 0123456789abcdef)"
    assert lines[1].split() == ["zorro", "0.8000", "[0.7000,", "0.9000]", "pairs"]
    assert "too few or too alike for an interval" in lines[2]
    assert found.to_frame()["name"].tolist() == ["zorro", "loss"]
    assert found.to_dict()["measures"][1]["low"] is None
