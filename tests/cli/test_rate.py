"""``shoal rate`` from the words of a person to its files, with a judge on loopback."""

from __future__ import annotations

import json
import re

import pytest

import marking
from endpoints import serving
from shoal.cli.main import main

pytest.importorskip("openai")
SMALL = ["--model", "bundled:searches", "--completions", "1", "--max-tokens", "8", "--questions", "1"]


@pytest.fixture
def prompts(tmp_path):
    (tmp_path / "p.txt").write_text("One day, a cat\n\nTom had a", encoding="utf-8")
    return ["--prompts", str(tmp_path / "p.txt")]


def fails(capsys, *words):
    with pytest.raises(SystemExit) as left:
        main(["rate", *words])
    assert left.value.code == 2
    return capsys.readouterr().err


@pytest.mark.slow
def test_a_model_is_rated_and_the_judge_certified(tmp_path, prompts, capsys):
    out = tmp_path / "rated"
    with serving(marking.seeing) as (url, script):
        words = ["rate", *SMALL, *prompts, "--judge", url, "--judge-model", "m", "--out", str(out), "--json"]
        main([*words, "--certify-judge", "--certificate-stories", "8"])
        said = capsys.readouterr()
        found = json.loads(said.out)
        asked = len(script.requests)
        main([*words, "--certify-judge", "--certificate-stories", "8"])
        assert len(script.requests) == asked
    assert json.loads(capsys.readouterr().out) == found
    assert found["certificate"]["passed"]
    assert {"judge: grammar", "distinct-1", "plot facts"} <= {one["name"] for one in found["models"][0]["measures"]}
    assert "certifying the judge: 80 prompts: about" in said.err
    assert json.loads((out / "rating.json").read_text()) == found
    html = (out / "report.html").read_text()
    assert not re.search(r"(src|href)=[\"'](https?:)?//", html)
    assert "One day, a cat" in html
    assert "is sensitive to perturbed grammar, consistency, instruction" in html


def test_a_model_is_rated_without_any_completion(capsys):
    main(["rate", "--model", "bundled:searches", "--completions", "0", "--questions", "1", "--json"])
    (found,) = json.loads(capsys.readouterr().out)["models"]
    names = {one["name"] for one in found["measures"]}
    assert "plot facts" in names
    assert not names & {"distinct-1", "self-overlap", "required words"}


def test_a_judge_can_be_held_to_a_form(tmp_path, capsys):
    with serving(marking.blind) as (url, script):
        main(["rate", "--certify-judge", "--certificate-stories", "7", "--judge", url, "--judge-model", "m",
              "--constrained", "--out", str(tmp_path)])  # fmt: skip
    assert {request["response_format"]["type"] for request in script.requests} == {"json_schema"}
    assert "judge m is not sensitive to every perturbation" in capsys.readouterr().out


def test_an_insensitive_judge_is_named_on_the_page_and_in_words(tmp_path, capsys):
    with serving(marking.blind) as (url, _):
        main(["rate", "--certify-judge", "--certificate-stories", "7", "--judge", url, "--judge-model", "m",
              "--out", str(tmp_path)])  # fmt: skip
    said = capsys.readouterr().out
    assert "judge m is not sensitive to every perturbation" in said
    assert "grammar: insensitive" in said
    assert "is sensitive to perturbed nothing" in (tmp_path / "report.html").read_text()


def test_what_was_drawn_and_answered_is_kept_when_the_judge_goes_away(tmp_path, prompts, capsys):
    out = tmp_path / "rated"
    with serving(marking.blind, 401) as (url, _):
        error = fails(capsys, *SMALL, *prompts, "--judge", url, "--judge-model", "m", "--out", str(out))
    assert "refuses the request with status 401" in error
    assert "OPENAI_API_KEY" in error
    assert len((out / "completions.jsonl").read_text().splitlines()) == 2
    assert len((out / "judge.jsonl").read_text().splitlines()) == 1
    assert not (out / "rating.json").exists()


def test_money_is_not_spent_without_consent(tmp_path, prompts, capsys):
    with serving(marking.blind) as (url, script):
        error = fails(capsys, *SMALL, *prompts, "--judge", url, "--judge-model", "m", "--out", str(tmp_path / "o"),
                      "--price-out", "10")  # fmt: skip
        assert script.requests == []
    assert "judging bundled:searches: 2 prompts: about" in error
    assert "give --yes" in error


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nothing to rate"),
        (["--certify-judge"], "needs the judge"),
        (["--model", "bundled:searches", "--judge", "http://localhost:1/v1"], "needs --judge-model NAME"),
        (["--certify-judge", "--judge", "localhost:1", "--judge-model", "m", "--out", "x"], "is no endpoint"),
        (
            [
                "--certify-judge",
                "--certificate-stories",
                "6",
                "--judge",
                "http://localhost:1/v1",
                "--judge-model",
                "m",
                "--out",
                "x",
            ],
            "6 stories certify no judge; give 7 or more",
        ),
        (["--model", "bundled:searches", "--constrained"], "--constrained is for a judge"),
        (["--model", "bundled:searches", "--prompts", "none.txt"], "cannot read none.txt"),
        (["--model", "bundled:searches", "--prompts", "a.txt", "--beginnings", "b.txt"], "give one of them"),
        (["--model", "bundled:searches", "--pairs-per-paradigm", "-1"], "--pairs-per-paradigm is -1"),
        (["--model", "bundled:storys"], "did you mean 'stories'"),
        (["--model", "bundled:searches", "--zorro", "."], "holds no minimal pairs"),
    ],
)
def test_what_cannot_be_done_is_one_line(tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    error = fails(capsys, *words)
    assert said in error
    assert error.strip().splitlines()[-1].startswith("shoal: ")
