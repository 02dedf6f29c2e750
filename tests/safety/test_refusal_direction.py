"""The refusal direction: what ablating and adding it do, how the block is chosen, and what is refused then."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from shoal.errors import DataError, UsageError
from shoal.insight import capture
from shoal.models import LoadedModel, hooks_present
from shoal.reports import refusal_direction_page
from shoal.safety.tuning import (
    CONDITIONS,
    ChatFormat,
    DirectionEffects,
    InstructionPair,
    SafetyRequest,
    direction_ablated,
    direction_added,
    find_direction,
    measure_direction,
    split_prompts,
)
from shoal.safety.tuning.measuring import MeasuredAnswer, answer_requests
from shoal.training import TrainSettings, load_adapters, merge_adapters, save_adapters, train
from tiny_models import byte_tokenizer

REQUESTS = [
    SafetyRequest(prompt=f"{word}{place}", harmful=harmful, type="t")
    for harmful, word in ((True, "xxxxxxxx"), (False, "oooooooo"))
    for place in range(10)
]


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    """A model whose mechanism is known: block 0 writes the share of x onto axis 2, and S follows in place of F."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=260, hidden_size=8, intermediate_size=8, num_hidden_layers=4, num_attention_heads=1,
        max_position_embeddings=64, tie_word_embeddings=False, bos_token_id=None, eos_token_id=256, pad_token_id=257,
    )  # fmt: skip
    live, tokenizer = LlamaForCausalLM(config).eval(), byte_tokenizer()
    x, s, f = (tokenizer(letter)["input_ids"][0] for letter in "xSF")
    with torch.no_grad():
        for name, weight in live.named_parameters():
            weight.fill_(1.0 if "norm" in name else 0.0)
        live.model.embed_tokens.weight[:, 1] = 1
        live.model.embed_tokens.weight[x, 0] = 1
        # Queries and keys of 0 attend evenly to all that was read.
        live.model.layers[0].self_attn.v_proj.weight[0, 0] = 1
        live.model.layers[0].self_attn.o_proj.weight[2, 0] = 10
        live.lm_head.weight[s, 2] = 3
        live.lm_head.weight[f, 1] = 3
    return LoadedModel(spec="planted", model=live, tokenizer=tokenizer, digest="0", parameters=0, origin="test")


@pytest.fixture(scope="module")
def effects(model: LoadedModel) -> DirectionEffects:
    chat = ChatFormat(tokenizer=model.tokenizer, layout="plain")
    held_out = [chat.example(InstructionPair(instruction=f"oo{place}", answer="FF")) for place in range(3)]
    return measure_direction(model, chat, split_prompts(REQUESTS, tune=3, test=4), held_out=held_out, max_tokens=4)


def test_a_prompt_that_comes_twice_is_in_one_part_alone() -> None:
    parts = split_prompts([*REQUESTS, *REQUESTS], tune=3, test=4)
    prompts = [one.prompt for part in (parts.fit, parts.tune, parts.test) for one in part]
    assert sorted(prompts) == sorted(one.prompt for one in REQUESTS)


def test_ablated_nothing_is_left_along_the_direction_and_the_model_is_as_before(model: LoadedModel) -> None:
    direction = torch.randn(8, generator=torch.Generator().manual_seed(1))
    ids = torch.tensor([[72, 101, 108]])
    before = model.model(input_ids=ids).logits
    with direction_ablated(model.model, direction), capture(model.model, ["blocks.*.residual_out"]) as cache:
        model.model(input_ids=ids)
        along = [float((value @ direction).abs().max()) for value in cache.values()]
    assert max(along) < 1e-4
    assert torch.equal(model.model(input_ids=ids).logits, before)
    assert not any(map(hooks_present, model.model.modules()))


def test_added_a_block_reads_the_stream_with_the_direction_on_it(model: LoadedModel) -> None:
    direction, ids = torch.ones(8), torch.tensor([[72, 101, 108]])
    with capture(model.model, ["blocks.1.residual_in"]) as cache:
        model.model(input_ids=ids)
        before = cache["blocks.1.residual_in"].clone()
    with direction_added(model.model, direction, 1), capture(model.model, ["blocks.1.residual_in"]) as cache:
        model.model(input_ids=ids)
        after = cache["blocks.1.residual_in"]
    torch.testing.assert_close(after - before, torch.ones_like(before))


def answers_of(effects: DirectionEffects, condition: str, *, harmful: bool) -> set[str]:
    return {one.completion.lstrip()[:1] for one in effects.answers[condition] if one.harmful == harmful}


def test_the_planted_axis_is_found_and_ablated_and_added_on_other_prompts(effects: DirectionEffects) -> None:
    found = effects.direction.difference_D
    assert float(found[2] / found.norm()) == pytest.approx(1, abs=1e-4)
    assert answers_of(effects, "as it is", harmful=True) == answers_of(effects, "added", harmful=False) == {"S"}
    assert answers_of(effects, "as it is", harmful=False) == answers_of(effects, "ablated", harmful=True) == {"F"}


def test_blocks_are_judged_by_the_odds_of_a_refusals_first_letter(effects: DirectionEffects) -> None:
    direction = effects.direction
    assert [one.block for one in direction.candidates] == [1, 2]  # 80% of four blocks, the first left out
    for one in direction.candidates:
        assert one.ablated_log_odds < direction.harmful_log_odds - 3
        assert one.added_log_odds > direction.harmless_log_odds + 3
        assert one.divergence < 0.01
    assert direction.within_divergence


def test_the_parts_share_no_prompt_and_the_effects_are_reported_on_the_test_part(effects: DirectionEffects) -> None:
    parts = [{one.prompt for one in part} for part in (effects.parts.fit, effects.parts.tune, effects.parts.test)]
    assert sum(map(len, parts)) == len(set().union(*parts)) == 20
    assert {one.prompt for one in effects.answers["ablated"]} == parts[2]
    costs = {one.condition: one for one in effects.costs}
    assert costs["ablated"].change.value == pytest.approx(0, abs=1e-4)  # harmless text has nothing on the axis
    assert costs["added"].change.value > 1
    assert costs["as it is"].change is None
    assert set(effects.to_dict()["answers"]) == set(CONDITIONS)
    assert "harmful refused" in str(effects)
    assert len(effects.to_frame()) == 6
    page = refusal_direction_page(effects)
    assert "What it costs elsewhere" in page
    assert page.count("(chosen)") == 1


def test_a_corrected_change_is_no_larger_than_all_prompts(model: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def answered(*given: object, **settings: object) -> list[MeasuredAnswer]:
        found = answer_requests(*given, **settings)  # type: ignore[arg-type]
        refused = [one.completion.lstrip().startswith("S") for one in found]
        return [
            replace(one, conduct="refusal" if yes else "compliance", refuses=float(yes))
            for one, yes in zip(found, refused, strict=True)
        ]

    monkeypatch.setattr("shoal.safety.tuning.direction_effects.answer_requests", answered)
    chat = ChatFormat(tokenizer=model.tokenizer, layout="plain")
    found = measure_direction(model, chat, split_prompts(REQUESTS, tune=3, test=4), max_tokens=4)
    for condition, harmful, value in (("ablated", True, -1.0), ("added", False, 1.0)):
        change = found.rate(condition, harmful=harmful).change
        assert change is not None
        assert change.value == value
        # Four prompts that behave alike leave room for others.
        assert {change.low, change.high} > {value}
        assert max(abs(change.low), abs(change.high)) == 1
        assert 0.3 < change.high - change.low < 0.7


def test_a_model_of_one_block_has_no_direction(model: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    chat = ChatFormat(tokenizer=model.tokenizer, layout="plain")
    means = iter([torch.ones(1, 3), torch.zeros(1, 3)])
    monkeypatch.setattr("shoal.safety.tuning.direction.residual_means", lambda *_: next(means))
    with pytest.raises(DataError, match="the model has one block"):
        find_direction(model, chat, REQUESTS, REQUESTS)


def test_too_few_prompts_and_prompts_of_one_kind_are_refused(model: LoadedModel) -> None:
    with pytest.raises(DataError, match="10 harmful prompts, and 14 are needed"):
        split_prompts(REQUESTS, tune=4, test=8)
    chat = ChatFormat(tokenizer=model.tokenizer, layout="plain")
    with pytest.raises(DataError, match="no harmless prompt among 10"):
        find_direction(model, chat, REQUESTS[:10], REQUESTS)


def test_a_model_without_a_chat_template_is_refused_unless_it_is_read_as_plain_text(model: LoadedModel) -> None:
    with pytest.raises(UsageError, match="no chat template"):
        ChatFormat(tokenizer=model.tokenizer)
    assert ChatFormat(tokenizer=model.tokenizer, layout="plain").prompt("Hi") == "Request: Hi\nAnswer:"


def test_adapters_that_were_written_are_read_into_the_model_again(model: LoadedModel, tmp_path: Path) -> None:
    import copy

    tuned, again = copy.deepcopy(model.model), copy.deepcopy(model.model)
    chat = ChatFormat(tokenizer=model.tokenizer, layout="plain")
    rows = [chat.example(InstructionPair(instruction="a", answer="b"))]
    train(tuned, model.tokenizer, rows, TrainSettings(learning_rate=1e-2, epochs=3, lora_rank=1, precision="float32"))
    save_adapters(tuned, tmp_path / "adapters", base="tiny")
    load_adapters(again, tmp_path / "adapters")
    for one in (tuned, again):
        merge_adapters(one)
    ids = torch.tensor([[72, 101, 108]])
    torch.testing.assert_close(again(input_ids=ids).logits, tuned(input_ids=ids).logits)
    assert not torch.equal(tuned(input_ids=ids).logits, model.model(input_ids=ids).logits)
    with pytest.raises(UsageError, match="holds no adapters"):
        load_adapters(again, tmp_path)
