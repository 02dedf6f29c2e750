"""A comparison of corpora with real trainings: what is trained on, what is measured, resuming, and bad input."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tomli_w

from shoal.errors import DataError, ExperimentFileError, StoreError, TrainingError, UnknownNameError, UsageError
from shoal.experiments.corpus_comparison import (
    MEAN,
    compare_corpora,
    corpus_comparison_from,
    forecast_corpus_comparison,
    read_corpus_comparison,
)
from shoal.experiments.corpus_comparison.preparation import prepare_corpora
from shoal.experiments.corpus_comparison.shapes import model_of_size
from shoal.experiments.corpus_comparison.units import drawn_pieces, training_recipe
from shoal.experiments.pretraining.planning import build_recipe_model
from shoal.reports import write_report
from shoal.training import cut_pieces, tokens_in_memory

FEW = {"held_out_documents": 4, "held_out_characters": 100, "vocabulary": 300, "context": 24, "seeds": 2}
TINY = FEW | {"unique": 600, "tokens": 900, "parameters": [4000, 9000], "training": {"batch_tokens": 300}}
GRAMMAR = [
    {"name": "plain", "grammar": 20, "seed": 1},
    {"name": "talk", "grammar": 20, "seed": 2, "features": ["dialogue"]},
    {"name": "search", "mixture": {"search-object": 1.0}, "stories": 20, "seed": 3},
]
HELD_OUT = [
    {"name": "tales", "mixture": {"tale": 1.0}, "stories": 6, "seed": 9},
    {"name": "lists", "mixture": {"lists-unary": 1.0}, "stories": 6, "seed": 9},
]


def table(**changes):
    return TINY | {"corpus": GRAMMAR, "held_out": HELD_OUT} | changes


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The folder of a finished comparison, its plan, and its result."""
    folder = tmp_path_factory.mktemp("compared") / "run"
    plan = corpus_comparison_from(table())
    return folder, plan, compare_corpora(plan, folder, workers=0)


def test_every_corpus_has_a_score_of_each_size_and_held_out_text(done):
    result = done[2]
    assert result.texts == ("tales", "lists", MEAN)
    assert len(result.scores) == 2 * 3 * 3
    for one in result.ranked(9000, "equal", MEAN):
        texts = [result.ranked(9000, "equal", text) for text in ("tales", "lists")]
        by_text = [next(other.by_seed for other in ranked if other.corpus == one.corpus) for ranked in texts]
        assert one.by_seed == pytest.approx(np.mean(by_text, axis=0))
        assert one.bits.low < one.bits.value < one.bits.high
    assert len(result.to_frame()) == len(result.scores)


def test_differences_are_paired_by_seed_and_the_better_corpus_stands_first(done):
    result = done[2]
    assert len(result.differences) == 2 * 3 * 3
    for one in result.differences:
        scores = {score.corpus: score.by_seed for score in result.ranked(one.size, one.design, one.held_out)}
        gaps = np.subtract(scores[one.first], scores[one.second])
        assert one.difference.value == pytest.approx(gaps.mean())
        assert one.difference.value <= 0


def test_the_sizes_are_compared_by_their_decisions(done):
    result = done[2]
    assert [one.held_out for one in result.decisions] == ["tales", "lists", MEAN]
    (small, large) = result.parameters.values()
    for one in result.decisions:
        assert (one.small, one.large, one.accuracy.pairs) == (4000, 9000, 3)
        assert one.compute_ratio == pytest.approx(large / small, rel=0.02)
        assert 0 <= one.accuracy.one_seed.value <= 1
    assert "rank" in result.summary
    assert "decision accuracy" in str(result)


def test_all_models_read_equally_many_unique_and_training_tokens(done):
    records = [json.loads(file.read_text()) for file in done[0].glob("trainings/*/done.json")]
    assert len(records) == 2 * 2 * 3
    assert {record["unique"] for record in records} == {600}
    for record in records:
        assert record["tokens"] == pytest.approx(900, abs=24)
    assert done[2].steps == max(record["steps"] for record in records)


def test_a_draw_has_just_the_tokens_that_it_should_have_and_no_piece_twice():
    rows = np.arange(1, 400).reshape(-1, 57)
    file = tokens_in_memory([[0, *row] for row in rows.tolist()], vocabulary=400)
    drawn = drawn_pieces(file, 16, 100, seed=1)
    predicted = np.concatenate([drawn.document(place)[1:] for place in range(len(drawn))])
    assert len(predicted) == len(set(predicted.tolist())) == 100
    assert not np.array_equal(predicted, np.sort(predicted))
    assert cut_pieces(drawn, None, 16).begins_P.all()
    assert drawn.digest != drawn_pieces(file, 16, 100, seed=2).digest
    whole = drawn_pieces(file, 16, 10**6, seed=1)
    assert int((whole.lengths - 1).sum()) == rows.size


def test_the_same_command_resumes_with_the_same_bytes(done, tmp_path):
    folder, plan, _ = done

    def stop(record):
        if len(list((tmp_path / "run").glob("trainings/*/done.json"))) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare_corpora(plan, tmp_path / "run", workers=0, on_training=stop)
    with pytest.raises(TrainingError, match="5 of 12 trainings are done"):
        read_corpus_comparison(_without_seeds(tmp_path / "run", tmp_path / "few", 4))
    # The small size has a whole seed.
    partial = read_corpus_comparison(tmp_path / "run")
    assert {(one.size, one.bits.units) for one in partial.scores} == {(4000, 1)}
    assert "no interval" in write_report(tmp_path / "run").read_text()
    seen = []
    compare_corpora(plan, tmp_path / "run", workers=0, on_training=seen.append)
    assert len(seen) == 7
    assert (tmp_path / "run" / "result.json").read_bytes() == (folder / "result.json").read_bytes()


def _without_seeds(folder, copy, count):
    """A copy in which no seed is complete."""
    shutil.copytree(folder, copy)
    lost = copy / "trainings" / "4000-equal-plain-seed-0"
    lost.rename(copy / "trainings" / "4000-equal-plain-seed-1")
    record = json.loads((copy / "trainings" / "4000-equal-plain-seed-1" / "done.json").read_text())
    (copy / "trainings" / "4000-equal-plain-seed-1" / "done.json").write_text(json.dumps(record | {"seed": 1}))
    return copy


def test_the_page_opens_with_the_result_and_is_written_from_the_folder(done):
    folder, _, result = done
    page = write_report(folder).read_text()
    assert result.summary.split(".")[0] in page
    for word in ("plain", "talk", "search", "By one seed", "neither other corpora"):
        assert word in page
    assert write_report(folder) == folder / "report.html"


def test_what_is_left_to_do_is_counted_and_measured_before_it_is_done(done):
    folder, plan, _ = done
    lost = folder / "trainings" / "9000-equal-talk-seed-1"
    record = (lost / "done.json").rename(lost / "other.json")
    forecast = forecast_corpus_comparison(plan, folder)
    record.rename(lost / "done.json")
    assert (forecast.trainings, forecast.done) == (12, 11)
    assert [one.trainings for one in forecast.sizes] == [0, 1]
    assert forecast.seconds == pytest.approx(forecast.sizes[1].seconds)
    assert forecast.seconds > 0
    assert "12 trainings" in str(forecast)


TEXTS = {
    "long.txt": "\n\n".join(
        f"The {animal} went to the {place} and saw a {thing} there. It was a good day for the {animal} and for us."
        for animal in ("cat", "dog", "hen", "fox", "cow")
        for place in ("park", "town", "wood", "lake")
        for thing in ("ball", "boat")
    ),
    "short.txt": "\n\n".join(f"{word} menu home login {number}" for number, word in enumerate("abcdefgh" * 12)),
    "held.txt": "\n\n".join(f"Once a {name} sang all night long." for name in ("bird", "girl", "wolf", "king")),
}


@pytest.fixture
def texts(tmp_path):
    for name, text in TEXTS.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def of_texts(folder, *corpora, held_out=("held.txt",), **changes):
    named = {key: [{"name": name.partition(".")[0], "source": name} for name in names] for key, names in (
        ("corpus", corpora), ("held_out", held_out),
    )}  # fmt: skip
    return corpus_comparison_from(TINY | named | {"parameters": [4000]} | changes, data=folder)


def test_filters_divide_a_corpus_into_the_better_the_worse_and_a_random_part(texts):
    plan = of_texts(texts, "long.txt", "short.txt", filters="gopher-words(min_score=10)", designs=["equal", "whole"])
    result = compare_corpora(plan, texts / "run", workers=0)
    assert {name: counts.documents for name, counts in result.counts.items()} == {
        "better": 40, "worse": 96, "random": 136,
    }  # fmt: skip
    pairs = {(one.design, one.first, one.second) for one in result.differences}
    assert pairs == {(design, "better", other) for design in ("equal", "whole") for other in ("worse", "random")}
    assert "the better part wins against the worse part on" in result.summary
    unique = {
        record["corpus"]: record["unique"]
        for file in (texts / "run").glob("trainings/*-whole-*/done.json")
        if (record := json.loads(file.read_text()))
    }
    # As much as there is, up to the tokens of a training.
    assert unique == {name: min(900, counts.tokens) for name, counts in result.counts.items()}
    for one in result.differences:
        word = "loses" if one.difference.low > 0 else "wins" if one.difference.high < 0 else "not significant"
        assert one.outcome == word


def test_a_document_of_two_corpora_is_one_document_of_their_parts(texts):
    first = TEXTS["long.txt"].split("\n\n")[:10]
    (texts / "short.txt").write_text("\n\n".join([TEXTS["short.txt"], *first]))
    plan = of_texts(texts, "long.txt", "short.txt", filters="gopher-words(min_score=10)")
    prepared = prepare_corpora(plan, texts / "cache")
    assert {name: (counts.documents, counts.repeated) for name, counts in prepared.counts.items()} == {
        "better": (40, 10), "worse": (96, 10), "random": (136, 10),
    }  # fmt: skip


def test_a_held_out_text_may_begin_with_white_space(texts):
    rows = [" " * 1200 + "Once a bird sang.", "Once a girl sang all night long."]
    (texts / "held.jsonl").write_text("".join(json.dumps({"text": row}) + "\n" for row in rows))
    held = {"name": "held", "source": "held.jsonl", "clean": "none"}
    corpora = [{"name": name, "source": f"{name}.txt"} for name in ("long", "short")]
    named = {"corpus": corpora, "held_out": [held], "parameters": [4000]}
    prepared = prepare_corpora(corpus_comparison_from(TINY | named, data=texts), texts / "cache")
    assert sorted(map(len, prepared.held_out["held"])) == [32, 100]


def test_documents_that_share_words_with_a_held_out_text_are_left_out(texts):
    copied = TEXTS["held.txt"].split("\n\n")[0]
    (texts / "long.txt").write_text(f"{TEXTS['long.txt']}\n\nWe heard it said: {copied} So it was.\n\n{copied}")
    prepared = prepare_corpora(of_texts(texts, "long.txt", "short.txt", run=5), texts / "cache")
    assert prepared.counts["long"].contaminated == 2
    assert prepared.counts["long"].documents == 40
    assert prepared.counts["short"].contaminated == 0
    assert sorted(prepared.held_out["held"]) == sorted(TEXTS["held.txt"].split("\n\n"))


def test_the_tokenizer_favours_no_corpus(texts):
    plan = of_texts(texts, "long.txt", "short.txt")
    prepared = prepare_corpora(plan, texts / "cache")
    (texts / "long.txt").write_text(
        TEXTS["long.txt"] + "".join(f"\n\n{one} {n}" for one in TEXTS["long.txt"].split("\n\n") for n in range(30))
    )
    larger = prepare_corpora(plan, texts / "larger")
    assert larger.counts["long"].characters > 20 * prepared.counts["long"].characters
    shares = [{name: one.characters / one.tokens for name, one in each.counts.items()} for each in (prepared, larger)]
    # Thirty times as much of one corpus takes no tokens from the other.
    assert shares[1]["short"] == pytest.approx(shares[0]["short"], rel=0.1)


@pytest.mark.parametrize(
    ("corpora", "changes", "error", "message"),
    [
        (("long.txt",), {}, ExperimentFileError, "two corpora or more, or filters"),
        (("long.txt", "held.txt"), {}, ExperimentFileError, "held-out text 'held' is the corpus 'held'"),
        (("long.txt", "long.txt"), {}, ExperimentFileError, "two are called 'long'"),
        (("long.txt", "short.txt"), {"unique": 1100}, DataError, r"fewer: short \(\d+\); give more text, or --unique"),
        (("long.txt", "short.txt"), {"seeds": 1}, ExperimentFileError, "greater than or equal to 2"),
        (("long.txt", "short.txt"), {"parameters": [4000, 4000]}, ExperimentFileError, "stands there twice"),
        (("long.txt", "short.txt"), {"parameters": [1000]}, UsageError, "too small for 300 tokens"),
        (("long.txt", "short.txt"), {"filters": "gofer"}, UnknownNameError, "gofer"),
        (("long.txt",), {"filters": "gopher-words(min_score=1)"}, DataError, "keep all 40 documents"),
        (("long.txt",), {"filters": "gopher-words(min_score=999)"}, UsageError, "remove all 40 documents"),
        (("long.txt", "none.txt"), {}, DataError, "none.txt"),
        (("long.txt", "short.txt"), {"unlike": 3}, ExperimentFileError, "unknown key 'unlike'"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_in_one_line_before_anything_is_trained(texts, corpora, changes, error, message):
    with pytest.raises(error, match=message) as caught:
        compare_corpora(of_texts(texts, *corpora, **changes), texts / "run", workers=0)
    assert "\n" not in str(caught.value)
    assert not list(texts.glob("run/trainings/*"))
    assert not (texts / "run" / "comparison.toml").exists()


def test_no_held_out_text_is_called_as_the_mean_of_several(texts):
    with pytest.raises(ExperimentFileError, match="'mean' is what the mean of several texts is called"):
        of_texts(texts, "long.txt", "short.txt", held_out=("mean.txt", "held.txt"))
    of_texts(texts, "long.txt", "short.txt", held_out=("mean.txt",))


def test_a_held_out_text_that_stands_in_a_corpus_under_another_name_is_refused(texts):
    (texts / "copy.txt").write_text(f"{TEXTS['short.txt']}\n\n{TEXTS['held.txt']}")
    with pytest.raises(DataError, match="4 of 4 excerpts of the held-out text 'held' stand in the corpus 'copy'"):
        compare_corpora(of_texts(texts, "long.txt", "copy.txt"), texts / "run", workers=0)


def test_a_folder_that_holds_another_comparison_is_refused(done, tmp_path):
    folder, _, _ = done
    with pytest.raises(StoreError, match="unique = 600, not 500"):
        compare_corpora(corpus_comparison_from(table(unique=500)), folder, workers=0)
    with pytest.raises(UsageError, match="--workers"):
        compare_corpora(corpus_comparison_from(table()), tmp_path / "run", workers=-1)
    with pytest.raises(StoreError, match="no comparison of corpora"):
        read_corpus_comparison(tmp_path / "nothing")


@pytest.mark.parametrize("size", [20_000, 300_000, 2_000_000, 10_000_000])
def test_models_have_about_the_parameters_that_they_should(size):
    shape = model_of_size(size, 1024, 256)
    width, layers = shape.width, shape.layers
    counted = 1024 * width + layers * (4 * width**2 + 3 * width * shape.inner + 2 * width) + width
    assert counted == pytest.approx(size, rel=0.2 if size < 100_000 else 0.05)


def test_the_parameters_of_a_built_model_are_those_of_its_shape(done):
    folder, plan, result = done
    prepared = prepare_corpora(plan, folder / "prepared")
    model = build_recipe_model(training_recipe(plan, 9000, 0), prepared.tokenizer)
    assert sum(weight.numel() for weight in model.parameters()) == result.parameters[9000]


def test_the_corpus_that_is_like_the_held_out_text_is_the_better_one(tmp_path):
    held_out = [{"name": "search", "mixture": {"search-object": 1.0}, "stories": 20, "seed": 8}]
    longer = {"unique": 1500, "tokens": 6000, "parameters": [9000], "training": {"batch_tokens": 300}}
    result = compare_corpora(
        corpus_comparison_from(FEW | longer | {"corpus": GRAMMAR[1:], "held_out": held_out, "run": 40}),
        tmp_path / "run",
        workers=0,
    )
    ranked = result.ranked(9000, "equal", "search")
    assert [one.corpus for one in ranked] == ["search", "talk"]
    assert max(ranked[0].by_seed) < min(ranked[1].by_seed)


@pytest.mark.slow
def test_a_comparison_that_is_killed_ends_with_the_bytes_of_one_that_was_not(tmp_path):
    file = tmp_path / "c.toml"
    longer = table(tokens=60_000, parameters=[9000], name="killed")
    file.write_text(tomli_w.dumps(longer))
    words = [
        sys.executable, "-m", "shoal", "curate", "compare", str(file), "--out", str(tmp_path / "killed"),
        "--workers", "2",
    ]  # fmt: skip
    running = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not list((tmp_path / "killed" / "trainings").glob("*/checkpoint/*")):
        assert running.poll() is None
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert not (tmp_path / "killed" / "result.json").exists()
    assert subprocess.run(words, capture_output=True, check=False).returncode == 0
    compare_corpora(corpus_comparison_from(longer), tmp_path / "whole", workers=0)
    killed, whole = ((tmp_path / name / "result.json").read_bytes() for name in ("killed", "whole"))
    assert killed == whole
