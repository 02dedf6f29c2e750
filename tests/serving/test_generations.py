"""A text depends on its prompt and the settings alone."""

from __future__ import annotations

import random

import pytest
import torch

from chat_models import chat_model
from shoal.errors import DataError, ModelError, TooLongError, UsageError
from shoal.models import LoadedModel, save_model
from shoal.models.generation import TokenSampling
from shoal.serving import GenerationEngine, GenerationSettings, generate, load_for_generation, make_generation_model
from tiny_models import alternating_llama, byte_tokenizer

PROMPTS = ["a", "Once upon a time", "hello there", "1 2 3 4 5 6", "zzz"]
GREEDY = GenerationSettings(max_tokens=12)
SAMPLED = GenerationSettings(max_tokens=12, sampling=TokenSampling(temperature=0.9, top_p=0.9, seed=7), logprobs=2)


@pytest.mark.parametrize("settings", [GREEDY, SAMPLED])
def test_a_text_is_the_same_alone_in_a_batch_and_in_another_order(live, settings):
    alone = [generate(live, [prompt], settings).texts[0] for prompt in PROMPTS]
    assert len({text.ids for text in alone}) == len(PROMPTS)
    # Equal to the last bit: records hold log-probabilities.
    assert list(generate(live, PROMPTS, settings).texts) == alone
    assert list(generate(live, PROMPTS[::-1], settings).texts) == alone[::-1]


def test_a_text_is_the_same_when_others_come_and_go(live):
    wanted = {prompt: generate(live, [prompt], SAMPLED).texts[0] for prompt in PROMPTS}
    drawn, engine = random.Random(1), GenerationEngine(live.decoder)
    waiting, running = PROMPTS * 3, []
    drawn.shuffle(waiting)
    while waiting or not engine.idle:
        if waiting and drawn.random() < 0.4:
            prompt = waiting.pop()
            running.append((prompt, live.start(live.encode(prompt), SAMPLED)))
            engine.submit(running[-1][1])
            # Some callers go away in the middle.
            if drawn.random() < 0.3:
                running.pop()[1].cancelled = True
        engine.step()
    assert len(running) > 5
    assert [generation.result for _, generation in running] == [wanted[prompt] for prompt, _ in running]


def test_greedy_text_is_that_of_transformers(live):
    ids = live.encode(PROMPTS[1])
    found = generate(live, [PROMPTS[1]], GREEDY).texts[0]
    other = live.loaded.model.generate(
        torch.tensor([ids]), max_new_tokens=12, do_sample=False, eos_token_id=sorted(live.end_ids), pad_token_id=257
    )
    assert list(found.ids) == other[0, len(ids) :].tolist()
    assert found.text == live.tokenizer.decode(found.ids, skip_special_tokens=True)


@pytest.mark.parametrize("prompt", ["a\ud800", [{"role": "user", "content": "a\udcff"}]])
def test_half_of_a_surrogate_pair_is_refused_before_any_text(live, prompt):
    """JSON can write one, and a shell gives one for a byte that is no text; no tokenizer reads it."""
    said = []
    with pytest.raises(DataError, match=r"character 2 is half of a surrogate pair"):
        generate(live, ["b", prompt], GREEDY, on_piece=said.append)
    assert said == []


def test_a_model_that_keeps_states_and_no_keys_generates(tmp_path):
    from architectures import tiny_model

    model, tokenizer = tiny_model("Mamba", vocab_size=260), byte_tokenizer()
    model.config.update({"eos_token_id": 256, "bos_token_id": None, "pad_token_id": 257})
    save_model(model, tokenizer, tmp_path / "mamba")
    (found,) = generate(str(tmp_path / "mamba"), ["abc"], GenerationSettings(max_tokens=6)).texts
    ids = torch.tensor([tokenizer("abc")["input_ids"]])
    with torch.inference_mode():
        other = model.generate(ids, max_new_tokens=6, do_sample=False, eos_token_id=256, pad_token_id=257)
    assert list(found.ids) == other[0, 3:].tolist()


@pytest.mark.parametrize("context", [0, -1])
def test_a_context_of_nothing_is_refused(chat_folder, context):
    """It was read as no limit at all."""
    with pytest.raises(UsageError, match=f"the context is {context}; give a number of tokens of at least 1"):
        load_for_generation(str(chat_folder), context=context)


def test_samples_of_a_prompt_differ_and_can_be_had_again(live):
    first, second = (generate(live, PROMPTS[:2], SAMPLED, samples=3) for _ in "12")
    assert first.texts == second.texts
    assert len({text.ids for text in first.texts}) == 6
    assert [record["sample"] for record in first.records()] == [0, 1, 2] * 2


def test_a_stop_string_ends_the_text_before_it(live):
    whole = generate(live, ["a"], GREEDY).texts[0]
    stop = whole.text[3:5]
    cut = generate(live, ["a"], GenerationSettings(max_tokens=12, stop=(stop,))).texts[0]
    assert cut.text == whole.text[: whole.text.index(stop)]
    assert (cut.finish_reason, cut.stop) == ("stop", stop)
    assert whole.finish_reason == "length"


def test_an_end_token_ends_the_text(live):
    ids = generate(live, ["a"], GREEDY).texts[0].ids
    ending = live.start(live.encode("a"), GREEDY)
    ending._end_ids = frozenset([ids[4]])
    engine = GenerationEngine(live.decoder)
    engine.submit(ending)
    while not engine.idle:
        engine.step()
    assert ending.result.ids == ids[: ids.index(ids[4]) + 1]
    assert ending.result.finish_reason == "stop"


def test_log_probabilities_are_those_of_the_model(live):
    settings = GenerationSettings(max_tokens=3, logprobs=3, echo=True)
    found = generate(live, ["hello"], settings).texts[0]
    ids = [*live.encode("hello"), *found.ids]
    with torch.inference_mode():
        wanted = live.loaded.model(torch.tensor([ids])).logits[0].double().log_softmax(-1)
    first, *rest = [*found.prompt_logprobs, *found.logprobs]
    assert first.logprob is None
    for place, token in enumerate(rest):
        assert token.id == ids[place + 1]
        assert token.logprob == pytest.approx(float(wanted[place, token.id]), abs=1e-5)
        assert [id_ for id_, _, _ in token.top] == wanted[place].topk(3).indices.tolist()
        assert token.top[0][2] == pytest.approx(float(wanted[place].max()), abs=1e-5)


def test_every_setting_is_in_the_record(live):
    record = generate(live, ["a"], SAMPLED).records()[0]
    assert record["settings"] == SAMPLED.to_dict()
    assert record["settings"]["sampling"] == {"temperature": 0.9, "top_p": 0.9, "top_k": None, "seed": 7}
    assert {"model", "digest", "dtype", "device"} <= set(record)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: GenerationSettings(max_tokens=-1), UsageError, "maximum of tokens is -1"),
        (lambda: GenerationSettings(logprobs=21), UsageError, "from 0 to 20"),
        (lambda: GenerationSettings(stop=("",)), UsageError, "stop string is empty"),
        (lambda: TokenSampling(temperature=-1), UsageError, "temperature"),
        (lambda: TokenSampling(temperature=float("nan")), UsageError, "temperature"),
        (lambda: TokenSampling(top_p=0), UsageError, "top_p"),
        (lambda: TokenSampling(top_k=0), UsageError, "top_k"),
        (lambda: TokenSampling(seed=-1), UsageError, "seed"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_prompts_that_cannot_be_used_are_refused(live):
    for prompts, error, message in (
        ([], UsageError, "no prompts"),
        ([""], DataError, "no tokens"),
        (["a" * 96], TooLongError, "the context is of 96"),
    ):
        with pytest.raises(error, match=message):
            generate(live, prompts, GREEDY)
    assert generate(live, ["a"], GREEDY).texts


def test_logits_that_are_no_numbers_end_one_text_alone(live):
    from shoal.models import LoadedModel
    from shoal.serving import make_generation_model

    broken = chat_model(seed=1)
    with torch.no_grad():
        broken.get_input_embeddings().weight[ord("x")] = torch.nan
    loaded = live.loaded
    other = make_generation_model(
        LoadedModel(spec="broken", model=broken, tokenizer=loaded.tokenizer, digest="0", parameters=1, origin="a test"),
        rows=2,
    )
    engine = GenerationEngine(other.decoder)
    # The byte tokenizer orders its alphabet, so that the id is looked up.
    bad = other.start([ord("x")], GREEDY)
    good = other.start([5, 6], GREEDY)
    for generation in (bad, good):
        engine.submit(generation)
    while not engine.idle:
        engine.step()
    assert isinstance(bad.error, ModelError)
    assert good.result is not None


def test_a_stop_string_that_is_a_control_token_ends_the_text():
    model, tokenizer = alternating_llama()
    loaded = LoadedModel(spec="m", model=model, tokenizer=tokenizer, digest="0", parameters=0, origin="t")
    live = make_generation_model(loaded, rows=1)
    (whole,) = generate(live, ["a"], GenerationSettings(max_tokens=4)).texts
    (cut,) = generate(live, ["a"], GenerationSettings(max_tokens=4, stop=("<pad>",))).texts
    assert (whole.text, whole.finish_reason) == ("bb", "length")
    assert (cut.text, cut.finish_reason, cut.stop, len(cut.ids)) == ("", "stop", "<pad>", 1)
