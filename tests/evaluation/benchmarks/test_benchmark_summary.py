"""Figures of a task from its records: intervals over the right units, chance, ties, and groups of tasks."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from shoal.errors import DataError
from shoal.evaluation.benchmarks import BenchmarkRecord, parse_task, summarize_groups, summarize_task
from shoal.evaluation.benchmarks.library import TaskGroup

CHOICE = {"output_type": "multiple_choice", "doc_to_choice": ["a", "b", "c", "d"], "doc_to_target": 0}


def task(name="t", metrics=("acc",), **keys):
    given = {
        "task": name,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": "rows.jsonl"}},
        "test_split": "test",
        "doc_to_text": "{{q}}",
        "metric_list": [{"metric": metric} if isinstance(metric, str) else metric for metric in metrics],
    }
    return parse_task({**given, **CHOICE, **keys}, "t.yaml")


def record(index, value, *, metric="acc", gold=0, nats=(-1.0, -2.0, -3.0, -4.0), **more):
    return BenchmarkRecord(
        id=f"i{index}",
        task="t",
        index=index,
        gold=gold,
        log_likelihoods=nats,
        metrics={f"{metric},none": value},
        **more,
    )


def figure(records, of=None, **settings):
    (found,) = summarize_task(of or task(), records, shots=0, **settings).metrics
    return found


@pytest.mark.parametrize(("right", "items"), [(0, 1), (1, 1), (7, 10), (10, 10), (0, 40), (399, 400)])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_the_interval_of_a_share_of_single_items_is_wilsons(right, items, confidence):
    found = figure([record(place, float(place < right)) for place in range(items)], confidence=confidence)
    assert found.value == pytest.approx(right / items)
    wanted = proportion_confint(right, items, alpha=1 - confidence, method="wilson")
    assert (found.interval.low, found.interval.high) == pytest.approx(wanted, abs=1e-9)


def clustered(values):
    """A record for each value of each cluster."""
    pairs = [(f"c{name}", value) for name, many in enumerate(values) for value in many]
    return [record(place, value, cluster=name) for place, (name, value) in enumerate(pairs)]


def test_the_interval_of_items_in_clusters_is_over_the_clusters():
    generator = np.random.default_rng(3)
    values = [[float(generator.random() < share)] * 5 for share in generator.random(12)]
    found = figure(clustered(values))
    means = [each[0] for each in values]
    # All items of a cluster are right together, so that a cluster is one observation.
    wanted = stats.t.interval(0.95, 11, np.mean(means), np.std(means, ddof=1) / math.sqrt(12))
    assert (found.interval.low, found.interval.high) == pytest.approx(np.clip(wanted, 0, 1), abs=1e-9)
    single = figure([record(place, value) for place, value in enumerate(np.repeat(means, 5).tolist())])
    assert single.interval.high - single.interval.low < found.interval.high - found.interval.low


@pytest.mark.parametrize("clusters", [1, 5])
def test_too_few_clusters_are_no_units(clusters):
    values = [[1.0, 0.0, 1.0]] * clusters
    result = summarize_task(task(), clustered(values), shots=0)
    assert (result.clustered, result.clusters) == (False, clusters)
    right, items = 2 * clusters, 3 * clusters
    wanted = proportion_confint(right, items, method="wilson")
    (found,) = result.metrics
    assert (found.interval.low, found.interval.high) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_clusters_that_are_all_right_leave_room_for_others(value):
    """A standard error of 0 would give an interval of no width: a certainty that ten clusters do not have."""
    found = figure(clustered([[value] * 4] * 10))
    wanted = proportion_confint(round(10 * value), 10, method="wilson")
    assert (found.interval.low, found.interval.high) == pytest.approx(wanted, abs=1e-9)
    assert found.interval.high - found.interval.low > 0.2


@pytest.mark.parametrize("values", [[[1.0, 0.0]] * 8, [[0.3]] * 8, [[0.1, 0.2, 0.3]] * 8])
def test_clusters_that_are_all_alike_have_no_interval(values):
    records = clustered(values)
    if len(values[0]) == 1:
        records = [record(place, value) for place, (value,) in enumerate(values)]
    assert figure(records).interval is None


def test_a_mean_of_numbers_has_students_interval():
    values = [0.5, 0.25, 1.0, 0.75, 0.0, 0.1]
    found = figure([record(place, value) for place, value in enumerate(values)])
    wanted = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    assert (found.interval.low, found.interval.high) == pytest.approx(wanted, abs=1e-9)
    assert figure([record(0, 0.5)]).interval is None


def test_the_interval_of_a_perplexity_is_over_documents_and_holds_it():
    rolling = task(metrics=["word_perplexity"], output_type="loglikelihood_rolling", doc_to_target="{{q}}")
    generator = np.random.default_rng(0)
    sizes = generator.integers(5, 50, 40)
    nats = -sizes * generator.normal(2.0, 0.3, 40)
    pairs = [[float(one), int(size)] for one, size in zip(nats, sizes, strict=True)]
    found = figure([record(place, pair, metric="word_perplexity") for place, pair in enumerate(pairs)], of=rolling)
    assert found.value == pytest.approx(math.exp(-nats.sum() / sizes.sum()))
    assert found.interval.low < found.value < found.interval.high
    assert not found.higher_is_better
    # About what the error of the mean of words says.
    residual = -nats - sizes * (-nats.sum() / sizes.sum())
    error = math.sqrt((residual**2).sum()) / sizes.sum()
    width = math.log(found.interval.high / found.interval.low)
    assert width == pytest.approx(2 * 2.02 * error, rel=0.3)


@pytest.mark.parametrize("metric", ["perplexity", "word_perplexity"])
def test_the_interval_of_a_perplexity_is_over_the_clusters(metric):
    """Documents of a cluster that are all alike tell no more than one of them."""
    kind = "loglikelihood" if metric == "perplexity" else "loglikelihood_rolling"
    of = task(metrics=[metric], output_type=kind, doc_to_target="{{q}}")
    nats = -np.random.default_rng(0).normal(20.0, 4.0, 12)

    def found(times, **clusters):
        values = [float(one) if metric == "perplexity" else [float(one), 8] for one in np.repeat(nats, times)]
        names = [f"c{place // times}" if clusters else None for place in range(len(values))]
        records = [record(k, value, metric=metric, cluster=names[k]) for k, value in enumerate(values)]
        return figure(records, of=of).interval

    once, clustered, single = found(1), found(9, clusters=True), found(9)
    assert (clustered.low, clustered.high) == pytest.approx((once.low, once.high))
    assert math.log(single.high / single.low) < math.log(once.high / once.low) / 2


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("metric", ["perplexity", "bits_per_byte"])
def test_a_text_that_is_impossible_leaves_no_interval(metric):
    kind = "loglikelihood" if metric == "perplexity" else "loglikelihood_rolling"
    of = task(metrics=[metric], output_type=kind, doc_to_target="{{q}}")
    values = [-math.inf, -1.0, -2.0, -3.0, -4.0, -5.0, -6.0]
    records = [record(k, one if metric == "perplexity" else [one, 3], metric=metric) for k, one in enumerate(values)]
    assert (figure(records, of=of).value, figure(records, of=of).interval) == (math.inf, None)


@pytest.mark.parametrize(("right", "chances"), [(12, [0.25] * 20), (0, [0.25] * 20), (3, [0.5, 0.25, 0.2, 1.0])])
def test_guessing_is_as_likely_as_the_distribution_of_right_guesses_says(right, chances):
    records = [
        record(place, float(place < right), nats=(-1.0,) * round(1 / chance)) for place, chance in enumerate(chances)
    ]
    found = summarize_task(task(), records, shots=0).chance
    generator = np.random.default_rng(1)
    drawn = (generator.random((200_000, len(chances))) < np.array(chances)).sum(1)
    tails = (drawn <= right).mean(), (drawn >= right).mean()
    assert found.level == pytest.approx(np.mean(chances))
    assert found.p_value == pytest.approx(min(1, 2 * min(tails)), abs=4e-3)


def test_clusters_are_tested_against_chance_as_clusters():
    records = clustered([[1.0] * 50] * 3 + [[0.0] * 50] * 3)
    single = [record(each.index, each.metrics["acc,none"]) for each in records]
    # Half right with one of four choices is far above chance for 300 items, and nothing for six texts.
    assert summarize_task(task(), single, shots=0).chance.p_value < 1e-10
    assert summarize_task(task(), records, shots=0).chance.p_value > 0.1


@pytest.mark.parametrize(
    ("gold", "level"), [(0, 0.25), ([0, 1], 0.5), ([0, 1, 1], 0.5), ([0, -1], 0.25), ("a", 0.25), ([], 0.0)]
)
def test_the_chance_of_an_item_is_the_share_of_its_right_choices(gold, level):
    records = [record(place, 1.0, gold=gold) for place in range(3)]
    assert summarize_task(task(), records, shots=0).chance.level == pytest.approx(level)


@pytest.mark.parametrize(
    ("nats", "ties", "near"),
    [
        ((-1.0, -2.0), 0, 0),
        ((-1.0, -1.0), 1, 0),
        ((-1.0, -1.00001), 0, 1),
        ((-3.0, -1.0, -1.0), 1, 0),
        ((-1.0, -3.0, -3.0), 0, 0),
    ],
)
def test_only_the_best_choices_are_tied(nats, ties, near):
    found = summarize_task(task(), [record(0, 1.0, nats=nats)], shots=0)
    assert (found.ties, found.near_ties) == (ties, near)


def test_the_order_of_the_records_changes_nothing():
    records = clustered([[1.0, 0.0, 0.3]] * 4 + [[0.0, 0.1, 1.0]] * 4)
    forward, backward = (summarize_task(task(), rows, shots=2) for rows in (records, records[::-1]))
    assert forward == backward
    assert (forward.shots, forward.items, forward.cut) == (2, 24, 0)
    with pytest.raises(DataError, match="there are no records of the task t"):
        summarize_task(task(), [], shots=0)


def result(name, value, items, metric="acc"):
    records = [record(place, value, metric=metric) for place in range(items)]
    return summarize_task(task(name, metrics=[metric]), records, shots=0)


def group(names, **settings):
    return TaskGroup(name="g", tasks=names, **settings)


TASKS = {"one": result("one", 1.0, 10), "two": result("two", 0.0, 30), "three": result("three", 0.5, 20, "acc_norm")}


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (group(("one", "two"), weight_by_size=True), [("acc", 0.25, True)]),
        (group(("one", "two"), weight_by_size=False), [("acc", 0.5, False)]),
        (group(("one", "two"), weight_by_size=True, weights={"acc": False}), [("acc", 0.5, False)]),
        (group(("one", "three"), weight_by_size=True), []),  # no figure that both have
        (group(("one", "gone"), weight_by_size=True), [("acc", 1.0, True)]),
        (group(("gone",), weight_by_size=True), []),
    ],
)
def test_a_group_has_the_mean_of_what_all_of_its_tasks_have(asked, wanted):
    found = summarize_groups([asked], TASKS)
    assert [(each.metric, each.value, each.weight_by_size) for each in found] == [
        (name, pytest.approx(value), by_size) for name, value, by_size in wanted
    ]
    assert all(set(each.tasks) <= set(TASKS) for each in found)


def test_a_record_is_json_that_plain_tools_read():
    made = record(0, math.nan, nats=(-math.inf, -1.0), metric="brier_score")
    told = json.dumps(made.to_dict(), allow_nan=False)
    assert json.loads(told)["log_likelihoods"] == [None, -1.0]
    assert json.loads(told)["metrics"] == {"brier_score,none": None}
