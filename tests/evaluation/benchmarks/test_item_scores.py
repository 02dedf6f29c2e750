"""The value of an item under each metric, and the figure of all."""

from __future__ import annotations

import math

import pytest

from shoal.errors import DataError, UsageError
from shoal.evaluation.benchmarks import BenchmarkRecord, DataFolders, build_items, parse_task, summarize_task
from shoal.evaluation.benchmarks.chance import guessing_p_value
from shoal.evaluation.benchmarks.item_scores import score_likelihoods, score_responses
from shoal.evaluation.benchmarks.task_metrics import MetricSpec, aggregate


def one_item(tmp_path, metrics, row, **keys):
    import json

    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    task = {
        "task": "t",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": "rows.jsonl"}},
        "test_split": "test",
        "doc_to_text": "{{q}}",
        "metric_list": [metric if isinstance(metric, dict) else {"metric": metric} for metric in metrics],
    }
    items = build_items(parse_task(task | keys, "t.yaml"), DataFolders(tmp_path))
    return items, items.items[0]


CHOICE = {"output_type": "multiple_choice", "doc_to_target": "{{gold}}", "doc_to_choice": "{{['no', 'certainly']}}"}


def test_choices_are_judged_by_sum_by_character_by_byte_and_against_the_choice_alone(tmp_path):
    metrics = ["acc", "acc_norm", "acc_bytes", "exact_match", "brier_score", "f1", "mcc", "acc_mutual_info"]
    items, item = one_item(tmp_path, metrics, {"q": "q", "gold": 1}, **CHOICE)
    assert item.requests[2:] == (("", " no"), ("", " certainly"))
    values = score_likelihoods(items, item, [-2.0, -3.0, -1.0, -9.0], [False, True, False, False])
    assert values == {
        "acc,none": 0.0,
        "acc_norm,none": 1.0,  # 3 nats over 9 characters against 2 over 2
        "acc_bytes,none": 1.0,
        "exact_match,none": 1,
        "brier_score,none": [1, pytest.approx([1 / (1 + math.exp(-1)), 1 / (1 + math.e)])],
        "f1,none": [1, 0],
        "mcc,none": [1, 0],
        "acc_mutual_info,none": 1.0,
    }


@pytest.mark.parametrize("place", [0, 1])
def test_a_choice_that_is_impossible_either_way_is_taken_wherever_it_stands(tmp_path, place):
    """As NumPy's argmax, of which lm-evaluation-harness takes the choice, has it of what is no number."""
    items, item = one_item(tmp_path, ["acc_mutual_info"], {"q": "q", "gold": place}, **CHOICE)
    nats = [-2.0, -3.0, -1.0, -9.0]
    nats[place] = nats[place + 2] = -math.inf
    assert score_likelihoods(items, item, nats, [False] * 4) == {"acc_mutual_info,none": 1.0}


def test_the_values_of_choices_stand_behind_each_chain_of_filters(tmp_path):
    filters = [{"name": name, "filter": [{"function": "take_first"}]} for name in ("x", "y")]
    items, item = one_item(tmp_path, ["acc"], {"q": "q", "gold": 1}, filter_list=filters, **CHOICE)
    values = score_likelihoods(items, item, [-3.0, -2.0], [False, True])
    assert values == {"acc,x": 1.0, "acc,y": 1.0}
    record = BenchmarkRecord(id="i", task="t", index=0, gold=1, log_likelihoods=(-3.0, -2.0), metrics=values)
    assert [metric.filter for metric in summarize_task(items.task, [record], shots=0).metrics] == ["x", "y"]


@pytest.mark.parametrize("row", [{}, {"kind": None}])
def test_a_document_of_no_cluster_is_refused(tmp_path, row):
    with pytest.raises(DataError, match="column 'kind', which the document does not have"):
        one_item(tmp_path, ["acc"], {"q": "q", "gold": 1} | row, metadata={"cluster": "kind"}, **CHOICE)


def test_a_correlation_needs_what_people_gave(tmp_path):
    items, item = one_item(tmp_path, ["correlation"], {"q": "q", "gold": 1}, **CHOICE)
    with pytest.raises(DataError, match="correlation of the task t needs a column ratio"):
        score_likelihoods(items, item, [-3.0, -2.0], [False, True])


def test_examples_before_prompts_that_are_columns_are_refused(tmp_path):
    metadata = {"contexts": "before"}
    row = {"q": "q", "gold": 1, "before": ["a", "b"]}
    _, item = one_item(tmp_path, ["acc"], row, metadata=metadata, **CHOICE)
    assert [context for context, _ in item.requests] == ["a", "b"]
    with pytest.raises(UsageError, match="take 0 shots"):
        one_item(tmp_path, ["acc"], row, metadata=metadata, num_fewshot=2, **CHOICE)


def test_what_a_choice_is_without_its_question_is_no_further_choice(tmp_path):
    items, item = one_item(tmp_path, ["acc", "acc_mutual_info"], {"q": "q", "gold": 1}, **CHOICE)
    nats = [-2.0, -3.0, -1.0, -1.0]
    values = score_likelihoods(items, item, nats, [False] * 4)
    record = BenchmarkRecord(id="i", task="t", index=0, gold=1, log_likelihoods=tuple(nats), metrics=values)
    assert record.choice == 0
    found = summarize_task(items.task, [record], shots=0)
    assert (found.ties, found.near_ties, found.chance.level) == (0, 0, 0.5)


def test_a_right_choice_that_is_named_by_its_text_is_one_of_the_choices(tmp_path):
    items, _ = one_item(tmp_path, ["acc"], {"q": "q", "gold": 1}, **CHOICE)
    record = BenchmarkRecord(
        id="i", task="t", index=0, gold="certainly", log_likelihoods=(-2.0, -3.0), metrics={"acc,none": 0.0}
    )
    assert summarize_task(items.task, [record], shots=0).chance.level == 0.5


def test_of_equal_choices_the_first_is_taken(tmp_path):
    items, item = one_item(tmp_path, ["acc"], {"q": "q", "gold": 1}, **CHOICE)
    assert score_likelihoods(items, item, [-2.0, -2.0], [False, False]) == {"acc,none": 0.0}


@pytest.mark.parametrize(
    ("options", "gold", "response", "value"),
    [
        ({}, "7", "7", 1.0),
        ({}, "7", "7.", 0.0),
        ({"regexes_to_ignore": [r"\.$", ","]}, "1,000", "1000.", 1.0),
        ({"ignore_case": True}, "Yes", "yes", 1.0),
        ({"ignore_punctuation": True}, "a-b", "ab", 1.0),
        ({"ignore_numbers": True}, "a1", "a22", 1.0),
        ({}, ["a", "b"], "b", 1.0),
    ],
)
def test_generated_text_matches_after_what_is_ignored(tmp_path, options, gold, response, value):
    metric = {"metric": "exact_match", **options}
    items, item = one_item(tmp_path, [metric], {"q": "q", "gold": gold}, doc_to_target="gold")
    assert score_responses(items, item, [response]) == {"exact_match,none": value}


def test_a_metric_without_values_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(UsageError, match=r"bleu of the task t is not defined for multiple_choice"):
        one_item(tmp_path, ["bleu"], {"q": "q", "gold": 1}, **CHOICE)


def test_several_responses_that_no_filter_joins_are_refused(tmp_path):
    chain = [{"name": "c", "filter": [{"function": "lowercase"}]}]
    items, item = one_item(tmp_path, ["exact_match"], {"q": "q", "g": "a"}, doc_to_target="g", filter_list=chain)
    with pytest.raises(DataError, match="take_first"):
        score_responses(items, item, ["a", "b"])


@pytest.mark.parametrize(
    ("aggregation", "values", "figure"),
    [
        ("mean", [1, 0, 1, 1], 0.75),
        ("median", [4, 1, 3, 2], 3.0),
        ("perplexity", [-1.0, -3.0], math.exp(2)),
        ("weighted_perplexity", [[-6.0, 2], [-2.0, 2]], math.exp(2)),
        ("bits_per_byte", [[-6.0, 2], [-2.0, 2]], 2 / math.log(2)),
        ("f1", [[1, 1], [1, 0], [0, 1], [0, 0]], 0.5),
        ("matthews_corrcoef", [[1, 1], [1, 0], [0, 0], [0, 0]], 1 / math.sqrt(3)),
        ("matthews_corrcoef", [[0, 0], [0, 0]], 0.0),
        ("brier_score", [[0, [0.5, 0.5]], [1, [0.0, 1.0]]], 0.25),
        ("bleu", [["the cat sat on the mat", "the cat sat on the mat"]], 100.0),
        ("ter", [[["a b c d"], "a b c d"]], 0.0),
        ("spearman", [[0.1, 1.0], [0.2, 2.0], [0.9, 3.0]], 1.0),
        ("spearman", [[0.1, 2.0], [0.2, 2.0], [0.9, 1.0]], -math.sqrt(3) / 2),
    ],
)
def test_figures_of_all_items(aggregation, values, figure):
    spec = MetricSpec(name="m", aggregation=aggregation, higher_is_better=True)
    assert aggregate(spec, values) == pytest.approx(figure)


@pytest.mark.slow
def test_figures_agree_with_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    golds, guesses = [0, 1, 2, 2, 1, 0, 1, 2], [0, 2, 2, 1, 1, 0, 0, 2]
    spec = MetricSpec(name="mcc", aggregation="matthews_corrcoef", higher_is_better=True)
    pairs = [list(pair) for pair in zip(golds, guesses, strict=True)]
    assert aggregate(spec, pairs) == pytest.approx(metrics.matthews_corrcoef(golds, guesses))
    binary = [[gold % 2, guess % 2] for gold, guess in pairs]
    spec = MetricSpec(name="f1", aggregation="f1", higher_is_better=True)
    assert aggregate(spec, binary) == pytest.approx(metrics.f1_score(*zip(*binary, strict=True)))


@pytest.mark.parametrize(
    ("aggregation", "values", "message"),
    [
        ("brier_score", [[0, [0.5, 0.5]], [0, [0.2, 0.3, 0.5]]], "as many choices in every document"),
        ("f1", [[2, 0]], "two choices"),
        ("bleu", [[["a"], "a"], [["a", "b"], "a"]], "as many references"),
        ("mean", ["x"], "cannot be aggregated"),
    ],
)
def test_values_of_another_form_are_refused(aggregation, values, message):
    with pytest.raises(DataError, match=message):
        aggregate(MetricSpec(name="m", aggregation=aggregation, higher_is_better=True), values)


def test_guessing_is_tested_exactly():
    chances = [0.25] * 20
    tail = sum(math.comb(20, hits) * 0.25**hits * 0.75 ** (20 - hits) for hits in range(9, 21))
    assert guessing_p_value(9, chances) == pytest.approx(2 * tail)
    assert guessing_p_value(5, chances) == 1.0
    # Of two items with chances 1/2 and 1/4 both are right by guessing in one of eight cases.
    assert guessing_p_value(2, [0.5, 0.25]) == pytest.approx(0.25)
