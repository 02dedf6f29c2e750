"""The page of benchmarks: every figure of the JSON stands on it, and items cannot break out of it."""

from __future__ import annotations

import json

import pytest

from page_reader import HOSTILE, PageReader, read_page
from shoal.evaluation.benchmarks.results import (
    BenchmarkResults,
    ChanceTest,
    GroupResult,
    MetricResult,
    OverlapResult,
    ShownItem,
    TaskResult,
)
from shoal.reports import benchmark_page
from shoal.reports.html_format import NOTHING
from shoal.statistics import wilson_interval


def metric(name="acc", value=0.75, *, filter_="none", right=75, bounded=True):
    interval = wilson_interval(right, 100) if bounded else None
    return MetricResult(name=name, filter=filter_, value=value, interval=interval, higher_is_better=True)


def task(name="blimp", *, metrics=(), chance=(0.5, 0.001), **changes):
    given = {
        "version": "1.0",
        "output_type": "multiple_choice",
        "shots": 5,
        "items": 1200,
        "clusters": None,
        "clustered": False,
        "ties": 0,
        "near_ties": 0,
        "cut": 0,
    }
    test = None if chance is None else ChanceTest(level=chance[0], p_value=chance[1])
    return TaskResult(task=name, metrics=tuple(metrics) or (metric(),), chance=test, **{**given, **changes})


def shown(index=0, **changes):
    given = {
        "task": "blimp",
        "prompt": "The cat",
        "choices": (" sat", " sit"),
        "log_likelihoods": (-1.5, None),
        "choice": 0,
        "gold": 0,
        "responses": (),
        "value": 1.0,
    }
    return ShownItem(index=index, **{**given, **changes})


def results(*tasks, **changes):
    given = {
        "model": "folder/model",
        "digest": "0123456789abcdef" * 4,
        "dtype": "float32",
        "groups": (),
        "settings": {"seed": 0},
        "reuses_prefixes": True,
        "seconds": 1.0,
    }
    return BenchmarkResults(tasks=tasks or (task(),), **{**given, **changes})


@pytest.fixture(scope="module")
def page() -> PageReader:
    tasks = (
        task(metrics=[metric(), metric("acc_norm", 0.5, right=50)], ties=3, near_ties=1, cut=1),
        task("gsm8k", metrics=[metric("exact_match", 0.02, filter_="strict-match", right=2)], chance=None, items=7),
        task("wmt", metrics=[metric("bleu", 27.5, bounded=False)], chance=None),
        task("mmlu", metrics=[metric(value=0.26, right=26)], chance=(0.25, 0.81), clusters=57, clustered=True),
    )
    groups = (
        GroupResult(group="all", tasks=("blimp", "mmlu"), metric="acc", value=0.505, weight_by_size=True),
        GroupResult(group="few", tasks=("blimp",), metric="acc", value=0.75, weight_by_size=False),
    )
    return read_page(benchmark_page(results(*tasks, groups=groups, shown=(shown(), shown(1, value=0.0)))))


def test_every_figure_stands_with_interval_items_and_chance(page: PageReader) -> None:
    low, high = wilson_interval(75, 100).low, wilson_interval(75, 100).high
    rows = page.rows("Every figure of every task")
    assert rows[0] == [
        "blimp", "acc", "0.7500", f"{low:.4f} to {high:.4f}", "1,200", "0.500", "yes, p = 0.001",
    ]  # fmt: skip
    assert [row[:3] for row in rows] == [
        ["blimp", "acc", "0.7500"],
        ["blimp", "acc_norm", "0.5000"],
        ["gsm8k", "exact_match (strict-match)", "0.0200"],
        ["wmt", "bleu", "27.5000"],
        ["mmlu", "acc", "0.2600"],
    ]
    assert [row[3] == NOTHING for row in rows] == [False, False, False, True, False]
    assert [row[5:] for row in rows[2:]] == [[NOTHING] * 2, [NOTHING] * 2, ["0.250", "no, p = 0.81"]]


def test_groups_state_how_they_are_weighted(page: PageReader) -> None:
    assert page.rows("Means over tasks") == [
        ["all", "acc", "0.5050", "2", "by items"],
        ["few", "acc", "0.7500", "1", "equally"],
    ]


def test_what_must_be_known_of_the_figures_stands_below_them(page: PageReader) -> None:
    for note in (
        "blimp: distinguishable from chance (0.500); exact p = 0.001.",
        "mmlu: not distinguishable from chance (0.250); exact p = 0.81.",
        "mmlu: 57 clusters of documents: intervals and test are over them.",
        "blimp: ties: 3 with two best choices of equal log-likelihood (the first counts), 1 within 1e-4 nats.",
        "blimp: 1 prompt longer than the model's context lost the beginning.",
    ):
        assert note in page.text


def test_the_result_names_the_model_and_the_first_tasks(page: PageReader) -> None:
    assert page.part(".result") == (
        "folder/model reaches acc 0.75 on blimp, exact_match 0.02 on gsm8k and bleu 27.5 on wmt, and 1 task more; it "
        "differs from chance on 1 of 2 tasks where chance is known."
    )
    assert page.part(".details") == (
        "4 tasks, 3,607 items; digest 0123456789ab, float32; shared beginnings computed once."
    )


def test_only_shares_are_drawn_on_the_axis_of_shares(page: PageReader) -> None:
    labels = [attrs.get("aria-label", "") for attrs in page.all("svg")]
    assert any("First metric of each task" in label for label in labels)
    drawn = page.part("text")
    assert "blimp" in drawn
    assert "wmt" not in drawn


def test_a_page_of_corpus_scores_alone_has_no_picture() -> None:
    page = read_page(benchmark_page(results(task(metrics=[metric("bleu", 20.0, bounded=False)], chance=None))))
    assert page.all("svg") == []
    assert "groups" not in {attrs.get("id") for attrs in page.all("section")}


def test_items_are_data_of_the_page(page: PageReader) -> None:
    first, second = page.json("benchmark-items")
    assert first == {
        "task": "blimp", "index": 0, "prompt": "The cat", "choices": [" sat", " sit"], "log_likelihoods": [-1.5, None],
        "choice": 0, "gold": 0, "responses": [], "value": 1.0,
    }  # fmt: skip
    assert (second["index"], second["value"]) == (1, 0.0)
    assert "an even sample of 2 of the 3607 items" in page.text


def test_names_prompts_and_answers_cannot_break_out() -> None:
    item = shown(prompt=HOSTILE, choices=(HOSTILE,), log_likelihoods=(-1.0,), responses=(HOSTILE,), gold=HOSTILE)
    html = benchmark_page(
        results(task(HOSTILE, metrics=[metric(HOSTILE)]), model=HOSTILE, shown=(item,), groups=(
            GroupResult(group=HOSTILE, tasks=(HOSTILE,), metric=HOSTILE, value=0.5, weight_by_size=False),
        ))
    )  # fmt: skip
    page = read_page(html)
    assert " ".join(HOSTILE.split()) in page.text
    (found,) = page.json("benchmark-items")
    assert (found["prompt"], found["gold"], found["responses"]) == (HOSTILE, HOSTILE, [HOSTILE])


@pytest.mark.parametrize(
    ("changes", "notes"),
    [
        ({"chance": None}, []),
        ({"chance": None, "clusters": 3}, ["3 clusters of documents: too few, so that each document counts"]),
        ({"chance": None, "cut": 2}, ["2 prompts longer than the model's context lost the beginning"]),
        (
            {"chance": None, "overlap": OverlapResult(items=0, checked=9, clean_value=None)},
            ["0 of 9 items stand in the training text"],
        ),
        (
            {"chance": None, "overlap": OverlapResult(items=4, checked=9, clean_value=0.5)},
            ["4 of 9 items stand in the training text; without them 0.5000"],
        ),
        (
            {"chance": None, "overlap": OverlapResult(items=9, checked=9, clean_value=None)},
            ["9 of 9 items stand in the training text"],
        ),
        ({"chance": (0.25, 0.05)}, ["distinguishable from chance (0.250); exact p = 0.05"]),
        ({"chance": (0.25, 0.0500001)}, ["not distinguishable from chance (0.250); exact p = 0.05"]),
    ],
)
def test_a_task_has_the_notes_that_its_figures_need(changes, notes) -> None:
    assert task(**changes).notes() == notes


def test_a_task_prints_its_figures_under_each_other() -> None:
    one = task(metrics=[metric(), metric("bleu", float("nan"), bounded=False)], chance=None, shots=1, items=1)
    low, high = wilson_interval(75, 100).low, wilson_interval(75, 100).high
    assert str(one).splitlines() == [
        "blimp: 1 item, 1 shot",
        f"  acc        0.7500  [{low:.4f}, {high:.4f}] at 95%",
        "  bleu  not defined",
    ]


def test_results_are_json_and_a_frame_without_the_items() -> None:
    found = results(task(), task("wmt", metrics=[metric("bleu", 20.0, bounded=False)], chance=None), shown=(shown(),))
    record = json.loads(json.dumps(found.to_dict()))
    assert "shown" not in record
    assert record["tasks"][0]["chance"]["level"] == 0.5
    frame = found.to_frame()
    assert frame["task"].tolist() == ["blimp", "wmt"]
    assert frame["value"].tolist() == [0.75, 20.0]
    assert frame["low"].isna().tolist() == [False, True]
    assert frame["p_value"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("tasks", "ending"),
    [
        (1, "reaches acc 0.75 on t0, which differs from chance."),
        (
            2,
            "reaches acc 0.75 on t0 and acc 0.75 on t1; it differs from chance on 2 of 2 tasks where chance is known.",
        ),
        (5, "and acc 0.75 on t2, and 2 tasks more; it differs from chance on 5 of 5 tasks where chance is known."),
    ],
)
def test_the_headline_names_three_tasks_at_most(tasks, ending) -> None:
    assert results(*(task(f"t{place}") for place in range(tasks))).headline().endswith(ending)


def test_a_headline_without_a_chance_level_speaks_of_none() -> None:
    assert results(task(chance=None)).headline() == "folder/model reaches acc 0.75 on blimp."
    text = str(results(task(chance=None), groups=(
        GroupResult(group="g", tasks=("blimp",), metric="acc", value=0.75, weight_by_size=True),
    )))  # fmt: skip
    assert text.splitlines()[0] == "folder/model (digest 0123456789ab, float32)"
    assert text.splitlines()[-1] == "g: acc 0.7500, the mean of 1 task weighted by items"
