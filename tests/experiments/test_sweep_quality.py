"""Corruption hits the training documents alone, and a greater severity hits what a smaller one hit and more."""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice

import pytest

from shoal.corpora.grammar import tell_stories
from shoal.experiments.pretraining import recipe_from
from shoal.experiments.pretraining.data import prepare_data
from shoal.experiments.pretraining.documents import read_texts
from shoal.experiments.sweeps.data_corruption import corrupt, corrupt_corpora

TEXTS = [story.text for story in islice(tell_stories(seed=5), 200)]


def words(text):
    return re.findall(r"[A-Za-z']+", text)


def test_no_dose_changes_nothing():
    assert corrupt(TEXTS, {}) == TEXTS
    assert corrupt(TEXTS, {"noise": 0.0, "repeats": 0.0, "kept": 1.0}) == TEXTS


def test_noise_takes_a_word_with_its_marks():
    text = "हिन्दी किताब"
    assert set(corrupt([text] * 50, {"noise": 1.0})) <= {
        f"{one} {other}" for one in text.split() for other in text.split()
    }


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_noise_replaces_its_share_of_the_words_and_leaves_the_rest(share):
    changed = total = 0
    for text, noisy in zip(TEXTS, corrupt(TEXTS, {"noise": share}), strict=True):
        before, after = words(text), words(noisy)
        assert len(before) == len(after)
        assert re.sub(r"[A-Za-z']+", "", text) == re.sub(r"[A-Za-z']+", "", noisy)
        changed += sum(one != other for one, other in zip(before, after, strict=True))
        total += len(before)
    # Words drawn from the same corpus are now and then the same word.
    assert 0.9 * share < changed / total < 1.02 * share


def test_noise_leaves_the_law_of_single_words():
    before, after = (
        Counter(word for text in texts for word in words(text)) for texts in (TEXTS, corrupt(TEXTS, {"noise": 0.5}))
    )
    total = sum(before.values())
    distance = sum(abs(before[word] - after[word]) for word in before | after) / 2 / total
    assert distance < 0.06


def test_a_larger_dose_hits_what_a_smaller_one_hit():
    little, much = corrupt(TEXTS, {"noise": 0.1}), corrupt(TEXTS, {"noise": 0.3})
    hit = 0
    for text, one, other in zip(TEXTS, little, much, strict=True):
        for before, less, more in zip(words(text), words(one), words(other), strict=True):
            if less != before:
                hit += 1
                assert more == less
    assert hit > 1000


def test_repeats_replace_documents_by_copies_of_sound_ones():
    repeated = corrupt(TEXTS, {"repeats": 0.4})
    assert len(repeated) == len(TEXTS)
    assert sum(one != other for one, other in zip(TEXTS, repeated, strict=True)) == 80
    assert len(set(repeated)) == 120
    assert set(repeated) <= set(TEXTS)
    # Of three documents the share would round to all of them.
    assert len(set(corrupt(TEXTS[:3], {"repeats": 0.9}))) == 1
    assert len(corrupt(TEXTS, {"kept": 1e-9, "repeats": 0.9})) == 1


def test_kept_takes_fewer_documents_of_which_a_smaller_share_is_a_part():
    half, quarter = corrupt(TEXTS, {"kept": 0.5}), corrupt(TEXTS, {"kept": 0.25})
    assert (len(half), len(quarter)) == (100, 50)
    assert set(quarter) < set(half) < set(TEXTS)
    assert len(corrupt(TEXTS, {"kept": 1e-9})) == 1


def test_the_held_out_documents_stay_as_they_are(tmp_path):
    recipe = recipe_from(
        {
            "name": "r",
            "corpus": [{"name": "a", "grammar": 120, "held_out": 0.2}, {"name": "b", "grammar": 60, "seed": 1}],
            "tokenizer": {"vocabulary": 320},
            "model": {"context": 64},
        },
        "r",
    )
    damaged = corrupt_corpora(recipe, {"a": {"noise": 0.5, "kept": 0.5}}, tmp_path / "p")
    before, after = prepare_data(recipe, tmp_path / "p"), prepare_data(damaged, tmp_path / "p")
    assert sorted(after.held_out_ids) == sorted(before.held_out_ids)
    texts = {name: list(read_texts(file)) for name, file in before.texts.items()}
    changed = {name: list(read_texts(file)) for name, file in after.texts.items()}
    kept = [text for text, held in zip(texts["a"], before.split.held_out["a"], strict=True) if held]
    assert [text for text, held in zip(changed["a"], after.split.held_out["a"], strict=True) if held] == kept
    assert after.split.seen["a"].sum() == round(0.5 * before.split.seen["a"].sum())
    assert changed["b"] == texts["b"]
    assert corrupt_corpora(recipe, {}, tmp_path / "p") is recipe


def test_trials_that_hold_out_other_documents_have_corrupted_corpora_of_their_own(tmp_path):
    def recipe(share):
        table = {
            "name": "r",
            "corpus": [{"name": "a", "grammar": 40, "held_out": share}],
            "tokenizer": {"vocabulary": 320},
            "model": {"context": 64},
        }
        return recipe_from(table, "r")

    whole = corrupt_corpora(recipe(0.1), {"a": {"noise": 0.5}}, tmp_path).corpus[0].source
    for share in (0.1, 0.5):
        made = corrupt_corpora(recipe(share), {"a": {"noise": 0.5}}, tmp_path).corpus[0].source
        assert (made == whole) is (share == 0.1), "held-out documents would be corrupted as those of another trial are"


@pytest.mark.parametrize("severity", [{"noise": 0.2, "kept": 0.5}, {"noise": 0.2, "repeats": 0.5}])
def test_noise_hits_the_same_words_of_the_documents_that_stay(severity):
    alone = set(corrupt(TEXTS, {"noise": 0.2}))
    stay = corrupt(TEXTS, {name: share for name, share in severity.items() if name != "noise"})
    assert len(alone & set(corrupt(TEXTS, severity))) >= (0.99 if "kept" in severity else 0.4) * len(set(stay))
