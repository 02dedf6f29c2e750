"""Rows scored in parts and windows against rows scored whole."""

from __future__ import annotations

import math
import random

import pytest

from architectures import letter_tokenizer, letters, tiny_model
from shoal.evaluation import Scorer, encode_rows, score_to_divergence, scoring_mode
from shoal.evaluation.batching import ScoringRow
from shoal.evaluation.scoring import SpanScore, join_spans, score_whole
from shoal.models import factor_model
from shoal.progress import no_progress
from shoal.tasks import Example

TOKENIZER = letter_tokenizer()


@pytest.fixture(scope="module", params=["GPTNeo", "Llama", "Mamba"])
def scorer(request):
    model = tiny_model(request.param)
    with scoring_mode(model):
        yield model, Scorer(factor_model(model, max_length=60), 200)


def rows_of(model, count: int, seed: int = 0):
    chance = random.Random(seed)
    examples = [
        Example(
            prompt=letters([chance.randrange(1, 300) for _ in range(chance.randint(1, 12))]),
            completion=letters([chance.randrange(1, 300) for _ in range(chance.randint(1, 20))]),
            ends=chance.random() < 0.7,
        )
        for _ in range(count)
    ]
    return encode_rows(model, TOKENIZER, examples)


def test_up_to_the_first_wrong_token_windows_find_what_the_whole_row_shows(scorer):
    model, scores = scorer
    rows = rows_of(model, 12)
    whole = score_whole(scores, rows, no_progress)
    short = score_to_divergence(scores, rows, no_progress)
    assert [span.row.item for span in short] == list(range(12))
    for one, other in zip(whole, short, strict=True):
        assert (one.wrong_at, one.greedy_id, one.status) == (other.wrong_at, other.greedy_id, other.status)
        cut = None if one.wrong_at is None else one.wrong_at + 1
        assert other.margins[:cut] == pytest.approx(one.margins[:cut], abs=1e-5)


def test_parts_of_a_row_add_up_to_the_row(scorer):
    model, scores = scorer
    for row in rows_of(model, 6, seed=1):
        (whole,) = scores.score([row])
        middle = max(1, row.stop // 2)
        cuts = [(0, middle), (middle, row.stop)] if middle < row.stop else [(0, row.stop)]
        parts = [scores.score([ScoringRow(row.item, row.ids, row.boundary, start, stop)])[0] for start, stop in cuts]
        joined = join_spans(row, parts[::-1])
        assert joined.margins == pytest.approx(whole.margins, abs=1e-5)
        assert joined.log_likelihood == pytest.approx(whole.log_likelihood, abs=1e-4)
        assert (joined.right, joined.wrong_at, joined.greedy_id) == (whole.right, whole.wrong_at, whole.greedy_id)


@pytest.mark.parametrize("score", [score_whole, score_to_divergence])
def test_progress_counts_rows_and_not_windows(scorer, score):
    model, scores = scorer
    calls = []
    score(scores, rows_of(model, 9, seed=2), lambda *call: calls.append(call))
    assert calls[-1] == ("scoring", 9, 9)
    assert [done for _, done, _ in calls] == sorted(done for _, done, _ in calls)


def span(start: int, stop: int, wrong_at: int | None, status: str) -> SpanScore:
    row = ScoringRow(0, tuple(range(12)), 2, start, stop)
    greedy = None if wrong_at is None or status == "nan" else 99
    return SpanScore(row, (1.0,) * (stop - start), stop - start, wrong_at, greedy, -1.0, status)


@pytest.mark.parametrize(
    ("parts", "wrong_at", "status"),
    [
        ([span(0, 3, None, "clear"), span(3, 6, None, "tie")], None, "tie"),
        ([span(0, 3, None, "near-tie"), span(3, 6, None, "tie")], None, "tie"),
        ([span(0, 3, None, "near-tie"), span(3, 6, 4, "nan")], 4, "nan"),
        ([span(0, 3, 1, "clear"), span(3, 6, 4, "nan")], 1, "clear"),  # what follows the first wrong token is hidden
    ],
)
def test_the_gravest_status_up_to_the_first_wrong_token_is_the_row_s(parts, wrong_at, status):
    row = ScoringRow(0, tuple(range(12)), 2, 0, 6)
    joined = join_spans(row, parts[::-1])
    assert (joined.wrong_at, joined.status) == (wrong_at, status)
    assert joined.log_likelihood == math.fsum([-1.0, -1.0])
    assert len(joined.margins) == 6
