"""``shoal curate`` and its commands: files, JSON, and errors in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shoal.cli.main import main

GOOD = "The cat and the dog went to the park. They had fun with a ball. Then they went home to eat."


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    file = tmp_path / "corpus.jsonl"
    rows = [{"text": f"{GOOD} Day {place}.", "id": place} for place in range(12)] + [{"text": "Menu", "id": 12}]
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return file


def run(*words: object) -> None:
    main([str(word) for word in words])


def test_a_corpus_is_filtered_into_files(corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, removed, page = tmp_path / "out.jsonl", tmp_path / "removed.jsonl", tmp_path / "page.html"
    filters = "gopher-words(min_score=5),c4"
    run("curate", corpus, "--filters", filters, "--out", out, "--removed", removed, "--plot", page, "--json")
    card = json.loads(capsys.readouterr().out)
    assert (card["before"]["documents"], card["after"]["documents"], card["removed"]) == (13, 12, 1)
    assert len(out.read_text(encoding="utf-8").splitlines()) == 12
    assert json.loads(removed.read_text(encoding="utf-8"))["removed_by"] == "gopher-words"
    assert "gopher-words" in page.read_text(encoding="utf-8")


def test_documents_are_labelled_by_hand_and_train_a_head(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tmp_path / "labels.jsonl"
    run("curate", "label", corpus, "--count", 12, "--out", labels)
    rows = [json.loads(line) for line in labels.read_text(encoding="utf-8").splitlines()]
    assert [row["label"] for row in rows] == [None] * 12
    labelled = [{**row, "label": place % 2 * 4} for place, row in enumerate(rows)]
    labels.write_text("\n".join(map(json.dumps, labelled)), encoding="utf-8")
    for more in ((), ("--labels", labels)):
        with pytest.raises(SystemExit, match="2"):
            run("curate", "label", corpus, "--count", 12, "--out", labels, *more)
    assert "holds 12 labels, which would be lost" in capsys.readouterr().err
    assert labels.read_text(encoding="utf-8") == "\n".join(map(json.dumps, labelled))
    run("curate", "train", labels, "--out", tmp_path / "head")
    assert "quadratic weighted kappa" in capsys.readouterr().out
    run("curate", corpus, "--filters", f"educational-value(head={tmp_path / 'head'},min_score=0)", "--json")
    assert json.loads(capsys.readouterr().out)["after"]["documents"] == 13


def test_a_plan_is_drawn_and_its_coverage_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    space, plan = tmp_path / "space.toml", tmp_path / "plan.jsonl"
    space.write_text('template = "Write on {topic}."\n[axes.topic]\nvalues = ["rain", "snow"]\n', encoding="utf-8")
    run("curate", "plan", space, "--count", 4, "--out", plan)
    rows = [json.loads(line) for line in plan.read_text(encoding="utf-8").splitlines()]
    plan.write_text("\n".join(json.dumps({**row, "text": f"It is about {row['topic']}."}) for row in rows))
    capsys.readouterr()
    run("curate", "coverage", plan, space, "--json")
    assert json.loads(capsys.readouterr().out)["all_met"] == 4


def test_a_cover_is_chosen(corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("curate", "cover", corpus, "--count", 3, "--out", tmp_path / "cover.jsonl")
    assert "cover radius" in capsys.readouterr().out
    assert len((tmp_path / "cover.jsonl").read_text(encoding="utf-8").splitlines()) == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--filters", "gofer"], "did you mean 'gopher'"),
        (["--filters", "gopher", "--out", "out.jsonl"], "remove all 13 documents"),
        (["--removed", "removed.txt"], "ends in .jsonl"),
        (["--out", "nowhere/out.jsonl"], "make it first"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(
    words: list[str],
    message: str,
    corpus: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ending:
        run("curate", corpus, *words)
    assert ending.value.code == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.jsonl"]
