from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from small_models import CONTEXT, gpt2, llama

from shoal.errors import DataError, TooLongError, UsageError
from shoal.training import PackedDocuments, Portion, TrainSettings, pretrain_documents, tokens_in_memory
from shoal.training.filling import fill_bins


def _file(lengths, *, first=0, vocabulary=2**15):
    """Documents whose ids tell them apart: all ids of a document are its number."""
    return tokens_in_memory([[first + place] * size for place, size in enumerate(lengths)], vocabulary=vocabulary)


def _story_lengths(count, seed=0):
    return np.clip(np.random.default_rng(seed).lognormal(5.2, 0.4, count), 20, 900).astype(int).tolist()


def _names(source):
    return [int(document.ids[0]) for step in range(source.steps) for document in source.batch(step).documents]


def test_every_document_is_seen_once_a_pass_in_an_order_of_its_own():
    source = PackedDocuments(
        [Portion(file=_file([7, 3, 9, 4, 5]))], TrainSettings(epochs=3, batch_tokens=12, seed=1), context=20
    )
    assert Counter(_names(source)) == dict.fromkeys(range(5), 3)
    assert source.tokens == 3 * (28 - 5)
    assert _names(source) == _names(source)
    for step in range(source.steps):
        assert source.batch(step).targets <= 12


def test_the_order_is_given_by_the_seed_and_a_step_by_its_number():
    file = _file(_story_lengths(60))

    def told(seed, steps):
        source = PackedDocuments(
            [Portion(file=file)], TrainSettings(epochs=2, batch_tokens=2048, seed=seed), context=512
        )
        return [tuple(document.ids.tolist()) for step in steps for document in source.batch(step).documents]

    assert told(0, (4, 1)) == told(0, (4, 1)) != told(1, (4, 1))
    assert told(0, (1,)) == told(0, (4, 1))[-len(told(0, (1,))) :]


@pytest.mark.parametrize("batch_tokens", [2048, 8192])
def test_steps_are_full_to_more_than_98_percent(batch_tokens):
    settings = TrainSettings(epochs=2, batch_tokens=batch_tokens)
    source = PackedDocuments([Portion(file=_file(_story_lengths(4000)))], settings, context=512)
    assert source.efficiency > 0.99
    filled = [source.batch(step).targets for step in range(source.steps)]
    assert sum(filled) == source.tokens
    assert max(filled) <= batch_tokens


def test_bins_are_fair_samples_of_the_lengths():
    sizes = _story_lengths(4000)
    bins = list(fill_bins(enumerate(sizes), 4096))
    means = np.array([np.mean([sizes[name] for name in chosen]) for chosen in bins])
    first, last = means[: len(means) // 2].mean(), means[len(means) // 2 : -1].mean()
    assert sorted(name for chosen in bins for name in chosen) == list(range(4000))
    assert abs(first / last - 1) < 0.03


def test_files_are_mixed_evenly_by_their_passes():
    files = _file([11] * 300), _file([11] * 100, first=1000)
    source = PackedDocuments(
        [Portion(file=files[0]), Portion(file=files[1], passes=2.5)],
        TrainSettings(epochs=1, batch_tokens=100),
        context=20,
    )
    names = np.array(_names(source))
    assert Counter(names[names >= 1000].tolist()).most_common()[0][1] == 3
    assert len(names) == 300 + 250
    halves = np.array_split(names >= 1000, 2)
    assert abs(halves[0].mean() - halves[1].mean()) < 0.05


def test_a_document_beyond_the_context_is_predicted_piece_by_piece():
    file = tokens_in_memory([list(range(25)), [7]], vocabulary=30)
    source = PackedDocuments([Portion(file=file)], TrainSettings(epochs=1, batch_tokens=10), context=10)
    documents = [document for step in range(source.steps) for document in source.batch(step).documents]
    assert sorted(int(token) for document in documents for token in document.ids[document.boundary :]) == list(
        range(1, 25)
    )
    assert sorted(len(document.ids) for document in documents) == [5, 11, 11]


def test_a_batch_names_its_documents():
    source = PackedDocuments(
        [Portion(file=_file([5, 5], first=3), name="tales")], TrainSettings(epochs=1, batch_tokens=8), context=9
    )
    assert sorted(source.batch(0).name.split(", ")) == ["tales 0", "tales 1"]


def test_pretraining_on_documents_learns_them():
    file = tokens_in_memory([np.arange(start, start + 40) % 17 for start in range(30)], vocabulary=20)
    settings = TrainSettings(learning_rate=1e-2, epochs=12, batch_tokens=120, precision="float32", schedule="wsd")
    for make in (llama, gpt2):
        result = pretrain_documents(make(), [Portion(file=file)], settings)
        assert result.curve[-1].loss < 0.5 < 2 < result.curve[0].loss


def test_unusable_portions_are_refused():
    settings = TrainSettings(epochs=1)
    with pytest.raises(DataError, match="at least one token file"):
        pretrain_documents(llama(), [], settings)
    with pytest.raises(DataError, match="tales is of a vocabulary of 500; the model has 260"):
        pretrain_documents(llama(), [Portion(file=_file([5], vocabulary=500), name="tales")], settings)
    with pytest.raises(UsageError, match="tales: passes = 0"):
        pretrain_documents(llama(), [Portion(file=_file([5], vocabulary=9), passes=0, name="tales")], settings)
    with pytest.raises(DataError, match="single token"):
        pretrain_documents(llama(), [Portion(file=_file([1, 1], vocabulary=9))], settings)
    with pytest.raises(TooLongError, match=f"model's context is {CONTEXT}"):
        pretrain_documents(llama(), [Portion(file=_file([5], vocabulary=9))], settings, context=CONTEXT + 1)
