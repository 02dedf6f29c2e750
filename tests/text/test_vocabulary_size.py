"""The n-gram model is a distribution, and sizes are compared by the bits that a byte takes."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from shoal.corpora import read_stories
from shoal.errors import DataError, UsageError
from shoal.text.ngram import NgramModel
from shoal.text.vocabulary_size import choose_vocabulary

DOCUMENTS = [[0, 1, 2, 0, 1, 2], [0, 1, 1, 2], [2, 2, 0, 1], [0, 1, 2, 2, 1, 0, 1]]


def plain_kneser_ney(documents, order, vocabulary):
    """The recursion of Chen & Goodman written out with counters; a document's probability in bits."""
    end = vocabulary
    rows = [[None] * max(order - 1, 1) + list(ids) + [end] for ids in documents]
    grams = {size: Counter() for size in range(1, order + 1)}
    for size in range(1, order + 1):
        for row in rows:
            for last in range(max(order - 1, 1), len(row)):
                grams[size][tuple(row[last - size + 1 : last + 1])] += 1
    counts = {order: grams[order]}
    for size in range(1, order):
        counts[size] = Counter(gram[1:] for gram in grams[size + 1])
    discounts = {}
    for size, table in counts.items():
        once, twice = (sum(count == number for count in table.values()) for number in (1, 2))
        discounts[size] = once / (once + 2 * twice) if once and twice else 0.5

    def probability(gram):
        if not gram:
            return 1 / (vocabulary + 1)
        size, table = len(gram), counts[len(gram)]
        following = [count for other, count in table.items() if other[:-1] == gram[:-1]]
        lower = probability(gram[1:])
        if not following:
            return lower
        held = max(table[gram] - discounts[size], 0) + discounts[size] * len(following) * lower
        return held / sum(following)

    return probability


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_bits_are_those_of_the_recursion_written_out(order):
    probability = plain_kneser_ney(DOCUMENTS, order, 4)
    model = NgramModel(DOCUMENTS, order=order, vocabulary=4)
    for ids in [*DOCUMENTS, [3, 0, 1], [2], []]:
        row = [None] * max(order - 1, 1) + list(ids) + [4]
        wanted = -sum(
            math.log2(probability(tuple(row[last - order + 1 : last + 1])))
            for last in range(max(order - 1, 1), len(row))
        )
        assert model.bits([ids])[0] == pytest.approx(wanted, rel=1e-12)


def test_documents_do_not_leak_into_each_other():
    model = NgramModel(DOCUMENTS, order=3, vocabulary=4)
    together = model.bits([[0, 1], [2, 2, 0], [1]])
    alone = [model.bits([ids])[0] for ids in ([0, 1], [2, 2, 0], [1])]
    assert together == pytest.approx(alone)


def test_the_probabilities_of_all_continuations_sum_to_one():
    model = NgramModel(DOCUMENTS, order=3, vocabulary=4)
    open_bits = model.bits([[0, 1, token] for token in range(4)]) - np.array(
        [model.bits([[0, 1, token]])[0] - model.bits([[0, 1]])[0] for token in range(4)]
    )
    assert open_bits == pytest.approx(np.full(4, model.bits([[0, 1]])[0]))
    prefix = plain_kneser_ney(DOCUMENTS, 3, 4)
    assert sum(prefix((0, 1, token)) for token in range(5)) == pytest.approx(1)


def test_no_documents_are_an_error():
    with pytest.raises(DataError, match="no documents"):
        NgramModel([], order=2, vocabulary=4)


def test_bits_per_byte_choose_another_size_than_loss_a_token(data_folder):
    stories = read_stories(data_folder / "tinystories" / "tinystories_v2_gpt4_train_head.txt")[:600]
    choice = choose_vocabulary(stories, sizes=(300, 1024, 2048))
    by_token = min(choice.scores, key=lambda score: score.bits_per_token)
    assert by_token.size == 300
    assert choice.size > 300
    for score in choice.scores:
        assert score.low < score.bits_per_byte < score.high
        assert score.bits_per_token == pytest.approx(score.bits_per_byte * score.bytes_per_token)
    best = min(choice.scores, key=lambda score: score.bits_per_byte)
    assert (best.worse_by, best.worse_low, best.worse_high) == (0, 0, 0)
    chosen = next(score for score in choice.scores if score.size == choice.size)
    assert chosen.worse_low <= 0
    assert choice.held_out_documents == 60


def test_sizes_that_the_corpus_is_too_small_for_are_left_out():
    texts = [f"A cat number {place} sat on the mat." for place in range(40)]
    choice = choose_vocabulary(texts, sizes=(290, 50_000))
    assert [score.size for score in choice.scores] == [290]
    with pytest.raises(UsageError, match="not the requested 50000"):
        choose_vocabulary(texts, sizes=(50_000,))


def test_held_out_documents_of_white_space_leave_nothing_to_score():
    documents = [" \n" if place % 10 == 0 else "the cat sat on the mat" for place in range(40)]
    with pytest.raises(DataError, match="none of the documents that are held out"):
        choose_vocabulary(documents, sizes=[280])


def test_a_size_too_small_for_the_bytes_leaves_the_larger_ones():
    texts = [f"A cat number {place} sat on the mat." for place in range(40)]
    assert [score.size for score in choose_vocabulary(texts, sizes=(100, 290)).scores] == [290]
    with pytest.raises(UsageError, match="a vocabulary of 100 tokens is too small"):
        choose_vocabulary(texts, sizes=(100,))
    with pytest.raises(UsageError, match="none is given"):
        choose_vocabulary(texts, sizes=())


def test_documents_that_are_learned_from_are_not_scored():
    texts = [f"A cat number {place} sat on the mat." for place in range(40)]
    doubled = list(texts)
    doubled[11], doubled[20] = doubled[10], doubled[0]
    choice = choose_vocabulary(doubled, sizes=(290,))
    assert choice.held_out_documents == 2
    assert choice.held_out_bytes == len(texts[0]) + len(texts[30])
    with pytest.raises(DataError, match="leave duplicates out"):
        choose_vocabulary(["The cat sat on the mat."] * 40, sizes=(290,))


def test_one_document_is_too_few_to_choose_on():
    with pytest.raises(DataError, match="1 documents are too few"):
        choose_vocabulary(["One day."])


def test_a_choice_prints_its_table_and_gives_a_frame():
    texts = [f"A cat number {place} sat on the mat." for place in range(60)]
    choice = choose_vocabulary(texts, sizes=(290, 300))
    lines = str(choice).splitlines()
    assert lines[0] == f"6 held-out documents, {choice.held_out_bytes} bytes, 95% bootstrap intervals over documents"
    assert [line.split()[0] for line in lines[2:-1]] == [str(score.size) for score in choice.scores]
    assert lines[-1] == f"chosen: {choice.size}, the smallest that is not significantly worse than the best"
    frame = choice.to_frame()
    assert frame["size"].tolist() == [score.size for score in choice.scores]
    assert frame["bits_per_byte"].tolist() == [score.bits_per_byte for score in choice.scores]
    assert choice.to_dict()["size"] == choice.size


def test_progress_counts_the_sizes():
    texts = [f"A cat number {place} sat on the mat." for place in range(40)]
    seen = []
    choose_vocabulary(texts, sizes=(300, 290, 290), progress=lambda *state: seen.append(state))
    assert seen[0] == ("sizes", 1, 2)


def test_too_few_documents_give_no_intervals_and_the_best_size():
    texts = [f"A cat number {place} sat on the mat." for place in range(20)]
    choice = choose_vocabulary(texts, sizes=(290, 300))
    best = min(choice.scores, key=lambda score: score.bits_per_byte)
    assert choice.held_out_documents == 2
    assert choice.size == best.size
    assert {(score.low, score.high, score.worse_low, score.worse_high) for score in choice.scores} == {(None,) * 4}
    assert "[" not in str(choice)
    assert str(choice).endswith(
        f"chosen: {best.size}, the best; that many documents give no intervals, give more to tell sizes apart"
    )
