"""Finding a dimension: planted ones are found, and too few items are said."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from shoal.errors import DataError, UsageError
from shoal.insight import AnalysisOptions
from shoal.insight.vectors import LabelTask, PairTask, embed_words, find_dimension, read_label_task
from shoal.models import LoadedModel, load_model
from shoal.text import train_tokenizer
from shoal.text.vectors import WordPairs, WordVectors
from tiny_models import tiny_llama

WORDS = tuple(f"w{number}" for number in range(1200))
HIDDEN = np.random.default_rng(0).normal(size=(1200, 64)).astype(np.float32)
LABELLED = tuple(((word,), "yes" if row[0] > 0 else "no") for word, row in zip(WORDS, HIDDEN, strict=True))


def planted(dimension: int, seed: int) -> WordVectors:
    """The first dimensions of vectors that are the truth."""
    return WordVectors(words=WORDS, matrix=HIDDEN[:, :dimension])


def pairs(count: int) -> WordPairs:
    """Scores that all 64 dimensions make."""
    random = np.random.default_rng(1)
    unit = HIDDEN / np.linalg.norm(HIDDEN, axis=1, keepdims=True)
    chosen = random.choice(1200, size=(count, 2))
    return WordPairs(name="planted", pairs=tuple((WORDS[a], WORDS[b], float(unit[a] @ unit[b])) for a, b in chosen))


def test_a_task_of_one_dimension_needs_few_and_one_of_all_needs_all() -> None:
    tasks = [LabelTask(name="tags", kind="part of speech", items=LABELLED), PairTask(pairs=pairs(2000), name="pairs")]
    tags, similar = find_dimension(planted, tasks, (8, 32, 64, 128)).findings
    assert tags.enough == (8 if tags.best > 8 else None)
    assert tags.verdict == "supported"
    assert similar.best in {64, 128}
    assert [each.standing for each in similar.scores[:2]] == ["worse", "worse"]
    assert similar.verdict == "refuted"  # 64 are as good as 128, so that fewer than 100 are not too few


def test_the_claim_that_few_are_too_few_is_supported_where_it_holds() -> None:
    wide = np.random.default_rng(0).normal(size=(1200, 200)).astype(np.float32)
    unit = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    chosen = np.random.default_rng(1).choice(1200, size=(2000, 2))
    scores = tuple((WORDS[a], WORDS[b], float(unit[a] @ unit[b])) for a, b in chosen)
    task = PairTask(pairs=WordPairs(name="wide", pairs=scores), name="wide")
    report = find_dimension(lambda size, _: WordVectors(words=WORDS, matrix=wide[:, :size]), [task], (50, 100, 200))
    assert report.findings[0].verdict == "supported"
    (few,) = find_dimension(
        lambda size, _: WordVectors(words=WORDS, matrix=wide[:, :size]), [task], (50, 100, 200), few_sentences=True
    ).findings
    assert few.claim.startswith("50 to 100")
    assert few.verdict == "refuted"


def test_too_few_items_leave_it_open_and_say_how_many_would_do() -> None:
    noise = tuple(
        (a, b, float(score)) for (a, b, _), score in zip(pairs(80).pairs, np.arange(80) * 7 % 80, strict=True)
    )
    task = PairTask(pairs=WordPairs(name="noise", pairs=noise), name="noise")
    (found,) = find_dimension(planted, [task], (8, 64)).findings
    assert "open" in {each.standing for each in found.scores}
    assert found.items_needed > found.items
    assert found.verdict == "underpowered"


def test_scores_by_chance_are_those_of_a_coin() -> None:
    labels = np.random.default_rng(2).integers(2, size=1200)
    items = tuple(((word,), str(label)) for word, label in zip(WORDS, labels, strict=True))
    chosen, reported = LabelTask(name="coin", kind="sentiment", items=items).judge(planted(16, 0))
    assert abs(reported.score - 0.5) < 0.1
    assert chosen.items == reported.items == 240


def test_a_rare_label_weighs_as_much_as_a_frequent_one() -> None:
    items = tuple(((word,), "rare" if row[0] > 1.5 else "often") for word, row in zip(WORDS, HIDDEN, strict=True))
    _, reported = LabelTask(name="rare", kind="emotion", items=items).judge(planted(4, 0))
    assert reported.score > 0.85


def test_rows_with_several_labels_are_left_out_and_gz_is_unpacked(tmp_path) -> None:
    file = tmp_path / "rows.tsv.gz"
    file.write_bytes(gzip.compress(b"Good day\t1\tid\nBad, day\t0\tid\nboth\t0,1\tid\n"))
    task = read_label_task(file, name="emotion", kind="emotion")
    assert task.items == ((("good", "day"), "1"), (("bad", "day"), "0"))


def test_a_line_without_a_label_is_named(tmp_path) -> None:
    (tmp_path / "rows.tsv").write_text("a\t1\nb\n")
    with pytest.raises(DataError, match="line 2"):
        read_label_task(tmp_path / "rows.tsv", name="x", kind="emotion")


def test_too_few_known_items_are_refused() -> None:
    with pytest.raises(DataError, match="at least 60"):
        find_dimension(planted, [PairTask(pairs=pairs(20), name="few")], (8, 64))


@pytest.mark.parametrize("grid", [(8,), (0, 8), ()])
def test_a_grid_that_cannot_be_is_refused(grid) -> None:
    with pytest.raises(UsageError, match="at least two"):
        find_dimension(planted, [PairTask(pairs=pairs(200), name="pairs")], grid)


def test_a_models_own_vectors_are_the_means_of_its_tokens() -> None:
    stories = load_model("bundled:searches")
    found = embed_words(stories, ["day", "extraordinary"])
    ids = stories.tokenizer(" extraordinary", add_special_tokens=False)["input_ids"]
    expected = stories.model.get_input_embeddings().weight[ids].mean(dim=0).detach().numpy()
    assert found.dimension == 64
    np.testing.assert_allclose(found.matrix[1], expected, rtol=1e-5)


def test_a_blank_that_the_tokenizer_writes_itself_is_no_part_of_a_word() -> None:
    text = "the cat sat on the mat while a dog ran to and fro"
    tokenizer = train_tokenizer([text] * 20, kind="sentencepiece-bpe", vocabulary=300)
    model = tiny_llama(vocab_size=300)
    loaded = LoadedModel(spec="m", model=model, tokenizer=tokenizer, digest="0", parameters=0, origin="t")
    _, the = tokenizer("on the", add_special_tokens=False)["input_ids"]
    expected = model.get_input_embeddings().weight[the].detach().numpy()
    np.testing.assert_allclose(embed_words(loaded, ["the"]).matrix[0], expected, rtol=1e-5)


@pytest.mark.parametrize("needed", [4, 16, 64])
def test_the_planted_dimension_is_enough_and_less_is_worse(needed: int) -> None:
    """Scores that the first dimensions make, and no others."""
    unit = HIDDEN[:, :needed] / np.linalg.norm(HIDDEN[:, :needed], axis=1, keepdims=True)
    chosen = np.random.default_rng(1).choice(1200, size=(2000, 2))
    scores = tuple((WORDS[a], WORDS[b], float(unit[a] @ unit[b])) for a, b in chosen)
    task = PairTask(pairs=WordPairs(name="planted", pairs=scores), name="planted")
    (found,) = find_dimension(planted, [task], (2, 4, 16, 64)).findings
    assert found.best == needed
    standings = {each.dimension: each.standing for each in found.scores}
    assert standings[needed] == "as good"
    assert all(standings[each] == "worse" for each in (2, 4, 16, 64) if each < needed)


def test_more_dimensions_than_the_best_are_not_what_is_enough() -> None:
    task = PairTask(pairs=pairs(200), name="pairs")
    (found,) = find_dimension(lambda _, seed: planted(8, seed), [task], (2, 8, 64)).findings
    assert [each.standing for each in found.scores] == ["as good"] * 3
    assert (found.best, found.enough) == (2, None)
    assert "no smaller one is shown to be as good" in str(found)


def test_losses_are_differences_from_the_best_and_lie_in_their_intervals() -> None:
    (found,) = find_dimension(planted, [PairTask(pairs=pairs(800), name="pairs")], (8, 64)).findings
    by_dimension = {each.dimension: each for each in found.scores}
    best = by_dimension[found.best]
    assert (best.loss, best.low, best.high) == (0.0, 0.0, 0.0)
    for each in found.scores:
        assert each.loss == pytest.approx(best.score - each.score)
        assert each.low <= each.loss <= each.high


def test_what_is_open_is_as_good_where_only_a_larger_effect_matters() -> None:
    noise = tuple(
        (a, b, float(score)) for (a, b, _), score in zip(pairs(80).pairs, np.arange(80) * 7 % 80, strict=True)
    )
    task = PairTask(pairs=WordPairs(name="noise", pairs=noise), name="noise")
    strict, loose = (find_dimension(planted, [task], (8, 64), min_effect=effect).findings[0] for effect in (0.02, 1.9))
    assert "open" in {each.standing for each in strict.scores}
    assert {each.standing for each in loose.scores} == {"as good"}
    assert strict.items_needed is not None
    assert loose.items_needed is None


def test_every_training_counts_and_costs_are_of_all_dimensions() -> None:
    calls: list[tuple[int, int]] = []

    def train(dimension: int, seed: int) -> WordVectors:
        calls.append((dimension, seed))
        return planted(dimension, seed)

    steps: list[tuple[str, int, int]] = []
    options = AnalysisOptions(progress=lambda *call: steps.append(call))
    report = find_dimension(train, [PairTask(pairs=pairs(200), name="pairs")], (16, 8), seeds=2, options=options)
    assert calls == [(8, 0), (8, 1), (16, 0), (16, 1)]
    assert steps == [("dimensions", 1, 2), ("dimensions", 2, 2)]
    assert [(cost.dimension, cost.bytes) for cost in report.costs] == [(8, 1200 * 8 * 4), (16, 1200 * 16 * 4)]


def test_a_report_is_printed_and_tabulated() -> None:
    tasks = [LabelTask(name="tags", kind="part of speech", items=LABELLED), PairTask(pairs=pairs(200), name="pairs")]
    report = find_dimension(planted, tasks, (8, 64))
    frame = report.to_frame()
    assert list(zip(frame.task, frame.dimension, strict=True)) == [
        ("tags", 8),
        ("tags", 64),
        ("pairs", 8),
        ("pairs", 64),
    ]
    text = str(report)
    assert "tags (240 test items): best by validation" in text
    assert "claim: at most 50 dimensions are enough: " in text
    assert "CPU-seconds" in text
    assert report.to_dict()["min_effect"] == 0.02
