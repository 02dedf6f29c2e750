"""Patching restores what it must, its gradient estimate is one, and ablation costs what the part was worth."""

import json

import pytest
import torch
from planted import TOKENS, attention_model

from architectures import letter_tokenizer, letters, tiny_model
from shoal.errors import DataError, ModelError, TooLongError, UnknownNameError, UsageError
from shoal.insight import (
    AnalysisOptions,
    PromptPair,
    ablate,
    capture,
    parse_components,
    patch_effects,
    read_prompt_pairs,
    run_patched,
)
from shoal.tasks import Example

CLEAN, COUNTER = torch.randint(1, 300, (2, 9), generator=torch.Generator().manual_seed(4))


def pair(clean=CLEAN, counter=COUNTER, target=5, foil=7):
    return PromptPair(
        prompt=letters(clean.tolist()),
        counterfactual=letters(counter.tolist()),
        target=letters([target]),
        foil=letters([foil]),
    )


@torch.no_grad()
def logits_of(model, ids):
    return model(ids[None], use_cache=False).logits[0]


@pytest.mark.parametrize("architecture", ["GPT2", "GPTNeo", "GPTNeoX", "Llama", "Gemma2"])
@pytest.mark.parametrize("name", ["embedding", "blocks.1.residual_in"])
def test_patching_everything_restores_the_other_run_exactly(architecture, name):
    model = tiny_model(architecture)
    with capture(model, [name]) as seen:
        clean = logits_of(model, CLEAN)
    assert torch.equal(run_patched(model, COUNTER, dict(seen), range(9)), clean)
    assert torch.equal(run_patched(model, COUNTER, dict(seen), []), logits_of(model, COUNTER))


def test_patching_every_position_but_one_changes_only_what_follows():
    model = tiny_model("GPT2")
    with capture(model, ["blocks.1.mlp.output"]) as seen:
        logits_of(model, CLEAN)
    patched = run_patched(model, COUNTER, dict(seen), [8])
    assert torch.equal(patched[:8], logits_of(model, COUNTER)[:8])
    assert not torch.equal(patched[8], logits_of(model, COUNTER)[8])


@pytest.mark.parametrize("site", ["residual_in", "attention.heads", "attention.output", "mlp.output"])
def test_an_effect_is_the_change_that_a_patched_run_makes(site):
    model = tiny_model("Llama")
    found = patch_effects(model, letter_tokenizer(), [pair()], site=site)
    at = next(each for each in found.effects if (each.block, each.position) == (1, -3) and not each.head)
    with capture(model, [f"blocks.1.{site}"]) as seen:
        clean = logits_of(model, CLEAN)[-1]
    value = dict(seen)
    if site == "attention.heads":
        with capture(model, [f"blocks.1.{site}"]) as own:
            logits_of(model, COUNTER)
        value = {name: torch.cat([tensor[:, :, :1], own[name][:, :, 1:]], dim=2) for name, tensor in value.items()}
    counter, patched = logits_of(model, COUNTER)[-1], run_patched(model, COUNTER, value, [6])[-1]
    gap = (clean[5] - clean[7]) - (counter[5] - counter[7])
    change = (patched[5] - patched[7]) - (counter[5] - counter[7])
    assert at.effect == pytest.approx(float(change / gap), abs=1e-4)
    assert at.low is None


def test_the_residual_stream_at_the_start_carries_everything():
    model = tiny_model("GPT2", spread=0.1)
    changed = COUNTER.clone()
    changed[5] = CLEAN[5]
    only_one = pair(counter=torch.where(torch.arange(9) == 5, COUNTER, CLEAN))
    found = patch_effects(model, letter_tokenizer(), [only_one])
    effects = {(each.block, each.position): each.effect for each in found.effects}
    assert effects[0, -4] == pytest.approx(1.0, abs=1e-3)
    assert all(abs(effects[0, place]) < 1e-3 for place in range(-9, 0) if place != -4)


@pytest.mark.parametrize("site", ["residual_in", "attention.heads", "mlp.output"])
def test_attribution_patching_is_activation_patching_to_first_order(site):
    """Between prompts whose embeddings nearly agree the two are the same."""
    model = tiny_model("Llama", spread=0.2)
    with torch.no_grad():
        table = model.get_input_embeddings().weight
        table[11] = table[12] + 0.002 * torch.randn(16, generator=torch.Generator().manual_seed(0))
    clean, counter = CLEAN.clone(), CLEAN.clone()
    clean[4], counter[4] = 11, 12
    run, estimate = (
        patch_effects(model, letter_tokenizer(), [pair(clean, counter)], site=site, method=method)
        for method in ("activation", "attribution")
    )
    largest = max(abs(each.effect) for each in run.effects)
    for one, other in zip(run.effects, estimate.effects, strict=True):
        assert (one.block, one.head, one.position) == (other.block, other.head, other.position)
        assert other.effect == pytest.approx(one.effect, abs=0.05 * largest)


def test_several_pairs_give_an_interval_around_the_mean_effect():
    model = tiny_model("GPT2")
    rows = torch.randint(1, 300, (12, 9), generator=torch.Generator().manual_seed(1))
    pairs = [pair(rows[place], rows[place + 6], 5, 7) for place in range(6)]
    found = patch_effects(model, letter_tokenizer(), pairs, site="mlp.output")
    assert found.pairs == 6
    assert all(each.low <= each.effect <= each.high for each in found.effects)
    assert len(found.effects) == 2 * 9


def test_an_interval_that_could_not_hold_its_level_is_not_told():
    model = tiny_model("GPT2")
    rows = torch.randint(1, 300, (10, 9), generator=torch.Generator().manual_seed(1))
    pairs = [pair(rows[place], rows[place + 5], 5, 7) for place in range(5)]
    found = patch_effects(model, letter_tokenizer(), pairs, site="mlp.output")
    assert {each.low for each in found.effects} == {None}
    assert "5 pairs are too few for 95% intervals" in str(found).splitlines()[0]
    assert "[" not in str(found).splitlines()[1]
    looser = patch_effects(model, letter_tokenizer(), pairs, site="mlp.output", options=AnalysisOptions(confidence=0.9))
    assert all(each.low <= each.effect <= each.high for each in looser.effects)


def test_the_planted_induction_head_is_what_restores_the_answer():
    """The prompt ends with a token said before; what followed it then is the answer."""
    model, tokenizer = attention_model(), letter_tokenizer(TOKENS)
    before = list(range(1, 19))
    pairs = [
        PromptPair(
            prompt=letters([*before, place]),
            counterfactual=letters([*before, place + 6]),
            target=letters([place + 1]),
            foil=letters([place + 7]),
        )
        for place in range(2, 8)
    ]
    found = patch_effects(model, tokenizer, pairs, site="attention.heads")
    best = max(found.effects, key=lambda each: each.effect)
    assert (best.block, best.head, best.position) == (1, 0, -1)
    assert best.low > 0.5
    assert found.clean > 0 > found.counterfactual


@pytest.fixture(scope="module")
def repeats():
    """Completions that only induction can get right, and a control that any part can."""
    rows = torch.stack([torch.randperm(TOKENS - 1, generator=torch.Generator().manual_seed(k)) + 1 for k in range(12)])
    return [
        Example(
            prompt=letters([*row[:15].tolist(), *row[:5].tolist()]), completion=letters(row[5:10].tolist()), ends=False
        )
        for row in rows
    ]


@pytest.mark.parametrize("method", ["zero", "mean", "resample"])
def test_without_the_induction_head_what_was_said_before_is_not_repeated(repeats, method):
    model = attention_model()
    found = ablate(model, letter_tokenizer(TOKENS), repeats, method=method)
    assert found.accuracy == 1.0
    by_place = {(each.block, each.index): each for each in found.ablations}
    assert by_place[1, 0].accuracy < 0.2
    assert by_place[1, 0].high < 0
    assert by_place[0, 0].accuracy < 0.2
    assert by_place[1, 1].accuracy == 1.0
    assert {(each.block, each.index) for each in found.ablations[:2]} == {(0, 0), (1, 0)}
    again = ablate(model, letter_tokenizer(TOKENS), repeats, method=method, components=[(1, 1)])
    assert again.accuracy == 1.0
    assert not [hook for module in model.modules() for hook in (*module._forward_hooks, *module._forward_pre_hooks)]


def test_a_neuron_that_says_the_answer_is_missed_and_another_is_not():
    model, tokenizer = attention_model(), letter_tokenizer(TOKENS)
    with torch.no_grad():
        mlp = model.transformer.h[1].mlp
        mlp.c_fc.bias[3] = 5.0
        mlp.c_proj.weight[3, 9] = 8.0
    examples = [Example(prompt=letters([place, place + 1]), completion=letters([9]), ends=False) for place in (1, 3, 5)]
    found = ablate(model, tokenizer, examples, unit="neuron", components=[(1, 3), (1, 4)], method="zero")
    assert found.accuracy == 1.0
    assert (found.ablations[0].block, found.ablations[0].index) == (1, 3)
    assert found.ablations[0].log_likelihood_change < -1
    assert abs(found.ablations[1].log_likelihood_change) < 0.1


def test_pairs_are_read_and_bad_ones_refused(tmp_path):
    path = tmp_path / "pairs.jsonl"
    row = {"prompt": "a", "counterfactual": "b", "target": "c", "foil": "d"}
    path.write_text(json.dumps(row) + "\n\n" + json.dumps(row) + "\n")
    assert read_prompt_pairs(path) == [PromptPair(**row)] * 2
    for text, said in (("{}", "line 1"), ("", "no pair"), ("nonsense", "line 1"), ("[" * 10**5, "line 1")):
        path.write_text(text)
        with pytest.raises(DataError, match=said):
            read_prompt_pairs(path)
    model, tokenizer = tiny_model("GPT2"), letter_tokenizer()
    with pytest.raises(DataError, match="same number"):
        patch_effects(model, tokenizer, [pair(counter=COUNTER[:5])])
    with pytest.raises(DataError, match="same token"):
        patch_effects(model, tokenizer, [pair(target=7)])
    with pytest.raises(UnknownNameError, match=r"mlp\.output"):
        patch_effects(model, tokenizer, [pair()], site="mlp.outputs")
    with pytest.raises(ModelError, match="nothing to restore"):
        patch_effects(model, tokenizer, [pair(counter=CLEAN)])


def test_what_cannot_be_ablated_is_refused(repeats):
    model, tokenizer = attention_model(), letter_tokenizer(TOKENS)
    for options, said in (
        ({"components": [(2, 0)]}, "blocks 0 to 1"),
        ({"unit": "neuron"}, "name the neurons"),
        ({"method": "remove"}, "unknown ablation"),
    ):
        with pytest.raises(UsageError, match=said):
            ablate(model, tokenizer, repeats, **options)
    with pytest.raises(DataError, match="no example"):
        ablate(model, tokenizer, [])


def test_heads_and_neurons_are_read_by_the_names_of_the_tables():
    model = tiny_model("GPT2")
    names = ["block 1 head 0", " block 0  neuron 3", "block 1 head 0", "block 0 head 1"]
    assert parse_components(model, names) == {"head": [(1, 0), (0, 1)], "neuron": [(0, 3)]}
    for name, near in (
        ("block 7 head 0", "block 1 head 0"),
        ("block 1 neuron 9999", "block 1 neuron 63"),
        ("blok 1 hed 1", "block 1 head 1"),
    ):
        with pytest.raises(UnknownNameError, match=f"did you mean '{near}'"):
            parse_components(model, [name])
    with pytest.raises(ModelError, match="no heads"):
        parse_components(tiny_model("Mamba"), ["block 0 head 0"])


def test_patching_says_first_whether_the_model_does_the_task_and_last_what_is_not_significant():
    model = tiny_model("GPT2")
    rows = torch.randint(1, 300, (24, 9), generator=torch.Generator().manual_seed(1))
    pairs = [pair(rows[place], rows[place + 12], 5, 7) for place in range(12)]
    found = patch_effects(model, letter_tokenizer(), pairs, site="mlp.output")
    differences = [
        float(logits[5] - logits[7]) for logits in (logits_of(model, rows[place])[-1] for place in range(24))
    ]
    assert found.right == sum(value > 0 for value in differences[:12])
    assert found.flipped == sum(value < 0 for value in differences[12:])
    assert found.both == sum(one > 0 > other for one, other in zip(differences[:12], differences[12:], strict=True))
    assert not found.does_task  # it prefers the target on the counterfactuals too
    assert f"prefers the target to the foil on {found.right} of 12 prompts" in str(found).splitlines()[0]
    assert "That the model does the task is not shown" in str(found).splitlines()[0]
    holds_zero = [each.low <= 0 <= each.high for each in found.strongest(len(found.effects))]
    assert True in holds_zero
    assert holds_zero == sorted(holds_zero)
    last = found.strongest(len(found.effects))[-1]
    assert last.interval().endswith("(not significant)")


def planted_pairs() -> list[PromptPair]:
    """The prompt ends with a token that stood before; what followed it then is the answer."""
    before = list(range(1, 19))
    return [
        PromptPair(
            prompt=letters([*before, place]),
            counterfactual=letters([*before, place + 6]),
            target=letters([place + 1]),
            foil=letters([place + 7]),
        )
        for place in range(2, 8)
    ]


def test_without_noise_the_induction_head_alone_restores_the_answer_and_all_others_nothing():
    """The heads that were not written have no weights; the head below it reads the same tokens in both runs."""
    found = patch_effects(attention_model(noise=0.0), letter_tokenizer(TOKENS), planted_pairs(), site="attention.heads")
    effects = {(each.block, each.head, each.position): each.effect for each in found.effects}
    best = effects.pop((1, 0, -1))
    assert best > 0.9
    assert max(map(abs, effects.values())) < 1e-4
    assert found.both == found.pairs == 6
    assert found.does_task


def test_the_last_residual_stream_restores_everything_and_earlier_positions_nothing():
    found = patch_effects(attention_model(noise=0.0), letter_tokenizer(TOKENS), planted_pairs(), site="residual_in")
    effects = {(each.block, each.position): each.effect for each in found.effects}
    assert effects[0, -1] == pytest.approx(1.0, abs=1e-4)
    assert effects[1, -1] == pytest.approx(1.0, abs=1e-4)
    assert max(abs(effect) for (_, position), effect in effects.items() if position != -1) < 1e-4


def test_swapping_prompt_and_counterfactual_mirrors_the_task_and_keeps_full_effects():
    pairs = planted_pairs()
    mirrored = [
        PromptPair(prompt=each.counterfactual, counterfactual=each.prompt, target=each.foil, foil=each.target)
        for each in pairs
    ]
    model, tokenizer = attention_model(), letter_tokenizer(TOKENS)
    one, other = (patch_effects(model, tokenizer, each) for each in (pairs, mirrored))
    assert one.clean == pytest.approx(-other.counterfactual, abs=1e-5)
    assert one.counterfactual == pytest.approx(-other.clean, abs=1e-5)
    ends = [next(each for each in found.effects if (each.block, each.position) == (0, -1)) for found in (one, other)]
    assert [each.effect for each in ends] == pytest.approx([1.0, 1.0], abs=1e-4)


@pytest.mark.parametrize("site", ["residual_in", "attention.heads", "attention.output", "mlp.output"])
def test_every_site_has_an_effect_for_each_place_and_is_tabulated(site):
    model = tiny_model("Llama")
    found = patch_effects(model, letter_tokenizer(), [pair()], site=site)
    heads = 2 if site == "attention.heads" else 1
    assert len(found.effects) == 2 * heads * 9
    frame = found.to_frame()
    assert list(frame["effect"]) == [each.effect for each in found.effects]
    assert set(frame["position"]) == set(range(-9, 0))
    assert frame["significant"].isna().all()  # one pair has no interval
    assert json.loads(json.dumps(found.to_dict()))["site"] == site


def test_pairs_of_different_lengths_are_aligned_at_their_ends():
    model = tiny_model("GPT2")
    short = pair(CLEAN[:5], COUNTER[:5])
    found = patch_effects(model, letter_tokenizer(), [pair(), short])
    assert {each.position for each in found.effects} == set(range(-5, 0))
    (alone,) = (patch_effects(model, letter_tokenizer(), [each]) for each in [short])
    assert {each.position for each in alone.effects} == set(range(-5, 0))


@pytest.mark.parametrize("method", ["activation", "attribution"])
def test_patching_leaves_no_hook_and_no_gradient(method):
    model = tiny_model("GPT2")
    patch_effects(model, letter_tokenizer(), [pair()], site="attention.heads", method=method)
    assert not [hook for module in model.modules() for hook in (*module._forward_hooks, *module._forward_pre_hooks)]
    assert all(weight.grad is None for weight in model.parameters())


def test_a_prompt_beyond_the_context_is_refused():
    long = torch.randint(1, 300, (97,), generator=torch.Generator().manual_seed(0))
    with pytest.raises(TooLongError, match="reads at most 96"):
        patch_effects(tiny_model("GPT2"), letter_tokenizer(), [pair(long, long.flip(0))])
    with pytest.raises(DataError, match="no pair of prompts"):
        patch_effects(tiny_model("GPT2"), letter_tokenizer(), [])
