"""A fine-tuning cross-validated: nothing leaks, the choice of a rate is nested, and a killed run goes on."""

from __future__ import annotations

import json
import shutil

import pytest

from shoal.errors import DataError, StoreError, UnknownNameError, UsageError
from shoal.experiments import FoldChoices, cross_validate_tuning
from shoal.tasks import Example
from shoal.training import TrainSettings

SETTINGS = TrainSettings(learning_rate=1e-3, epochs=1, batch_tokens=64, precision="float32")


def examples(count=8):
    return [
        Example(prompt=f"The {word} number {number} is", completion=f" {number}", tags={"template": word})
        for word in ("red", "blue", "green", "grey")[: count // 2]
        for number in (1, 2)
    ]


def test_each_fold_is_scored_by_a_model_that_never_saw_its_template(tmp_path):
    choices = FoldChoices(folds=2, score="bits_per_byte")
    seen = []
    result = cross_validate_tuning(
        "bundled:searches", examples(), SETTINGS, tmp_path / "run", choices=choices, workers=0,
        progress=lambda what, done, total: seen.append((what, done, total)),
    )  # fmt: skip
    assert [(fold.trained_on, fold.tested_on) for fold in result.folds] == [(4, 4), (4, 4)]
    assert result.low < result.mean < result.high
    assert seen[-1] == ("trainings", 2, 2)
    # A fold that was lost is done again, to the same score; the other is not.
    kept = (tmp_path / "run" / "fold-1" / "outer" / "done.json").stat().st_mtime_ns
    shutil.rmtree(tmp_path / "run" / "fold-2")
    again = cross_validate_tuning(
        "bundled:searches", examples(), SETTINGS, tmp_path / "run", choices=choices, workers=0
    )
    assert again == result
    assert (tmp_path / "run" / "fold-1" / "outer" / "done.json").stat().st_mtime_ns == kept
    with pytest.raises(StoreError, match="holds a run"):
        cross_validate_tuning("bundled:searches", examples(6), SETTINGS, tmp_path / "run", choices=choices, workers=0)


@pytest.mark.slow
def test_the_rate_of_a_fold_is_chosen_within_its_training_part(tmp_path):
    choices = FoldChoices(folds=2, inner_folds=2, learning_rates=(1e-9, 3e-3), score="bits_per_byte")
    result = cross_validate_tuning("bundled:searches", examples(), SETTINGS, tmp_path, choices=choices, workers=0)
    for number, fold in enumerate(result.folds, 1):
        means = {}
        for rate in (1e-9, 3e-3):
            records = [
                json.loads(
                    (tmp_path / f"fold-{number}" / f"rate-{rate!r}" / f"inner-{inner}" / "done.json").read_text()
                )
                for inner in (1, 2)
            ]
            means[rate] = sum(record["score"] for record in records)
        assert fold.chosen == f"learning rate {min(means, key=means.get):g}"


def test_what_cannot_be_divided_or_scored_is_named(tmp_path):
    def run(rows, **choices):
        return cross_validate_tuning(
            "bundled:searches", rows, SETTINGS, tmp_path, choices=FoldChoices(**choices), workers=0
        )

    with pytest.raises(UsageError, match="5 folds cannot be made of 4 groups"):
        run(examples(), folds=5)
    with pytest.raises(DataError, match="fewer than the 2 folds"):
        run([*examples(), Example(prompt="x", completion=" y", tags={"template": "t"})], folds=2, stratify="completion")
    with pytest.raises(UnknownNameError, match="exact_match"):
        run(examples(), score="exact_mach")
    assert not list(tmp_path.iterdir())


def test_a_measure_of_the_answers_text_scores_folds(tmp_path):
    choices = FoldChoices(folds=2, score="digit_count")
    result = cross_validate_tuning(
        "bundled:searches", examples(4), SETTINGS, tmp_path / "run", choices=choices, workers=0
    )
    assert all(0 <= fold.score <= 1 for fold in result.folds)


class Stopped(Exception):  # noqa: N818 - stands for a run that is killed
    """Raised before the first training."""


def test_a_folder_of_other_inner_folds_is_refused_and_a_rate_stands_once(tmp_path):
    def stop(*_):
        raise Stopped

    def run(**changes):
        choices = FoldChoices(folds=4, **{"learning_rates": (1e-3, 1e-2)} | changes)
        cross_validate_tuning(
            "bundled:searches", examples(), SETTINGS, tmp_path / "run", choices=choices, workers=0, progress=stop
        )

    with pytest.raises(Stopped):
        run(inner_folds=3)
    with pytest.raises(StoreError, match="holds a run"):
        run(inner_folds=2)
    with pytest.raises(Stopped):
        run(inner_folds=3)
    with pytest.raises(UsageError, match=r"the learning rates are 0\.001, 0\.001; give each once"):
        run(learning_rates=(1e-3, 1e-3))
