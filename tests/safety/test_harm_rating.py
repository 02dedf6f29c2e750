"""The rate of harmful answers: corrected by labels of elsewhere and of its own, as its errors are simulated."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reward_models import save_reward_model
from shoal.cli.main import main
from shoal.errors import DataError
from shoal.reports import refusals_page
from shoal.safety import rate_refusals, shipped_refusal_head
from shoal.safety.harm import PreferencePair, measure_pair_accuracy, rate_harm, read_preference_pairs
from shoal.safety.prompt_scores import score_completions


class Noisy:
    """Finds 80% of the harmful answers and blames 10% of the others."""

    name = "noisy"

    def __call__(self, prompts: list[str], completions: list[str]) -> list[float]:
        found = []
        for prompt, completion in zip(prompts, completions, strict=True):
            draw = random.Random(prompt + completion).random()
            found.append(float(draw < (0.8 if completion == "bad" else 0.1)))
        return found


def rows(harmful: int, harmless: int, *, name: str, labelled: int = 0) -> list[dict[str, Any]]:
    made = [
        {"prompt": f"{name} {place}", "completion": "bad" if place < harmful else "good"}
        for place in range(harmful + harmless)
    ]
    random.Random(name).shuffle(made)
    for row in made[:labelled]:
        row["harm"] = "harmful" if row["completion"] == "bad" else "harmless"
    return made


def test_labels_of_elsewhere_and_of_its_own_bring_the_rate_to_the_truth() -> None:
    answers = rows(240, 960, name="a", labelled=120)
    found = rate_harm(answers, Noisy(), labels=rows(300, 300, name="b", labelled=600))
    assert found.harmful.raw == pytest.approx(0.24, abs=0.04)
    assert found.harmful.low < 0.2 < found.harmful.high
    assert abs(found.harmful.corrected - 0.2) < abs(found.harmful.raw - 0.2)
    assert found.labelled is not None
    assert found.labelled.low < 0.2 < found.labelled.high
    assert found.errors is not None
    assert found.errors.sensitivity == pytest.approx(0.8, abs=0.06)
    assert "Rogan-Gladen" in str(found)
    assert "prediction-powered" in str(found)


def test_labels_and_answers_that_cannot_be_used_are_refused() -> None:
    answers = rows(2, 8, name="a")
    for labels, message in (
        ([row | {"harm": "harmless"} for row in answers], "0 of 10 labels are positive"),
        (answers, "none of the 10 labelled answers has a label"),
        ([answers[0] | {"harm": "perhaps"}], "expected harmful or harmless"),
        ([{"prompt": "a"}], "the column 'completion' holds no text"),
    ):
        with pytest.raises(DataError, match=message):
            rate_harm(answers, Noisy(), labels=labels)
    with pytest.raises(DataError, match="all 1 answers are empty"):
        rate_harm([{"prompt": "a", "completion": " "}], Noisy())
    found = rate_harm([*answers, {"prompt": "a", "completion": ""}], Noisy())
    assert (found.empty, len(found.answers)) == (1, 10)


class Constant:
    """Gives one value for every answer, or for the first ones alone."""

    name = "constant"

    def __init__(self, value: Any, *, most: int = 10**6) -> None:
        self.value, self.most = value, most

    def __call__(self, prompts: list[str], completions: list[str]) -> list[Any]:
        return [self.value for _ in completions][: self.most]


@pytest.mark.parametrize(
    ("scorer", "fault"),
    [
        (Constant(float("nan")), "constant gives nan; expected scores of 0"),
        (Constant(1.5), "constant gives 1.5; expected scores of 0"),
        (Constant(-0.1), "constant gives -0.1; expected scores of 0"),
        (Constant("high"), "constant gives 'high'; expected scores of 0"),
        (Constant(1.0, most=3), "constant gives 3 scores of 10 answers; expected one for each"),
        (Constant(None), "constant gave no usable score of any of 10 answers"),
    ],
)
def test_scores_that_are_no_harm_are_refused_and_not_taken_for_none(scorer: Constant, fault: str) -> None:
    answers = rows(2, 8, name="a")
    with pytest.raises(DataError, match=fault):
        rate_harm(answers, scorer)
    pairs = [PreferencePair(prompt=str(place), chosen="good", rejected="bad") for place in range(10)]
    if scorer.most > 3 and scorer.value is not None:
        with pytest.raises(DataError, match=fault):
            measure_pair_accuracy(pairs, scorer)
        with pytest.raises(DataError, match=fault):
            score_completions(["a"] * 10, ["b"] * 10, shipped_refusal_head(), harm=scorer)


@pytest.mark.parametrize("value", [1, True, np.float32(1.0), np.bool_(True)])
def test_scores_of_two_classes_and_of_numpy_are_harms(value: Any) -> None:
    found = rate_harm(rows(2, 8, name="a"), Constant(value))
    assert found.harmful.raw == 1
    assert json.loads(json.dumps(found.to_dict()))["scored"][0]["harm"] == 1.0


def test_labels_of_which_none_got_a_score_are_refused_by_their_number() -> None:
    class Choosy(Noisy):
        name = "choosy"

        def __call__(self, prompts: list[str], completions: list[str]) -> list[Any]:
            return [None if prompt.startswith("b") else 1.0 for prompt in prompts]

    with pytest.raises(DataError, match="choosy gave no usable score of any of 4 labelled answers"):
        rate_harm(rows(2, 8, name="a"), Choosy(), labels=rows(2, 2, name="b", labelled=4))


def test_pairs_of_preferences_are_the_last_answers_of_dialogues(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl.gz"
    start = "\n\nHuman: Hi\n\nAssistant: Hello.\n\nHuman: How?\n\nAssistant:"
    row = {"chosen": f"{start} good", "rejected": f"{start} bad"}
    path.write_bytes(gzip.compress("\n".join([json.dumps(row)] * 40).encode()))
    pairs = read_preference_pairs(path, max_pairs=30)
    assert (len(pairs), pairs[0].prompt, pairs[0].chosen, pairs[0].rejected) == (30, "How?", "good", "bad")
    found = measure_pair_accuracy(pairs, Noisy())
    assert (found.right + found.ties, found.pairs) == (30, 30)
    assert found.interval.low <= found.accuracy <= found.interval.high
    path.write_bytes(gzip.compress(b'{"chosen": "good"}'))
    with pytest.raises(DataError, match="the row has no two dialogues"):
        read_preference_pairs(path)


def test_real_preference_pairs_are_read(data_folder: Path) -> None:
    pairs = read_preference_pairs(data_folder / "hh-rlhf" / "harmless-base_test.jsonl.gz", max_pairs=50)
    assert len(pairs) == 50
    assert all(pair.prompt and pair.chosen != pair.rejected and "\n\nHuman:" not in pair.chosen for pair in pairs)


def test_the_command_scores_harm_by_a_local_model_and_refuses_what_contradicts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, page = tmp_path / "answers.jsonl", tmp_path / "page.html"
    path.write_text("\n".join(map(json.dumps, rows(5, 5, name="a"))), encoding="utf-8")
    given = ["safety", "rate", str(path), "--harm-model", str(save_reward_model(tmp_path / "model"))]
    main([*given, "--plot", str(page), "--json"])
    found = json.loads(capsys.readouterr().out)["harm"]
    assert len(found["scored"]) == 10
    assert found["harmful"]["method"] == "not corrected"
    assert "Harmful answers, by" in page.read_text(encoding="utf-8")
    for wrong, message in (
        ([*given, "--certify-harm"], "fails its certificate, so that its scores are not used"),
        ([*given, "--harm-judge", "http://localhost:1/v1", "--harm-judge-model", "m"], "mutually exclusive"),
        ([*given[:3], "--harm-judge", "http://localhost:1/v1"], "needs both --harm-judge URL and --harm-judge-model"),
        ([*given[:3], "--certify-harm"], "are for a scorer of harm"),
        (
            [*given[:3], "--harm-judge", "http://localhost:1/v1", "--harm-judge-model", "m", "--price-in", "1"],
            "the judge was not called",
        ),
    ):
        with pytest.raises(SystemExit) as stop:
            main(wrong)
        assert stop.value.code == 2
        assert message in capsys.readouterr().err.replace("\n", " ")


def test_the_page_of_refusals_has_the_rates_of_harm() -> None:
    answers = rows(20, 20, name="a")
    page = refusals_page(rate_refusals(answers), rate_harm(answers, Noisy()))
    assert "Harmful answers, by noisy" in page
