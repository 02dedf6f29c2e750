"""Minimal pairs: read as their publishers give them, and scored by the likelihood of the whole sentence."""

from __future__ import annotations

import json
import math
import zipfile
from pathlib import Path

import pytest
import torch

from shoal.errors import DataError, ModelError, TooLongError, UsageError
from shoal.evaluation.likelihoods import document_opening, encode_texts, log_likelihoods
from shoal.evaluation.stories.minimal_pairs import (
    MinimalPair,
    PairScores,
    ParadigmScore,
    read_minimal_pairs,
    score_minimal_pairs,
)
from shoal.models import load_for_scoring, load_model
from shoal.statistics import wilson_interval

PAIRS = [
    MinimalPair("The dog runs to the park.", "The dog run to the park.", "agreement"),
    MinimalPair("She saw a big tree.", "She saw big a tree.", "order"),
    MinimalPair("He has a red ball.", "He have a red ball.", "agreement"),
]


def _reference(sentence: str) -> float:
    """Σ log p by the model's own forward pass, one sentence at a time in float64."""
    loaded = load_model("bundled:searches", dtype="float64")
    ids = [*document_opening(loaded.tokenizer), *loaded.tokenizer(sentence, add_special_tokens=False)["input_ids"]]
    with torch.no_grad():
        logits = loaded.model(torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
    return float(logits[torch.arange(len(ids) - 1), torch.tensor(ids[1:])].sum())


def test_margins_are_those_of_the_models_own_forward_pass() -> None:
    reader = load_for_scoring("bundled:searches")
    scores = score_minimal_pairs(reader.model, reader.tokenizer, PAIRS, token_budget=64)
    wanted = [_reference(pair.good) - _reference(pair.bad) for pair in PAIRS]
    assert scores.margins == pytest.approx(wanted, abs=1e-3)


def test_paradigms_count_the_same_whatever_their_size() -> None:
    reader = load_for_scoring("bundled:searches")
    scores = score_minimal_pairs(reader.model, reader.tokenizer, PAIRS)
    assert [(part.paradigm, part.pairs) for part in scores.paradigms] == [("agreement", 2), ("order", 1)]
    assert scores.accuracy == sum(part.accuracy for part in scores.paradigms) / 2


def test_a_pair_of_equal_sentences_counts_half() -> None:
    reader = load_for_scoring("bundled:searches")
    scores = score_minimal_pairs(reader.model, reader.tokenizer, [MinimalPair("A cat.", "A cat.", "none")])
    assert (scores.accuracy, scores.paradigms[0].ties) == (0.5, 1)


def test_numbers_do_not_depend_on_the_budget() -> None:
    reader = load_for_scoring("bundled:searches")
    one, many = (score_minimal_pairs(reader.model, reader.tokenizer, PAIRS, token_budget=size) for size in (1, 4096))
    assert one.margins == pytest.approx(many.margins, abs=1e-3)


def test_zorro_alternates_bad_and_good(tmp_path: Path) -> None:
    (tmp_path / "agreement.txt").write_text("the dog bark .\nthe dog barks .\n", encoding="utf-8")
    assert read_minimal_pairs(tmp_path) == [MinimalPair("The dog barks.", "The dog bark.", "agreement")]
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.write(tmp_path / "agreement.txt", "agreement.txt")
    assert read_minimal_pairs(tmp_path / "z.zip") == read_minimal_pairs(tmp_path / "agreement.txt")


def test_blimp_is_read_by_its_keys(tmp_path: Path) -> None:
    row = {"sentence_good": "Good.", "sentence_bad": "Bad.", "UID": "island", "field": "syntax"}
    (tmp_path / "x.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    assert read_minimal_pairs(tmp_path) == [MinimalPair("Good.", "Bad.", "island")]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("odd.txt", "one\ntwo\nthree\n", "has 3 sentences"),
        ("x.jsonl", '{"sentence_good": "a"}\n', "x.jsonl:1 is no pair of BLiMP"),
        ("empty.txt", "", "holds no minimal pairs"),
        ("tale.txt", "Tom had a dog.\nIt was red and ran.\nSee it go!\nThe end came soon.\n", "is no file of Zorro"),
    ],
)
def test_what_is_not_of_the_form_is_refused(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=said):
        read_minimal_pairs(tmp_path / name)


def test_few_pairs_are_spread_over_a_paradigm(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("".join(f"bad {n}\ngood {n}\n" for n in range(10)), encoding="utf-8")
    assert [pair.good for pair in read_minimal_pairs(tmp_path, max_per_paradigm=3)] == ["Good 0", "Good 3", "Good 6"]


@pytest.mark.parametrize("count", [0, -1])
def test_no_pairs_of_a_paradigm_are_none(tmp_path: Path, count: int) -> None:
    with pytest.raises(UsageError, match="give a whole number above 0"):
        read_minimal_pairs(tmp_path, max_per_paradigm=count)


def test_texts_that_cannot_be_scored_are_refused() -> None:
    loaded = load_model("bundled:searches")
    with pytest.raises(DataError, match="no tokens"):
        encode_texts(loaded.model, loaded.tokenizer, ["fine", ""])
    with pytest.raises(TooLongError):
        encode_texts(loaded.model, loaded.tokenizer, ["word " * 5000])
    with torch.no_grad():
        loaded.model.get_input_embeddings().weight.fill_(math.nan)
    with pytest.raises(ModelError, match="not numbers"):
        log_likelihoods(loaded.model, encode_texts(loaded.model, loaded.tokenizer, ["fine"]))


@pytest.mark.parametrize(("each", "accuracy"), [(40, 0.6043), pytest.param(200, 0.603, marks=pytest.mark.slow)])
def test_stories260k_has_its_known_zorro_figure(data_folder: Path, each: int, accuracy: float) -> None:
    reader = load_for_scoring(str(data_folder / "stories260K" / "stories260K.bin"))
    pairs: dict[str, list[MinimalPair]] = {}
    for pair in read_minimal_pairs(data_folder / "zorro" / "zorro.zip"):
        pairs.setdefault(pair.paradigm, []).append(pair)
    assert (len(pairs), sum(map(len, pairs.values()))) == (23, 46000)
    first = [pair for of_one in pairs.values() for pair in of_one[:each]]
    assert score_minimal_pairs(reader.model, reader.tokenizer, first).accuracy == pytest.approx(accuracy, abs=5e-4)


def test_pairs_that_are_all_right_have_an_interval_with_a_width() -> None:
    def part(right: int, pairs: int) -> ParadigmScore:
        return ParadigmScore(paradigm="p", pairs=pairs, right=right, ties=0, interval=wilson_interval(right, pairs))

    one = PairScores(paradigms=(part(10, 10),), margins=())
    assert one.interval == wilson_interval(10, 10)
    ends = PairScores(paradigms=(part(10, 10), part(0, 10)), margins=()).interval
    assert (ends.low, ends.high) == pytest.approx((0.5 - 0.2775 / 2, 0.5 + 0.2775 / 2), abs=1e-3)
    # With errors in every paradigm it is that of the stratified mean.
    usual = PairScores(paradigms=(part(5, 10), part(8, 10)), margins=()).interval
    assert usual.high - usual.low == pytest.approx(1.959964 * math.sqrt(0.025 + 0.016))


def test_two_impossible_sentences_are_a_tie() -> None:
    loaded = load_model("bundled:searches")
    (dot,) = loaded.tokenizer(".", add_special_tokens=False)["input_ids"][-1:]

    def forbid(_module: object, _inputs: object, logits: torch.Tensor) -> torch.Tensor:
        return logits.index_fill(-1, torch.tensor([dot]), -math.inf)

    loaded.model.get_output_embeddings().register_forward_hook(forbid)
    scores = score_minimal_pairs(loaded.model, loaded.tokenizer, PAIRS)
    assert scores.margins == (0.0, 0.0, 0.0)
    assert scores.accuracy == 0.5
