"""Scores of head types on heads written by hand, and the rows on which they are computed."""

from __future__ import annotations

import pytest
import torch
from planted import TOKENS, attention_model, single_head_model

from architectures import letter_tokenizer, letters, tiny_model
from shoal.errors import DataError, ModelError
from shoal.insight import HEAD_TYPES, AnalysisOptions, capture, find_head_types, find_parts, head_type_scores
from shoal.insight.head_scores import null_scores, related_keys, repeated_tokens, scored_rows, text_rows
from shoal.models import load_model, load_tokenizer


@pytest.fixture(scope="module")
def rows() -> torch.Tensor:
    """Random tokens, repeated once, for the planted models."""
    return repeated_tokens(find_parts(attention_model()), seed=3)


@pytest.mark.parametrize("kind", ["previous token", "same token", "first token"])
def test_a_head_that_is_nothing_else_has_the_score_1(rows: torch.Tensor, kind: str) -> None:
    scores = head_type_scores(single_head_model(kind), rows, [rows.shape[1]] * len(rows))[0, 0]
    assert float(scores[HEAD_TYPES.index(kind)]) > 0.98
    others = [float(score) for name, score in zip(HEAD_TYPES, scores, strict=True) if name != kind]
    assert max(others) < 0.1


def test_a_head_that_looks_at_equal_tokens_shares_itself_between_two_types(rows: torch.Tensor) -> None:
    scores = head_type_scores(single_head_model("duplicate token"), rows, [rows.shape[1]] * len(rows))[0, 0]
    by_type = dict(zip(HEAD_TYPES, scores.tolist(), strict=True))
    # In the second half the token stands twice, and in the first once: then only itself is equal.
    assert by_type["duplicate token"] == pytest.approx(0.5, abs=0.02)
    assert by_type["same token"] > 0.7


def test_a_head_that_attends_evenly_has_the_scores_of_chance(rows: torch.Tensor) -> None:
    length = rows.shape[1]
    scores = dict(
        zip(
            HEAD_TYPES,
            head_type_scores(single_head_model("same token"), rows, [length] * len(rows))[0, 1].tolist(),
            strict=True,
        )
    )
    evenly = sum(1 / (query + 1) for query in range(2, length)) / (length - 2)
    for name in ("previous token", "first token", "same token"):
        assert scores[name] == pytest.approx(evenly, abs=1e-3)


def test_induction_is_scored_where_it_was_planted_and_nowhere_else(rows: torch.Tensor) -> None:
    scores = head_type_scores(attention_model(), rows, [rows.shape[1]] * len(rows))
    induction = scores[..., HEAD_TYPES.index("induction")]
    assert induction.argmax() == 2
    assert induction.flatten().sort().values[-2] < 0.2 < 0.8 < induction.max()


@pytest.mark.parametrize("architecture", ["GPT2", "GPTNeo", "Llama", "Gemma2"])
def test_scores_are_sums_of_the_weights_on_related_keys(architecture: str) -> None:
    model = tiny_model(architecture)
    row = torch.randint(1, 6, (1, 30), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode(), capture(model, ["blocks.*.attention.weights"]) as cache:
        model(row, use_cache=False)
    related = related_keys(row, [30])[0].float()
    found = head_type_scores(model, row, [30])
    for block, weights in enumerate(cache.values()):
        mass = torch.einsum("hqk,rqk->hr", weights[0], related)
        torch.testing.assert_close(found[block], mass / related.any(-1).sum(-1), atol=1e-5, rtol=1e-4)


def test_padding_and_batches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model("GPT2")
    ids = torch.randint(1, 300, (5, 20), generator=torch.Generator().manual_seed(1))
    lengths = [20, 7, 20, 13, 4]
    together = head_type_scores(model, ids, lengths)
    monkeypatch.setattr("shoal.insight.head_scores._BATCH_TOKENS", 20)
    torch.testing.assert_close(head_type_scores(model, ids, lengths), together, atol=1e-5, rtol=1e-4, equal_nan=True)
    other = ids.clone()
    for row, length in enumerate(lengths):
        other[row, length:] = 9
    torch.testing.assert_close(head_type_scores(model, other, lengths), together, atol=1e-5, rtol=1e-4, equal_nan=True)


def test_a_type_that_no_query_could_show_is_not_a_number() -> None:
    scores = head_type_scores(tiny_model("GPT2"), torch.arange(1, 11)[None], [10])
    by_type = dict(zip(HEAD_TYPES, scores[0, 0].tolist(), strict=True))
    assert by_type["induction"] != by_type["induction"]
    assert by_type["duplicate token"] != by_type["duplicate token"]
    assert by_type["previous token"] == by_type["previous token"]


def test_repeated_rows_are_random_tokens_said_twice_without_special_ones() -> None:
    tokenizer = letter_tokenizer(TOKENS)
    found = repeated_tokens(find_parts(attention_model()), tokenizer, rows=4, seed=0)
    assert found.shape[0] == 4
    half = found.shape[1] // 2
    assert torch.equal(found[:, :half], found[:, half:])
    assert 0 not in found
    assert not torch.equal(found[0], found[1])
    assert torch.equal(found, repeated_tokens(find_parts(attention_model()), tokenizer, rows=4, seed=0))
    assert not torch.equal(found, repeated_tokens(find_parts(attention_model()), tokenizer, rows=4, seed=1))


def test_the_beginning_token_of_a_tokenizer_stands_before_both_halves(data_folder) -> None:
    folder = data_folder / "stories260K"
    spec = f"{folder}/stories260K.bin?tokenizer={folder}/tok512.model"
    tokenizer, loaded = load_tokenizer(spec), load_model(spec)
    found = repeated_tokens(find_parts(loaded.model), tokenizer, rows=2)
    assert found[:, 0].tolist() == [tokenizer.bos_token_id] * 2
    half = found.shape[1] // 2
    assert torch.equal(found[:, 1 : 1 + half], found[:, 1 + half :])


def test_a_context_too_short_to_repeat_anything_is_refused() -> None:
    model = tiny_model("GPT2")
    model.config.max_position_embeddings = 8
    with pytest.raises(ModelError, match="too few to see what a head does"):
        repeated_tokens(find_parts(model))


def test_texts_are_rows_of_their_beginnings_padded_to_one_length() -> None:
    parts, tokenizer = find_parts(tiny_model("GPT2")), letter_tokenizer()
    texts = [letters(range(1, 6)), letters([7, 8]), "", letters(range(1, 150)), letters([3, 4, 5])]
    ids, lengths = text_rows(parts, tokenizer, texts)
    assert lengths == [5, 96, 3]  # texts of two tokens show no type, and the context is 96
    assert ids.shape == (3, 96)
    assert ids[0, :6].tolist() == [1, 2, 3, 4, 5, 5]
    assert text_rows(parts, tokenizer, [])[1] == []


def test_random_tokens_come_first_and_texts_only_where_there_are_any() -> None:
    parts, tokenizer = find_parts(tiny_model("GPT2")), letter_tokenizer()
    assert len(scored_rows(parts, None, [], 0)) == 1
    assert len(scored_rows(parts, tokenizer, ["一"], 0)) == 1
    random, text = scored_rows(parts, tokenizer, [letters([5, 6, 7, 8])], 0)
    assert set(random[1]) == {random[0].shape[1]}
    assert text[1] == [4]


def test_a_text_with_a_character_without_a_token_is_refused() -> None:
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    narrow = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE({"a": 0, "b": 1}, [])), eos_token="a")
    with pytest.raises(DataError, match="no token for 'c'"):
        find_head_types(tiny_model("GPT2"), narrow, ["abcab"])


def test_null_scores_are_of_as_many_heads_as_are_needed_and_leave_the_model_alone() -> None:
    model = tiny_model("GPT2")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    calls: list[tuple[str, int, int]] = []
    options = AnalysisOptions(progress=lambda *call: calls.append(call))
    ids = torch.randint(1, 300, (2, 20), generator=torch.Generator().manual_seed(0))
    found = null_scores(
        find_parts(model), lambda each: head_type_scores(each, ids, [20, 20]), heads=21, options=options
    )
    assert found.shape == (24, len(HEAD_TYPES))
    assert calls[-1] == ("shuffled models", 6, 6)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert len(found[:, 0].unique()) == 24
