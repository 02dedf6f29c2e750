"""One set of options for every analysis: levels are checked, seeds decide, progress is reported to the end."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
from planted import TOKENS, attention_model, neuron_model

from architectures import letter_tokenizer, letters, tiny_model
from shoal.errors import DataError, UsageError
from shoal.insight import (
    AnalysisOptions,
    NeuronSettings,
    PromptPair,
    ablate,
    count_tokens,
    find_head_types,
    find_selective_neurons,
    inspect_text,
    lens_readings,
    patch_effects,
    read_tokens,
    train_tuned_lens,
)
from shoal.insight.layers import Ranges, Size, compare_attention, layer_table, measure_formats
from shoal.insight.tokens.reading import encode_texts, encode_with_offsets
from shoal.insight.vectors import describe_vectors, embed_words, read_vectors
from shoal.models import LoadedModel
from shoal.tasks import Example

TOKENIZER = letter_tokenizer(TOKENS)
TEXTS = [
    letters(torch.randint(1, TOKENS, (30,), generator=torch.Generator().manual_seed(k)).tolist()) for k in range(12)
]
PAIRS = [
    PromptPair(
        prompt=letters([*range(1, 19), place]),
        counterfactual=letters([*range(1, 19), place + 6]),
        target=letters([place + 1]),
        foil=letters([place + 7]),
    )
    for place in range(2, 8)
]
EXAMPLES = [Example(prompt=letters([1, 2, 3]), completion=letters([4]), ends=False)]
QUICK = 0.2
"""A level that few shuffled models can judge."""

TINY = Ranges(n=(16, 32), long_n=(16, 32), d=(4, 8), k=(3, 5), r=(3, 5), base=Size(n=16, d=4, r=5), repeats=2)


def loaded(model: Any) -> LoadedModel:
    return LoadedModel(spec="planted", model=model, tokenizer=TOKENIZER, digest="", parameters=0, origin="")


ANALYSES: dict[str, Callable[[AnalysisOptions], Any]] = {
    "head types": lambda options: find_head_types(attention_model(), TOKENIZER, TEXTS, options=options),
    "neurons": lambda options: find_selective_neurons(
        neuron_model(range(3, 8)), TOKENIZER, TEXTS, settings=NeuronSettings(count=4), options=options
    ),
    "patching": lambda options: patch_effects(attention_model(), TOKENIZER, PAIRS, options=options),
    "ablation": lambda options: ablate(attention_model(), TOKENIZER, EXAMPLES, options=options),
    "inspection": lambda options: inspect_text(attention_model(), TOKENIZER, TEXTS[0], options=options),
    "tokens": lambda options: count_tokens(TOKENIZER, TEXTS, options=options),
    "vectors": lambda options: describe_vectors(loaded(attention_model()), TEXTS[0], options=options),
    "layers": lambda options: layer_table(TINY, kinds=["convolution"], options=options),
    "attention": lambda options: compare_attention((16, 32), heads=1, width=8, repeats=2, options=options),
    "formats": lambda options: measure_formats(repeats=2, options=options),
    "tuned lens": lambda options: train_tuned_lens(
        tiny_model("GPT2"), letter_tokenizer(), TEXTS, steps=2, options=options
    ),
}


@pytest.mark.parametrize("name", ANALYSES)
def test_progress_goes_up_to_its_total(name: str) -> None:
    calls: list[tuple[str, int, int]] = []
    ANALYSES[name](AnalysisOptions(alpha=QUICK, progress=lambda *call: calls.append(call)))
    assert calls
    for what in dict.fromkeys(call[0] for call in calls):
        done = [call[1:] for call in calls if call[0] == what]
        assert [step for step, _ in done] == sorted(step for step, _ in done)
        assert done[-1][0] == done[-1][1]


@pytest.mark.parametrize("name", ["head types", "neurons", "patching", "ablation", "inspection", "tokens", "vectors"])
def test_equal_seeds_give_equal_results(name: str) -> None:
    one, other = (ANALYSES[name](AnalysisOptions(seed=3, alpha=QUICK)).to_dict() for _ in range(2))
    assert repr(one) == repr(other)


def test_other_seeds_draw_other_null_models_and_tokens() -> None:
    one, other = (ANALYSES["head types"](AnalysisOptions(seed=seed, alpha=0.05)) for seed in (0, 1))
    assert one.heads[1].scores != other.heads[1].scores
    assert one.heads[0].roles == other.heads[0].roles == ("previous token",)


def test_a_wider_confidence_widens_the_intervals() -> None:
    narrow, wide = (ANALYSES["patching"](AnalysisOptions(confidence=level)) for level in (0.8, 0.95))
    for one, other in zip(narrow.effects, wide.effects, strict=True):
        assert other.low <= one.low <= one.high <= other.high
    assert (narrow.confidence, wide.confidence) == (0.8, 0.95)


def test_a_stricter_alpha_needs_more_null_heads_and_finds_no_more() -> None:
    loose, strict = (ANALYSES["head types"](AnalysisOptions(alpha=level)) for level in (0.2, 0.05))
    assert strict.null_heads > loose.null_heads
    assert len(strict.typed) <= len(loose.typed)


@pytest.mark.parametrize(
    ("options", "said"),
    [({"alpha": 0.95}, "alpha is the level"), ({"alpha": 0.0}, "alpha"), ({"confidence": 0.05}, "confidence")],
)
def test_levels_that_cannot_be_are_refused_where_they_are_given(options: dict[str, float], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        AnalysisOptions(**options)


def test_options_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        AnalysisOptions().seed = 3


def narrow_tokenizer(known: str = "ab"):
    """A tokenizer that knows a few letters and would leave out every other without a word."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    vocabulary = {token: place for place, token in enumerate(["<end>", *known])}
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE(vocabulary, [])), eos_token="<end>")


ENTRIES: dict[str, Callable[[Any, Any, str], Any]] = {
    "inspection": inspect_text,
    "head types": lambda model, tokenizer, text: find_head_types(model, tokenizer, [text]),
    "neurons": lambda model, tokenizer, text: find_selective_neurons(model, tokenizer, ["abab", text]),
    "tuned lens": lambda model, tokenizer, text: train_tuned_lens(model, tokenizer, ["abab" * 20, text]),
    "prompts": lambda model, tokenizer, text: patch_effects(
        model, tokenizer, [PromptPair(prompt="ab" + text, counterfactual="ba" + text, target="a", foil="b")]
    ),
    "answers": lambda model, tokenizer, text: patch_effects(
        model, tokenizer, [PromptPair(prompt="ab", counterfactual="ba", target=text, foil="b")]
    ),
    "vectors": lambda model, tokenizer, text: read_vectors(
        LoadedModel(spec="narrow", model=model, tokenizer=tokenizer, digest="", parameters=0, origin=""), text
    ),
    "tokens": lambda _, tokenizer, text: read_tokens(tokenizer, text),
    "counts": lambda _, tokenizer, text: count_tokens(tokenizer, [text]),
    "ids": lambda _, tokenizer, text: encode_texts(tokenizer, [text]),
    "offsets": lambda _, tokenizer, text: encode_with_offsets(tokenizer, [text], documents=True),
}


@pytest.mark.parametrize("name", ENTRIES)
def test_a_character_without_a_token_is_refused_wherever_a_text_is_read(name: str) -> None:
    with pytest.raises(DataError, match="no token for 'c'"):
        ENTRIES[name](tiny_model("GPT2"), narrow_tokenizer(), "abcab")


def test_words_with_such_a_character_have_no_vector_and_others_do() -> None:
    words = LoadedModel(
        spec="narrow", model=tiny_model("GPT2"), tokenizer=narrow_tokenizer("ab "), digest="", parameters=0, origin=""
    )
    assert embed_words(words, ["ab", "abc", "b"]).words == ("ab", "b")
    with pytest.raises(DataError, match="can write none of the 2 words"):
        embed_words(words, ["c", "abc"])


def test_texts_are_encoded_alike_and_cut_where_they_must_be() -> None:
    assert encode_texts(TOKENIZER, [letters([1, 2, 3]), "", letters([4])], max_tokens=2) == [[1, 2], [], [4]]
    assert encode_texts(TOKENIZER, []) == []
    batch = encode_with_offsets(TOKENIZER, [letters([1, 2])])
    assert batch["offset_mapping"] == [[(0, 1), (1, 2)]]


def test_a_lens_reads_what_the_encoder_gives() -> None:
    (ids,) = encode_texts(TOKENIZER, [TEXTS[0]])
    assert len(lens_readings(attention_model(), torch.tensor(ids))[0].top_ids) == len(ids)
