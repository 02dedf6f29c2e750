"""Perplexity of plain texts: what transformers computes, windows that overlap, intervals, and what surprises."""

from __future__ import annotations

import math
from itertools import islice

import numpy as np
import pytest
import torch

from shoal.corpora.grammar import tell_stories
from shoal.errors import DataError, UsageError
from shoal.evaluation.perplexity import compare_perplexities, perplexity
from shoal.evaluation.windows import cut_windows
from shoal.models import LoadedModel, load_for_scoring, load_model

TEXTS = tuple(story.text for story in islice(tell_stories(seed=7), 7))
MODELS = ("bundled:stories", "bundled:searches")


@pytest.fixture(scope="module", params=MODELS)
def loaded(request: pytest.FixtureRequest) -> LoadedModel:
    return load_model(request.param)


@pytest.fixture(scope="module")
def stories() -> LoadedModel:
    return load_model("bundled:stories")


def ids_of(loaded: LoadedModel, text: str) -> list[int]:
    """With the token that opens a document."""
    return [loaded.tokenizer.eos_token_id, *loaded.tokenizer(text, add_special_tokens=False).input_ids]


def loss_of(loaded: LoadedModel, ids: list[int], scored: int) -> float:
    """transformers' own loss over the last tokens, as a sum in nats."""
    row = torch.tensor([ids])
    labels = row.clone()
    labels[0, : len(ids) - scored] = -100
    with torch.no_grad():
        return float(loaded.model(input_ids=row, labels=labels).loss) * scored


def test_it_is_the_loss_of_transformers(loaded: LoadedModel) -> None:
    report = perplexity(loaded, TEXTS)
    for text, document in zip(TEXTS, report.documents, strict=True):
        ids = ids_of(loaded, text)
        assert len(document.nats) == len(ids) - 1
        assert -document.nats.mean() == pytest.approx(loss_of(loaded, ids, len(ids) - 1) / (len(ids) - 1), abs=1e-5)


def test_windows_are_those_of_the_guide(loaded: LoadedModel) -> None:
    context, stride = 32, 12
    report = perplexity(loaded, TEXTS[:2], context=context, stride=stride)
    for text, document in zip(TEXTS, report.documents, strict=False):
        ids = ids_of(loaded, text)
        total, done, begin = 0.0, 1, 0
        while done < len(ids):
            end = min(begin + context + 1, len(ids))
            total += loss_of(loaded, ids[begin:end], end - done)
            done, begin = end, begin + stride
        assert -document.nats.sum() == pytest.approx(total, rel=1e-5)


def test_each_token_is_scored_once_from_as_much_as_was_promised() -> None:
    ids = tuple(range(100))
    for stride in (1, 5, 8):
        windows = cut_windows(ids, 1, context=8, stride=stride)
        assert [id_ for window, start in windows for id_ in window[start:]] == list(ids[1:])
        assert all(start == 9 - stride and len(window) <= 9 for window, start in windows[1:])
    assert cut_windows(ids, 1, context=None, stride=None) == [(ids, 1)]
    assert len(cut_windows(ids, 1, context=8, stride=5, full=True)[-1][0]) == 9


def test_a_smaller_stride_predicts_no_worse_and_its_effect_is_reported(stories: LoadedModel) -> None:
    overlapping, apart = (perplexity(stories, TEXTS[:3], context=24, stride=stride) for stride in (6, 24))
    assert overlapping.bits_per_byte < apart.bits_per_byte
    assert overlapping.bits_per_byte_without_overlap == pytest.approx(apart.bits_per_byte, rel=1e-9)
    assert apart.bits_per_byte_without_overlap is None
    assert f"without overlap {apart.bits_per_byte:.4f} bits per byte" in str(overlapping)
    assert "side by side" in str(apart)


def test_documents_do_not_see_each_other(stories: LoadedModel) -> None:
    together = perplexity(stories, TEXTS[:2])
    alone = [perplexity(stories, text) for text in TEXTS[:2]]
    for one, other in zip(together.documents, alone, strict=True):
        np.testing.assert_allclose(one.nats, other.documents[0].nats, atol=1e-4)


def test_units_are_the_same_bits_over_other_counts(stories: LoadedModel) -> None:
    report = perplexity(stories, TEXTS)
    total = report.document_bits.sum()
    for unit in report.units:
        assert unit.bits == pytest.approx(total / unit.count)
        assert unit.perplexity == pytest.approx(2**unit.bits)
        assert unit.low < unit.bits < unit.high
    assert [unit.count for unit in report.units][1:] == [
        len(" ".join(TEXTS).split()),
        sum(len(text.encode()) for text in TEXTS),
    ]


def test_few_documents_have_no_interval_and_one_token_has_a_perplexity(stories: LoadedModel) -> None:
    report = perplexity(stories, "One")
    assert [unit.count for unit in report.units] == [1, 1, 3]
    assert report.units[0].interval is None
    assert "too few or too alike for an interval" in str(report)
    blank = perplexity(stories, "\n\n")
    assert blank.units[1].perplexity is None
    assert "not defined" in str(blank)


def test_the_most_surprising_tokens_are_the_least_likely_ones(stories: LoadedModel) -> None:
    report = perplexity(stories, [*TEXTS[:2], "One day, Tim saw a big zebra dance."], surprising=5)
    every = sorted(nat for document in report.documents for nat in document.nats.tolist())
    assert [token.nats for token in report.surprising] == pytest.approx(every[:5], abs=1e-4)
    for token in report.surprising:
        document = report.documents[token.document]
        ids = ids_of(stories, document.text)
        with torch.no_grad():
            logits = stories.model(torch.tensor([ids[: token.place + 1]])).logits[0, -1]
        best = logits.argmax()
        assert token.id == ids[token.place + 1]
        assert token.expected == stories.tokenizer.decode([best])
        assert math.exp(token.expected_nats) == pytest.approx(float(logits.softmax(0)[best]), rel=1e-3)


def test_tokens_cover_the_text(stories: LoadedModel) -> None:
    (document,) = perplexity(stories, TEXTS[0]).documents
    assert "".join(document.piece(place) for place in range(len(document.nats))) == TEXTS[0]


def test_models_are_compared_in_pairs_of_documents() -> None:
    reports = [perplexity(load_for_scoring(spec), TEXTS) for spec in MODELS]
    (difference,) = compare_perplexities(reports).differences
    gaps = reports[0].document_bits - reports[1].document_bits
    assert difference.difference == pytest.approx(gaps.sum() / sum(len(text.encode()) for text in TEXTS))
    assert difference.high < 0
    assert difference.better == "bundled:stories"
    (same,) = compare_perplexities([reports[0], reports[0]]).differences
    assert (same.difference, same.better) == (0, None)
    with pytest.raises(UsageError, match="different documents"):
        compare_perplexities([reports[0], perplexity(load_for_scoring(MODELS[1]), TEXTS[:2])])


@pytest.mark.parametrize(
    ("texts", "options", "kind", "message"),
    [
        ([], {}, DataError, "no text"),
        (["a", ""], {}, DataError, "document 2 .* has no tokens"),
        (["a"], {"stride": 0}, UsageError, "the stride is 0; give 1 to"),
        (["a"], {"context": 8, "stride": 9}, UsageError, "give 1 to 8"),
        (["a"], {"context": 10**6}, UsageError, "the context is 1000000"),
        (["a"], {"confidence": 2}, UsageError, "confidence"),
    ],
)
def test_bad_input_is_named(stories: LoadedModel, texts: list[str], options: dict, kind: type, message: str) -> None:
    with pytest.raises(kind, match=message):
        perplexity(stories, texts, **options)
