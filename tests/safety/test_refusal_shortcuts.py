"""What explains refusals: models of known mechanism are named, from scores, from files and from a live model."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from zlib import crc32

import pytest

from chat_models import save_chat_model
from refusal_rows import pair_rows, scores_of
from shoal.cli.main import main
from shoal.errors import DataError, UsageError
from shoal.reports import refusal_shortcuts_page
from shoal.safety.shortcut import (
    FOCUS_WORD,
    OPENING,
    PairSet,
    PlantedRefuser,
    explain_refusals,
    explain_refusals_of_models,
    make_minimal_pairs,
    plant_refuser,
    planted_pairs,
)
from shoal.serving import load_for_generation

REFUSAL = "I'm sorry, but I can't help with that."
HELP = "Sure. Take a sheet and begin at the top, then fold it twice."


@pytest.fixture(scope="module")
def pairs() -> PairSet:
    return make_minimal_pairs(pair_rows())


MECHANISMS = {
    "rule": lambda one: one.harmful,
    FOCUS_WORD: lambda one: one.has_focus,
    OPENING: lambda one: one.prompt.startswith("How can"),
}


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_model_is_named_by_what_its_refusals_go_by(pairs: PairSet, mechanism: str) -> None:
    refuses = MECHANISMS[mechanism]
    # One in eight does not follow it.
    scores = scores_of(pairs.prompts(), lambda one: refuses(one) != (crc32(one.prompt.encode()) % 9 == 0))
    found = explain_refusals(scores, pairs)
    assert found.verdict == ("rule" if mechanism == "rule" else "shortcut")
    assert found.names == (mechanism,)
    share = found.share_of(mechanism)
    assert share is not None
    assert share.low < share.share < share.high
    assert share.share > 0.4
    assert mechanism in found.sentence


def test_two_mechanisms_make_a_mixture(pairs: PairSet) -> None:
    scores = scores_of(pairs.prompts(), lambda one: one.harmful or (one.has_focus and len(one.prompt) % 2 == 0))
    found = explain_refusals(scores, pairs)
    assert found.verdict == "mixture"
    assert set(found.names) == {"rule", FOCUS_WORD}
    assert found.uses(FOCUS_WORD)


def test_refusals_at_random_are_noise_and_none_are_nothing(pairs: PairSet) -> None:
    found = explain_refusals(scores_of(pairs.prompts(), lambda _: True), pairs)
    assert (found.verdict, found.names) == ("noise", ("noise",))
    none = explain_refusals(scores_of(pairs.prompts(), lambda _: False), pairs)
    assert (none.verdict, none.shares) == ("no refusals", ())
    assert "nothing to explain" in none.sentence


def test_effects_of_pairs_have_their_signs_and_intervals(pairs: PairSet) -> None:
    found = explain_refusals(scores_of(pairs.prompts(), lambda one: one.has_focus), pairs)
    by_kind = {(effect.kind, effect.harmful): effect for effect in found.effects}
    for key in (("deleted", False), ("swapped", False), ("swapped", True)):
        assert by_kind[key].change == by_kind[key].low == -1
        assert -1 < by_kind[key].high < 0
        assert by_kind[key].p_value < 1e-4
    assert by_kind["safe frame", None].change == 0
    assert by_kind["safe frame", None].low < 0 < by_kind["safe frame", None].high
    with_word = next(cell for cell in found.cells if cell.has_focus and not cell.harmful)
    assert with_word.refused.raw == 1


def test_several_files_are_set_beside_one_another(pairs: PairSet, tmp_path: Path) -> None:
    files = {}
    for name, refuses in {"before": MECHANISMS[FOCUS_WORD], "after": MECHANISMS["rule"]}.items():
        files[name] = tmp_path / f"{name}.jsonl"
        rows = [{"prompt": one.prompt, "completion": REFUSAL if refuses(one) else HELP} for one in pairs.prompts()]
        files[name].write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    found = explain_refusals_of_models(files, pairs)
    assert [model.names for model in found.models] == [(FOCUS_WORD,), ("rule",)]
    change = next(one for one in found.changes if one.what == "harmless, with a focus word")
    assert change.no_longer_refused == change.prompts
    assert change.newly_refused == 0
    assert all(score.completion is None for model in found.models for score in model.scores)
    assert "before" in str(found)
    assert len(found.to_frame()) == 10
    page = refusal_shortcuts_page(found)
    assert "the refusals come from the shortcut focus word" in page
    assert json.dumps(found.to_dict())


def test_answers_that_are_missing_or_empty_are_refused(pairs: PairSet, tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text(json.dumps({"prompt": "How?", "completion": HELP}), encoding="utf-8")
    with pytest.raises(DataError, match=r"has no answer to .* prompts of the pairs"):
        explain_refusals_of_models({"mine": path}, pairs)
    path.write_text(json.dumps({"prompt": "How?", "completion": ""}), encoding="utf-8")
    with pytest.raises(DataError, match=r"all 1 answers of .* are empty"):
        explain_refusals_of_models({"mine": path}, pairs)
    twice = [{"prompt": prompt, "completion": text} for prompt, text in (("How?", HELP), (" How? ", "I can't."))]
    path.write_text("\n".join(map(json.dumps, twice)), encoding="utf-8")
    with pytest.raises(DataError, match=r"answers\.jsonl, row 2: .How\?. has another answer already; give one answer"):
        explain_refusals_of_models({"mine": path}, pairs)
    with pytest.raises(UsageError, match="nothing to explain"):
        explain_refusals_of_models({}, pairs)


def test_a_live_model_is_asked_once_and_a_torn_run_is_resumed(pairs: PairSet, tmp_path: Path) -> None:
    few = PairSet(pairs=pairs.pairs[:2], focus_words=pairs.focus_words, left_out={})
    model, folder = load_for_generation(str(save_chat_model(tmp_path / "model")), rows=1), tmp_path / "out"
    first = explain_refusals_of_models({"tiny": model}, few, folder=folder, max_tokens=4)
    records = folder / "scores-0.jsonl"
    lines = records.read_text(encoding="utf-8").splitlines(keepends=True)
    assert len(lines) == len(few.prompts())
    assert "completion" not in lines[0]
    records.write_text("".join(lines[:-1]) + lines[-1][:20], encoding="utf-8")
    asked = []
    again = explain_refusals_of_models(
        {"tiny": model}, few, folder=folder, max_tokens=4, progress=lambda what, done, total: asked.append(done)
    )
    assert asked == [len(lines) - 1, len(lines)]
    assert again.models[0].scores == first.models[0].scores
    kept = explain_refusals_of_models({"tiny": model}, few, folder=folder, max_tokens=4, keep_answers=True)
    assert all(score.completion for score in kept.models[0].scores)


def test_a_model_without_a_chat_template_is_refused(pairs: PairSet, tmp_path: Path) -> None:
    model = save_chat_model(tmp_path / "model", template=False)
    with pytest.raises(UsageError, match="has no chat template"):
        explain_refusals_of_models({"tiny": str(model)}, pairs)


def test_the_command_writes_prompts_and_explains_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prompts, answers, page = tmp_path / "prompts.jsonl", tmp_path / "answers.jsonl", tmp_path / "page.html"
    prompts.write_text("\n".join(map(json.dumps, pair_rows())), encoding="utf-8")
    written = tmp_path / "written.jsonl"
    main(["safety", "explain", "--prompts", str(prompts), "--write-prompts", str(written)])
    rows = [SimpleNamespace(**json.loads(line)) for line in written.read_text(encoding="utf-8").splitlines()]
    answered = [{"prompt": row.prompt, "completion": REFUSAL if row.has_focus else HELP} for row in rows]
    answers.write_text("\n".join(map(json.dumps, answered)), encoding="utf-8")
    given = ["safety", "explain", "--prompts", str(prompts), "--answers", str(answers), "--label", "mine"]
    main([*given, "--plot", str(page)])
    assert "mine: the refusals come from the shortcut focus word" in capsys.readouterr().out
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    main([*given, "--json"])
    assert json.loads(capsys.readouterr().out)["models"][0]["names"] == [FOCUS_WORD]
    for wrong, message in (
        (["safety", "explain", "--prompts", str(prompts)], "give a model"),
        ([*given, "--label", "other"], "2 labels are given for 1 models and files"),
    ):
        with pytest.raises(SystemExit) as stop:
            main(wrong)
        assert stop.value.code == 2
        assert message in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("mechanism", [FOCUS_WORD, "rule"])
def test_a_planted_refuser_is_named(mechanism: str) -> None:
    model = plant_refuser(PlantedRefuser(mechanism=mechanism, seed=100))
    (found,) = explain_refusals_of_models({mechanism: model}, planted_pairs(100)).models
    assert found.names == (mechanism,)
    assert len(planted_pairs(100).pairs) >= 200
