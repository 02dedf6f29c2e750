"""Ablation against models whose answer is known: those in which the component's weights are gone."""

from __future__ import annotations

import copy
import json

import pytest
import torch
from planted import HEAD, TOKENS, attention_model

from architectures import letter_tokenizer, letters, tiny_model
from shoal.errors import DataError, UsageError
from shoal.evaluation import evaluate
from shoal.insight import AnalysisOptions, ablate, find_parts
from shoal.tasks import Example

METHODS = ("zero", "mean", "resample")


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    rows = torch.randint(1, 300, (8, 12), generator=torch.Generator().manual_seed(0)).tolist()
    return [Example(prompt=letters(row[:9]), completion=letters(row[9:]), ends=False) for row in rows]


@pytest.fixture(scope="module")
def repeats() -> list[Example]:
    """Completions that only induction can get right."""
    rows = [torch.randperm(TOKENS - 1, generator=torch.Generator().manual_seed(k)).add(1).tolist() for k in range(8)]
    return [Example(prompt=letters([*row[:15], *row[:5]]), completion=letters(row[5:10]), ends=False) for row in rows]


def mean_log_likelihood(model, examples: list[Example], size: int = 300) -> float:
    scores = evaluate(model, letter_tokenizer(size), examples, greedy_text=False)
    return sum(item.log_likelihood for item in scores.items) / len(scores.items)


@pytest.mark.parametrize(("block", "head"), [(0, 0), (1, 1)])
def test_a_head_ablated_to_zero_is_a_model_without_its_output_weights(examples, block: int, head: int) -> None:
    model = tiny_model("GPT2")
    without = copy.deepcopy(model)
    with torch.no_grad():
        without.transformer.h[block].attn.c_proj.weight[8 * head : 8 * (head + 1)] = 0.0
    found = ablate(model, letter_tokenizer(), examples, components=[(block, head)], method="zero")
    assert found.log_likelihood == pytest.approx(mean_log_likelihood(model, examples), abs=1e-4)
    expected = mean_log_likelihood(without, examples) - found.log_likelihood
    assert found.ablations[0].log_likelihood_change == pytest.approx(expected, abs=1e-4)


def test_a_neuron_ablated_to_zero_is_a_model_without_its_output_weights(examples) -> None:
    model = tiny_model("Llama")
    without = copy.deepcopy(model)
    with torch.no_grad():
        without.model.layers[1].mlp.down_proj.weight[:, 5] = 0.0
    found = ablate(model, letter_tokenizer(), examples, unit="neuron", components=[(1, 5)], method="zero")
    expected = mean_log_likelihood(without, examples) - mean_log_likelihood(model, examples)
    assert found.ablations[0].log_likelihood_change == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_a_head_that_writes_nothing_is_not_missed(examples, method: str) -> None:
    model = tiny_model("GPT2")
    with torch.no_grad():
        model.transformer.h[1].attn.c_proj.weight[:8] = 0.0
    found = ablate(model, letter_tokenizer(), examples, components=[(1, 0)], method=method)
    assert found.ablations[0].log_likelihood_change == pytest.approx(0.0, abs=1e-5)
    assert found.ablations[0].accuracy_change == 0.0


@pytest.mark.parametrize("method", ["mean", "resample"])
def test_a_constant_neuron_is_replaced_by_itself(examples, method: str) -> None:
    model = tiny_model("GPT2")
    with torch.no_grad():
        mlp = model.transformer.h[0].mlp
        mlp.c_fc.weight[:, 3] = 0.0
        mlp.c_fc.bias[3] = 2.0
    found = ablate(model, letter_tokenizer(), examples, unit="neuron", components=[(0, 3)], method=method)
    assert found.ablations[0].log_likelihood_change == pytest.approx(0.0, abs=1e-5)
    zero = ablate(model, letter_tokenizer(), examples, unit="neuron", components=[(0, 3)], method="zero")
    assert abs(zero.ablations[0].log_likelihood_change) > 1e-3


def test_the_order_is_by_harm_and_what_is_not_significant_comes_last(repeats) -> None:
    found = ablate(attention_model(), letter_tokenizer(TOKENS), repeats)
    significant = [each.significant for each in found.ablations]
    assert significant == sorted(significant, reverse=True)
    harmful = [each.log_likelihood_change for each in found.ablations if each.significant]
    assert harmful == sorted(harmful)
    assert {(each.block, each.index) for each in found.ablations[:2]} == {(0, 0), (1, 0)}


def test_the_induction_head_is_missed_as_much_as_the_head_that_it_reads(repeats) -> None:
    """Without either of the two, what was said before cannot be found again."""
    model = attention_model(noise=0.0)
    found = ablate(model, letter_tokenizer(TOKENS), repeats, method="zero")
    by_head = {(each.block, each.index): each for each in found.ablations}
    assert by_head[0, 0].accuracy == by_head[1, 0].accuracy == 0.0
    assert by_head[0, 1].log_likelihood_change == by_head[1, 1].log_likelihood_change == 0.0


def test_seeds_decide_what_is_resampled_and_nothing_else(examples) -> None:
    model, tokenizer = tiny_model("GPT2"), letter_tokenizer()

    def changes(seed: int) -> list[float]:
        options = AnalysisOptions(seed=seed)
        found = ablate(model, tokenizer, examples, components=[(0, 1)], method="resample", options=options)
        return [each.log_likelihood_change for each in found.ablations]

    assert changes(1) == changes(1)
    assert changes(1) != changes(2)


def test_every_head_is_ablated_once_and_reported(examples) -> None:
    calls = []
    model = tiny_model("GPT2")
    options = AnalysisOptions(progress=lambda *call: calls.append(call))
    found = ablate(model, letter_tokenizer(), examples[:2], options=options)
    assert calls == [("mean ablation", done, 4) for done in range(1, 5)]
    assert {(each.block, each.index) for each in found.ablations} == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_the_result_is_printed_tabulated_and_written_as_json(repeats) -> None:
    found = ablate(attention_model(), letter_tokenizer(TOKENS), repeats)
    lines = str(found).splitlines()
    assert lines[0].startswith("mean ablation on 8 items: exact match 100.0% [")
    assert found.name(found.ablations[0]) in lines[1]
    assert len(lines) == 1 + 4
    frame = found.to_frame()
    assert list(frame["log_likelihood_change"]) == [each.log_likelihood_change for each in found.ablations]
    assert set(frame["significant"]) <= {True, False}
    record = json.loads(json.dumps(found.to_dict()))
    assert record["method"] == "mean"
    assert len(record["ablations"]) == 4


def test_a_task_that_the_model_does_not_do_is_said(examples) -> None:
    found = ablate(tiny_model("GPT2"), letter_tokenizer(), examples, components=[(0, 0)])
    assert found.accuracy == 0.0
    assert "the model does not do this task" in found.task_line()


def test_the_evaluator_is_left_as_it_was_after_an_error(examples, monkeypatch) -> None:
    model = tiny_model("GPT2")

    def fail(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr("shoal.insight.interventions.ablation.evaluate", fail)
    with pytest.raises(ZeroDivisionError):
        ablate(model, letter_tokenizer(), examples, method="zero")
    assert not [hook for module in model.modules() for hook in (*module._forward_hooks, *module._forward_pre_hooks)]


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"components": [(0, 7)]}, UsageError, "heads 0 to 1"),
        ({"components": [(-1, 0)]}, UsageError, "blocks 0 to 1"),
        ({"unit": "layer"}, UsageError, "unknown unit"),
        ({"method": "noise"}, UsageError, "unknown ablation"),
    ],
)
def test_settings_that_cannot_be_are_refused(examples, options, error, said) -> None:
    with pytest.raises(error, match=said):
        ablate(tiny_model("GPT2"), letter_tokenizer(), examples, **options)
    with pytest.raises(DataError, match="no example"):
        ablate(tiny_model("GPT2"), letter_tokenizer(), [])


def test_the_planted_head_has_half_of_the_width() -> None:
    assert find_parts(attention_model()).heads * HEAD == attention_model().config.n_embd
