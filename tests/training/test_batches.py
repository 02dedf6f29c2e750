from __future__ import annotations

import numpy as np
import pytest
from small_models import llama

from shoal.errors import DataError, TooLongError, UsageError
from shoal.text.encoding import EncodedPair
from shoal.training import TrainSettings, pretrain
from shoal.training.batches import PackedExamples, TokenWindows


def _pairs(lengths):
    return [EncodedPair(ids=tuple(range(place, place + length)), boundary=1) for place, length in enumerate(lengths)]


def test_each_epoch_has_every_example_once_in_an_order_of_its_own():
    lengths = [3, 9, 4, 7, 5]
    source = PackedExamples(_pairs(lengths), TrainSettings(epochs=2.4, batch_tokens=12, seed=3), context=20)
    batches = [source.batch(step) for step in range(source.steps)]
    seen = [int(document.ids[0]) for batch in batches for document in batch.documents]
    assert len(seen) == 12
    assert sorted(seen[:5]) == sorted(seen[5:10]) == list(range(5))
    assert seen[:5] != seen[5:10]
    for batch in batches:
        assert sum(len(document.ids) for document in batch.documents) <= 12
    again = [int(document.ids[0]) for step in range(source.steps) for document in source.batch(step).documents]
    assert again == seen


def test_an_example_longer_than_a_step_has_a_step_of_its_own():
    source = PackedExamples(_pairs([3, 30, 3]), TrainSettings(epochs=1, batch_tokens=8), context=40)
    sizes = sorted(sum(len(document.ids) for document in source.batch(step).documents) for step in range(source.steps))
    assert sizes[-1] == 30


def test_sequential_windows_cover_the_stream_and_begin_again():
    tokens = np.arange(21, dtype=np.uint16)
    source = TokenWindows(tokens, TrainSettings(epochs=2, batch_tokens=8), context=4, order="sequential")
    starts = [int(doc.ids[0]) for step in range(source.steps) for doc in source.batch(step).documents]
    assert starts[:6] == [0, 4, 8, 12, 16, 0]
    assert all(len(doc.ids) == 5 and doc.boundary == 1 for doc in source.batch(0).documents)


def test_random_windows_depend_on_seed_and_step_alone():
    tokens = np.arange(1000)

    def starts(seed):
        source = TokenWindows(tokens, TrainSettings(epochs=1, batch_tokens=64, seed=seed), context=16, order="random")
        return [int(doc.ids[0]) for step in (5, 2) for doc in source.batch(step).documents]

    assert starts(0) == starts(0) != starts(1)
    assert len(set(starts(0))) > 4


def test_pretraining_learns_a_stream(tmp_path):
    path = tmp_path / "tokens.npy"
    np.save(path, np.tile(np.arange(17, dtype=np.uint16), 200))
    tokens = np.load(path, mmap_mode="r")
    settings = TrainSettings(learning_rate=1e-2, epochs=1.5, batch_tokens=96, precision="float32")
    result = pretrain(llama(), tokens, settings, context=24)
    assert result.curve[-1].loss < 0.5 < 2 < result.curve[0].loss
    assert result.curve[-1].tokens == result.steps * 96


def test_unusable_streams_are_refused():
    settings = TrainSettings(epochs=1)
    with pytest.raises(DataError, match="10 tokens; a window of context 16 needs 17"):
        pretrain(llama(), np.arange(10), settings, context=16)
    with pytest.raises(DataError, match="ids from 0 to 499; the model knows 0 to 259"):
        pretrain(llama(), np.arange(500), settings, context=16)
    with pytest.raises(DataError, match="one row of integers"):
        pretrain(llama(), np.zeros((5, 5)), settings, context=2)
    with pytest.raises(TooLongError, match="model's context is 400"):
        pretrain(llama(), np.zeros(5000, dtype=np.int64), settings, context=500)


def test_more_passes_than_a_machine_holds_are_refused_at_once():
    with pytest.raises(UsageError, match="epochs = 1e\\+12 over 5 examples are 5e\\+12 in all"):
        PackedExamples(_pairs([3] * 5), TrainSettings(epochs=1e12), context=20)
