"""The pages of comparisons: every number of the result stands on them, from results worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from page_reader import HOSTILE, read_page
from shoal.experiments.corpus_comparison import MEAN, CorpusComparison, corpus_comparison_from
from shoal.experiments.corpus_comparison.preparation import CorpusCounts
from shoal.experiments.corpus_comparison.result import CorpusDifference, CorpusScore, SizeDecisions, format_size
from shoal.experiments.overfitting import OverfitResult, sorted_rows
from shoal.experiments.overfitting.recipe import OverfitTable, plan_overfit
from shoal.experiments.overfitting.result import Asymptote, Claim, OverfitRow
from shoal.experiments.pretraining import recipe_from
from shoal.reports.corpus_comparison_page import corpus_comparison_content
from shoal.reports.html_format import MINUS
from shoal.reports.overfit_page import overfit_content
from shoal.statistics import DecisionAccuracy, Estimate

RECIPE = {
    "name": "small",
    "corpus": [{"name": "told", "grammar": 80, "held_out": 0.1}],
    "tokenizer": {"vocabulary": 300},
    "model": {"width": 16, "layers": 1, "heads": 2, "context": 64},
    "training": {"tokens": 12_000, "batch_tokens": 512, "precision": "float32"},
}


def estimate(value, spread=0.1, *, units=3):
    return Estimate(value=value, low=value - spread, high=value + spread, confidence=0.95, units=units)


def unbounded(value):
    return Estimate(value=value, low=None, high=None, confidence=0.95, units=1)


def row(name, test, gain=None, **changes):
    given = {
        "kind": "single",
        "meaning": f"what {name} does",
        "test": estimate(test),
        "training": estimate(test - 0.5),
        "gap": estimate(0.5),
        "gain": gain,
        "by_seed": (test - 0.1, test, test + 0.1),
        "training_compute": 1e9,
        "inference_compute": 1e6,
        "parameters": 1234,
        "tokens": 12_000,
    }
    return OverfitRow(name=name, **{**given, **changes})


CURVE = Asymptote(
    name="members of baseline",
    axis="members",
    sizes=(1.0, 2.0, 4.0),
    losses=((2.0, 1.75, 1.625), (2.0, 1.75, 1.625)),
    floor=estimate(1.5, 0.05),
    factor=0.5,
    exponent=1.0,
    exponent_is_fitted=True,
)


def overfit(*rows, **changes):
    plan = plan_overfit(OverfitTable(name="small-overfit", seeds=3), recipe_from(RECIPE, "small.toml"))
    given = {
        "folder": Path("run"),
        "plan": plan,
        "asymptotes": (),
        "claims": (),
        "distilled_shares": {},
    }
    return OverfitResult(rows=rows or (row("baseline", 2.0),), **{**given, **changes})


FULL = overfit(
    row("baseline", 2.0),
    row("deep", 1.5, estimate(0.5), kind="seeds", training_compute=4e9, inference_compute=4e6),
    row("smoothed", 2.25, estimate(-0.25, 0.5)),
    OverfitRow(name="impossible", kind="single", meaning="what cannot be", failed="muon takes no l1"),
    asymptotes=(CURVE,),
    claims=(
        Claim(
            claim="Ensembles are better.", better="deep", than="baseline", smallest_effect=0.1, verdict="supported",
            effect=estimate(0.5),
        ),
        Claim(
            claim="So is this.", better="impossible", than="baseline", smallest_effect=0.1, verdict="underpowered",
            effect=None,
        ),
    ),
    distilled_shares={"small": estimate(0.8, 0.1), "alone": unbounded(0.5)},
)  # fmt: skip


@pytest.fixture(scope="module")
def page():
    return read_page(overfit_content(FULL, "name = 'x' # <plan>").to_html())


def test_rows_stand_with_every_number_the_best_first(page):
    rows = page.rows("Bits per byte, the best first")
    assert rows == [
        ["deep", "what deep does", "1.5000 1.4000 to 1.6000", "0.5000 0.4000 to 0.6000",
         "0.5000 0.4000 to 0.6000", "x4.00", "x4.00"],
        ["baseline", "what baseline does", "2.0000 1.9000 to 2.1000", "",
         "0.5000 0.4000 to 0.6000", "x1.00", "x1.00"],
        ["smoothed", "what smoothed does", "2.2500 2.1500 to 2.3500", f"{MINUS}0.2500 {MINUS}0.7500 to 0.2500",
         "0.5000 0.4000 to 0.6000", "x1.00", "x1.00"],
    ]  # fmt: skip
    assert page.rows("Not in any figure") == [["impossible", "muon takes no l1"]]
    assert [one.name for one in sorted_rows(FULL.rows)] == ["deep", "baseline", "smoothed"]


def test_the_best_row_is_the_result(page):
    assert page.part(".result") == (
        "The best of 3 rows is deep, with 1.5000 bits per byte of test text, 0.5000 below the baseline (0.4000 to "
        "0.6000)."
    )
    assert page.part(".details") == (
        "3 seeds for each row · 12,000 training tokens · 1,234 parameters · recipe small · 95% intervals"
    )


@pytest.mark.parametrize(
    ("rows", "result"),
    [
        (
            (row("baseline", 2.0),),
            "No method is better than the recipe as it is, with 2.0000 bits per byte of test text.",
        ),
        (
            (row("baseline", 2.0), row("a", 1.9, estimate(0.1, 0.2))),
            "0.1000 below the baseline (-0.1000 to 0.3000); the interval does not exclude that it is no better.",
        ),
        (
            (row("baseline", 2.0), row("a", 1.9, unbounded(0.1))),
            "0.1000 below the baseline (no interval); the interval does not exclude that it is no better.",
        ),
    ],
)
def test_a_result_that_is_not_sure_states_it(rows, result):
    assert read_page(overfit_content(overfit(*rows)).to_html()).part(".result").endswith(result)


def test_claims_asymptotes_and_shares_are_sentences(page):
    lines = [
        str(CURVE),
        (
            "Ensembles are better. Supported: deep is 0.5000 [0.4000, 0.6000] bits per byte below baseline (what would "
            "matter: 0.1)."
        ),
        "So is this. No answer: impossible or baseline has no numbers.",
        "small keeps 80% of its teacher's gain over the baseline (70% to 90%).",
        "alone keeps 50% of its teacher's gain over the baseline (no interval).",
    ]
    for line in lines:
        assert line in page.text
    assert "1.6250 at 4; exponent 1.00, fitted" in str(CURVE)
    assert [CURVE.at(size) for size in (1, 2, 4)] == [2.0, 1.75, 1.625]
    assert CURVE.losses_mean == (2.0, 1.75, 1.625)


def test_parts_without_anything_to_show_are_left_out():
    page = read_page(overfit_content(overfit()).to_html())
    assert [attrs["id"] for attrs in page.all("section")] == ["rows", "gap", "reading"]
    full = read_page(overfit_content(FULL, HOSTILE).to_html())
    assert "onerror=alert(1)>" in full.part("pre")


def test_an_overfitting_comparison_is_printed_framed_and_json():
    text = str(FULL)
    assert "impossible failed: muon takes no l1" in text
    assert "small keeps 80% [70%, 90%] of its teacher's gain" in text
    assert "alone keeps 50% (no interval) of its teacher's gain" in text
    lines = text.splitlines()
    assert lines[1].split()[0] == "deep"
    assert lines[1].split()[-2:] == ["x4.00", "x4.00"]
    record = json.loads(json.dumps(FULL.to_dict()))
    assert [one["name"] for one in record["rows"]] == ["baseline", "deep", "smoothed", "impossible"]
    assert record["distilled_shares"]["small"]["value"] == 0.8
    frame = FULL.to_frame()
    assert frame["gain"].isna().tolist() == [True, False, False, True]
    assert frame["failed"].tolist() == ["", "", "", "muon takes no l1"]


SOURCES = {
    "corpus": [{"name": "plain", "grammar": 20, "seed": 1}, {"name": "talk", "grammar": 20, "seed": 2}],
    "held_out": [{"name": "tales", "grammar": 6, "seed": 9}, {"name": "lists", "grammar": 6, "seed": 8}],
    "vocabulary": 300, "context": 24, "seeds": 3, "unique": 600, "tokens": 900, "parameters": [4000, 9000],
}  # fmt: skip


def score(corpus, held_out, bits, *, size=9000, units=3):
    return CorpusScore(
        size=size, design="equal", corpus=corpus, held_out=held_out, bits=estimate(bits, 0.05, units=units),
        by_seed=(bits - 0.05, bits, bits + 0.05),
    )  # fmt: skip


def compared(**changes):
    scores = [
        score(corpus, held, bits, size=size)
        for size, offset in ((9000, 0.0), (4000, 1.0))
        for corpus, own in (("plain", 2.0), ("talk", 1.5))
        for held, bits in (("tales", own + offset), ("lists", own + offset + 0.5), (MEAN, own + offset + 0.25))
    ]
    differences = tuple(
        CorpusDifference(
            size=9000, design="equal", held_out=held, first="talk", second="plain", difference=estimate(value, 0.1)
        )
        for held, value in (("tales", -0.5), ("lists", -0.05), (MEAN, 0.5))
    )
    accuracy = DecisionAccuracy(
        one_seed=estimate(0.75, 0.25), mean_of_seeds=unbounded(1.0), large_with_itself=0.9, pairs=1,
        reversed_pairs=((1, 0),),
    )  # fmt: skip
    given = {
        "folder": Path("run"),
        "plan": corpus_comparison_from(SOURCES),
        "counts": {
            "plain": CorpusCounts(documents=1200, contaminated=3, repeated=4, characters=50_000, tokens=9_000),
            "talk": CorpusCounts(documents=7, contaminated=0, repeated=0, characters=80, tokens=20),
        },
        "parameters": {9000: 9123, 4000: 4012},
        "steps": 3,
        "scores": tuple(scores),
        "differences": differences,
        "decisions": (
            SizeDecisions(design="equal", held_out=MEAN, small=4000, large=9000, accuracy=accuracy, compute_ratio=2.25),
        ),
    }
    return CorpusComparison(**{**given, **changes})


@pytest.fixture(scope="module")
def corpora():
    return read_page(corpus_comparison_content(compared(), "seeds = 3 # <plan>").to_html())


def test_the_summary_names_the_best_corpus_and_what_small_models_decide(corpora):
    assert corpora.part(".result") == (
        "The best of 2 corpora on the mean of the held-out texts is talk with 1.7500 [1.7000, 1.8000] bits per byte "
        "at 9,000 parameters; the worst is plain with 2.2500 [2.2000, 2.3000]. Models of 4,000 parameters rank 75% of "
        "1 pairs of corpora as those of 9,000 do, at 1/2.2 of the compute."
    )
    assert corpora.part(".details") == (
        "3 seeds · 900 training tokens in 3 steps · 600 unique tokens · 9,123 and 4,012 parameters · 95% intervals"
    )


def test_differences_stand_with_their_outcome(corpora):
    assert corpora.rows("The difference to the other corpus") == [
        [
            "9,000",
            "equal unique tokens",
            "tales",
            "talk",
            "plain",
            f"{MINUS}0.5000 {MINUS}0.6000 to {MINUS}0.4000",
            "wins",
        ],
        [
            "9,000",
            "equal unique tokens",
            "lists",
            "talk",
            "plain",
            f"{MINUS}0.0500 {MINUS}0.1500 to 0.0500",
            "not significant",
        ],
        ["9,000", "equal unique tokens", "mean", "talk", "plain", "0.5000 0.4000 to 0.6000", "loses"],
    ]
    assert str(compared().differences[0]) == (
        "talk - plain on tales: -0.5000 [-0.6000, -0.4000] bits per byte (talk wins)"
    )


def test_scores_stand_by_size_the_best_corpus_first(corpora):
    rows = corpora.rows("Bits per byte: 9,123 parameters, equal unique tokens")
    assert rows == [
        ["talk", "1.5000 1.4500 to 1.5500", "2.0000 1.9500 to 2.0500", "1.7500 1.7000 to 1.8000"],
        ["plain", "2.0000 1.9500 to 2.0500", "2.5000 2.4500 to 2.5500", "2.2500 2.2000 to 2.3000"],
    ]
    assert corpora.rows("Bits per byte: 4,012 parameters")[0][0] == "talk"
    assert [one.corpus for one in compared().ranked(4000, "equal", "tales")] == ["talk", "plain"]
    assert compared().settings() == [(9000, "equal"), (4000, "equal")]


def test_decisions_of_small_models_stand_with_the_pairs_that_they_turn(corpora):
    assert corpora.rows("The share of pairs of corpora") == [
        [
            "4,000",
            "9,000",
            "equal unique tokens",
            "mean",
            "75% (50% to 100%)",
            "100% (no interval)",
            "90%",
            "1",
            "1/2.2",
        ]
    ]
    assert "mean, 4,000 against 9,000: talk before plain" in corpora.text


def test_counts_of_the_corpora_stand_with_what_was_left_out(corpora):
    assert corpora.rows("Documents that share 13 words") == [
        ["plain", "1,200", "50,000", "9,000", "3", "4"],
        ["talk", "7", "80", "20", "0", "0"],
    ]


def test_a_comparison_that_was_stopped_states_its_seeds():
    scores = (score("plain", "tales", 2.0, units=2), score("talk", "tales", 1.0, units=3))
    plan = corpus_comparison_from(SOURCES | {"held_out": SOURCES["held_out"][:1]})
    page = read_page(
        corpus_comparison_content(compared(plan=plan, scores=scores, differences=(), decisions=())).to_html()
    )
    assert page.part(".details").startswith("2 to 3 seeds")
    assert "on the held-out text tales is talk" in page.part(".result")
    assert "decisions" not in {attrs["id"] for attrs in page.all("section")}


def test_filters_are_judged_by_what_the_better_part_wins():
    plan = corpus_comparison_from(SOURCES | {"filters": "gopher"})
    names = ("better", "worse", "random")
    scores = tuple(score(name, held, 2.0) for name in names for held in ("tales", "lists", MEAN))
    differences = tuple(
        CorpusDifference(
            size=9000, design="equal", held_out=held, first="better", second=other, difference=estimate(value, 0.1)
        )
        for other, values in (("worse", (-0.5, -0.4, -0.4)), ("random", (0.5, 0.0, 0.2)))
        for held, value in zip(("tales", "lists", MEAN), values, strict=True)
    )
    found = compared(plan=plan, scores=scores, differences=differences, decisions=())
    assert found.summary == (
        "With 9,000 parameters and equal unique tokens the better part wins against the worse part on 2 of 2 texts and "
        "loses on 0 and against the random part on 0 of 2 texts and loses on 1; on the others the difference is not "
        "significant."
    )
    page = read_page(corpus_comparison_content(found).to_html())
    assert "filters gopher" in page.part(".details")
    assert "The better part is what the filters keep" in page.text
    assert len(page.rows("The difference to the other corpus")) == 6
    assert "better - random on lists" in str(found)


def test_a_comparison_of_corpora_is_printed_framed_and_json():
    found = compared()
    assert found.texts == ("tales", "lists", MEAN)
    blocks = str(found).split("\n\n")
    assert blocks[0] == found.summary
    assert blocks[1].splitlines()[0] == (
        "9,123 parameters, 900 training tokens in 3 steps, 600 unique tokens each, 3 seeds: bits per byte"
    )
    assert blocks[-1].startswith("decision accuracy\n  4,000 for 9,000 on mean: ")
    record = json.loads(json.dumps(found.to_dict(), default=str))
    assert record["corpora"]["talk"]["documents"] == 7
    assert [one["outcome"] for one in record["differences"]] == ["wins", "not significant", "loses"]
    frame = found.to_frame()
    assert len(frame) == 12
    assert set(frame["seeds"]) == {3}


@pytest.mark.parametrize(
    ("parameters", "text"),
    [(999, "999"), (99_999, "99,999"), (100_000, "0.1M"), (1_234_567, "1.23M"), (134_515_008, "135M")],
)
def test_sizes_are_short(parameters, text):
    assert format_size(parameters) == text


@pytest.mark.parametrize(("value", "sure"), [(-0.5, True), (-0.05, False)])
def test_two_corpora_that_cannot_be_told_apart_are_said_to_be_so(value, sure):
    plan = corpus_comparison_from(SOURCES | {"held_out": SOURCES["held_out"][:1]})
    difference = CorpusDifference(
        size=9_000, design="equal", held_out="tales", first="talk", second="plain", difference=estimate(value, 0.1)
    )
    scores = (score("plain", "tales", 2.0), score("talk", "tales", 2.0 + value))
    found = compared(plan=plan, scores=scores, differences=(difference,), decisions=())
    assert found.summary.endswith("a difference that is not significant.") is not sure
    # One pair stands open, where the pairs of many corpora are folded away.
    assert "<summary>" not in corpus_comparison_content(found).to_html()
