from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from small_models import CONTEXT, gpt2, llama

from shoal.errors import DataError, TooLongError, UsageError
from shoal.training import CorpusShare, DocumentSource, TrainSettings, pretrain_documents, tokens_in_memory
from shoal.training.documents import fill_bins


def _file(lengths, *, first=0, vocabulary=2**15):
    """Documents whose ids tell them apart: all ids of a document are its number."""
    return tokens_in_memory([[first + place] * size for place, size in enumerate(lengths)], vocabulary=vocabulary)


def _story_lengths(count, seed=0):
    return np.clip(np.random.default_rng(seed).lognormal(5.2, 0.4, count), 20, 900).astype(int).tolist()


def _names(source):
    return [int(document.ids[0]) for step in range(source.steps) for document in source.batch(step).documents]


def test_every_document_is_seen_once_a_pass_in_an_order_of_its_own():
    share = CorpusShare(file=_file([7, 3, 9, 4, 5]), passes=3)
    source = DocumentSource([share], context=20, batch_tokens=12, seed=1)
    assert Counter(_names(source)) == dict.fromkeys(range(5), 3)
    assert source.tokens == 3 * (28 - 5)
    assert _names(source) == _names(source)
    for step in range(source.steps):
        assert source.batch(step).targets <= 12


def test_sources_that_differ_in_their_openings_alone_have_digests_of_their_own():
    """The tokens of an opening are given and not learned: a checkpoint of one source is not resumed with another."""
    file = _file([7, 3, 9])
    sources = [DocumentSource([CorpusShare(file=file, opening=count)], context=20, batch_tokens=12) for count in (1, 2)]
    assert sources[0].digest != sources[1].digest


def test_the_order_is_given_by_the_seed_and_a_step_by_its_number():
    file = _file(_story_lengths(60))

    def told(seed, steps):
        source = DocumentSource([CorpusShare(file=file, passes=2)], context=512, batch_tokens=2048, seed=seed)
        return [tuple(document.ids.tolist()) for step in steps for document in source.batch(step).documents]

    assert told(0, (4, 1)) == told(0, (4, 1)) != told(1, (4, 1))
    assert told(0, (1,)) == told(0, (4, 1))[-len(told(0, (1,))) :]


@pytest.mark.parametrize("batch_tokens", [2048, 8192])
def test_steps_are_full_to_more_than_98_percent(batch_tokens):
    share = CorpusShare(file=_file(_story_lengths(4000)), passes=2)
    source = DocumentSource([share], context=512, batch_tokens=batch_tokens)
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
    files = _file([11] * 3000), _file([11] * 1000, first=4000)
    source = DocumentSource(
        [CorpusShare(file=files[0], name="a"), CorpusShare(file=files[1], name="b", passes=2.5)],
        context=20,
        batch_tokens=100,
    )
    names = np.array(_names(source))
    assert Counter(names[names >= 4000].tolist()).most_common()[0][1] == 3
    assert len(names) == 3000 + 2500
    halves = np.array_split(names >= 4000, 2)
    assert abs(halves[0].mean() - halves[1].mean()) < 0.05


def test_a_document_beyond_the_context_is_predicted_piece_by_piece():
    file = tokens_in_memory([list(range(25)), [7]], vocabulary=30)
    source = DocumentSource([CorpusShare(file=file)], context=10, batch_tokens=10)
    documents = [document for step in range(source.steps) for document in source.batch(step).documents]
    assert sorted(int(token) for document in documents for token in document.ids[document.boundary :]) == list(
        range(1, 25)
    )
    assert sorted(len(document.ids) for document in documents) == [5, 11, 11]


def test_a_batch_names_its_documents():
    source = DocumentSource([CorpusShare(file=_file([5, 5], first=3), name="tales")], context=9, batch_tokens=8)
    step, _, names = source.batch(0).name.partition(": ")
    assert step == "batch 1"
    assert sorted(names.split(", ")) == ["tales 0", "tales 1"]


def test_pretraining_on_documents_learns_them():
    file = tokens_in_memory([np.arange(start, start + 40) % 17 for start in range(30)], vocabulary=20)
    settings = TrainSettings(learning_rate=1e-2, epochs=12, batch_tokens=120, precision="float32", schedule="wsd")
    for make in (llama, gpt2):
        result = pretrain_documents(make(), [CorpusShare(file=file)], settings)
        assert result.curve[-1].loss < 0.5 < 2 < result.curve[0].loss


def test_unusable_corpora_are_refused():
    settings = TrainSettings(epochs=1)
    with pytest.raises(DataError, match="at least one corpus"):
        pretrain_documents(llama(), [], settings)
    with pytest.raises(DataError, match="tales is of a vocabulary of 500; the model has 260"):
        pretrain_documents(llama(), [CorpusShare(file=_file([5], vocabulary=500), name="tales")], settings)
    with pytest.raises(UsageError, match="tales: passes = 0"):
        pretrain_documents(llama(), [CorpusShare(file=_file([5], vocabulary=9), passes=0, name="tales")], settings)
    with pytest.raises(DataError, match=r"documents: no document .* has a token to predict"):
        pretrain_documents(llama(), [CorpusShare(file=_file([1, 1], vocabulary=9))], settings)
    with pytest.raises(TooLongError, match=f"model's context is {CONTEXT}"):
        pretrain_documents(llama(), [CorpusShare(file=_file([5], vocabulary=9))], settings, context=CONTEXT + 1)
    with pytest.raises(UsageError, match="opening = 0"):
        DocumentSource([CorpusShare(file=_file([5], vocabulary=9), opening=0)], context=9, batch_tokens=9)
    with pytest.raises(DataError, match="no token to train on"):
        DocumentSource([CorpusShare(file=_file([5], vocabulary=9), passes=0.1)], context=9, batch_tokens=9)


@pytest.mark.parametrize("order", ["shuffled", "fresh", "fixed", "given"])
@pytest.mark.parametrize("more", [{"tokens": 10**24}, {"stages": [{"tales": 1e15}]}], ids=["tokens", "a stage"])
def test_more_pieces_than_a_machine_holds_are_refused_at_once(order, more):
    share = CorpusShare(file=_file([9, 12, 4]), name="tales")
    with pytest.raises(DataError, match="more than 2 billion pieces of text; lower the tokens or the passes"):
        DocumentSource([share], context=20, batch_tokens=40, order=order, **more)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"opening": 0}, UsageError, "tales: opening = 0; the first token of a document is never predicted"),
        ({"passes": float("nan")}, UsageError, "tales: passes = nan; give a number above 0"),
        ({"copies": np.array([1, 1])}, DataError, "tales: copies must be 3 numbers of 0 or more, not 2"),
        ({"copies": np.array([1, -1, 1])}, DataError, "tales: copies must be 3 numbers of 0 or more, not 3"),
        ({"weights": np.ones(3, dtype=np.float32)}, DataError, "tales: weights must be 25 numbers of 0 or more, not 3"),
        ({"copies": np.zeros(3, dtype=np.int64)}, DataError, "tales: no document that may be read has a token"),
    ],
    ids=["opening", "passes", "copies", "negative copies", "weights", "no copies"],
)
def test_shares_of_a_corpus_that_cannot_be_read_are_refused(change, error, message):
    with pytest.raises(error, match=message):
        DocumentSource([CorpusShare(file=_file([9, 12, 4]), name="tales", **change)], context=20, batch_tokens=40)


def test_documents_that_may_not_be_seen_are_never_in_a_batch():
    seen = np.arange(40) % 3 > 0
    share = CorpusShare(file=_file([6] * 40), passes=2.5, seen=seen)
    names = Counter(_names(DocumentSource([share], context=9, batch_tokens=30)))
    assert set(names) == set(np.flatnonzero(seen).tolist())
    assert set(names.values()) == {2, 3}
    with pytest.raises(DataError, match="no document that may be read"):
        DocumentSource([CorpusShare(file=_file([6, 6]), seen=np.zeros(2, dtype=bool))], context=9, batch_tokens=30)


def test_a_stage_takes_its_tokens_of_each_corpus_and_is_finished_before_the_next():
    corpora = [CorpusShare(file=_file([11] * 50), name="a"), CorpusShare(file=_file([11] * 50, first=100), name="b")]
    source = DocumentSource(
        corpora, context=20, batch_tokens=20, stages=[{"a": 100.0}, {"a": 50.0, "b": 150.0}, {"b": 30.0}]
    )
    of_b = [name >= 100 for name in _names(source)]
    assert len(of_b) == 33
    assert (sum(of_b[:10]), sum(of_b[10:30]), sum(of_b[30:])) == (0, 15, 3)
    scaled = DocumentSource(corpora, context=20, batch_tokens=20, stages=[{"a": 3.0}, {"b": 1.0}], tokens=80)
    assert [name >= 100 for name in _names(scaled)] == [False] * 6 + [True] * 2


def test_the_given_order_is_that_of_the_files():
    source = DocumentSource([CorpusShare(file=_file([5] * 9), passes=2)], context=9, batch_tokens=4, order="given")
    assert _names(source) == [*range(9), *range(9)]


def test_the_opening_is_read_and_not_predicted_or_left_out():
    file = tokens_in_memory([[0, 1, *range(10, 20)] for _ in range(40)], vocabulary=30)

    def begun(bare):
        source = DocumentSource([CorpusShare(file=file, opening=2)], context=30, batch_tokens=60, bare=bare)
        return [doc for step in range(source.steps) for doc in source.batch(step).documents]

    assert {(int(doc.ids[0]), doc.boundary, len(doc.ids)) for doc in begun(0.0)} == {(0, 2, 12)}
    assert {(int(doc.ids[0]), doc.boundary, len(doc.ids)) for doc in begun(1.0)} == {(10, 1, 10)}
    assert 8 < sum(doc.boundary == 1 for doc in begun(0.5)) < 32


def test_every_item_is_in_one_bin_that_it_fits_into():
    bins = list(fill_bins(enumerate([7, 3, 5, 5, 10, 1]), 10))
    assert sorted(name for chosen in bins for name in chosen) == list(range(6))
    assert bins == [[0, 1], [2, 3], [4], [5]]
    assert list(fill_bins([], 10)) == []


def _passes(order, passes=3.0, documents=40):
    """The documents in the order in which they are read, pass by pass."""
    share = CorpusShare(file=_file(_story_lengths(documents)), passes=passes)
    source = DocumentSource([share], context=400, batch_tokens=500, seed=3, order=order)
    names = _names(source)
    return [names[start : start + documents] for start in range(0, len(names), documents)], source


def test_fresh_passes_have_each_document_once_in_an_order_and_steps_of_their_own():
    passes, source = _passes("fresh")
    assert len(passes) == 3
    assert all(sorted(names) == list(range(40)) for names in passes)
    assert len({tuple(names) for names in passes}) == 3
    # Packed for itself: no step has documents of two passes.
    ends = np.cumsum([len(source.batch(step).documents) for step in range(source.steps)]).tolist()
    assert {40, 80, 120} <= set(ends)
    mixed, _ = _passes("shuffled")
    assert any(len(set(names)) < 40 for names in mixed)


def test_fixed_passes_repeat_the_first_to_the_step():
    passes, source = _passes("fixed")
    assert passes[0] == passes[1] == passes[2]
    count = source.steps // 3
    sizes = [len(source.batch(step).documents) for step in range(source.steps)]
    assert sizes[:count] == sizes[count : 2 * count] == sizes[2 * count :]


def test_a_part_of_a_pass_and_a_corpus_that_is_read_less_often_keep_their_shares():
    often, seldom = _file([11] * 60), _file([11] * 60, first=100)
    corpora = [CorpusShare(file=often, passes=2.5), CorpusShare(file=seldom, passes=1.25, name="seldom")]
    source = DocumentSource(corpora, context=20, batch_tokens=20, order="fresh")
    names = _names(source)
    assert len(names) == 150 + 75
    first, second, rest = names[:90], names[90:180], names[180:]
    for part in (first, second):
        assert sorted(name for name in part if name < 100) == list(range(60))
    assert [sum(name >= 100 for name in part) for part in (first, second, rest)] == [30, 30, 15]
    assert not {name for name in first if name >= 100} & {name for name in second if name >= 100}


def test_a_fraction_of_a_pass_is_read_whatever_the_order():
    for order in ("shuffled", "fresh", "fixed"):
        names, _ = _passes(order, passes=0.3)
        assert len(names[0]) == len(set(names[0])) < 20
