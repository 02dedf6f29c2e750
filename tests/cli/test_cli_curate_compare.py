"""``shoal curate compare`` as a person meets it."""

from __future__ import annotations

import json

import pytest

from shoal.cli.main import main

FLAGS = [
    "--unique", "300", "--parameters", "4000", "--seeds", "2", "--set", "vocabulary=300", "--set", "context=24",
    "--set", "training.batch_tokens=300", "--set", "held_out_documents=3", "--workers", "0",
]  # fmt: skip


@pytest.fixture
def texts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, word in (("dogs", "dog"), ("cats", "cat"), ("birds", "bird")):
        lines = [f"The {word} number {number} went to the park and saw a ball there." for number in range(40)]
        (tmp_path / f"{name}.txt").write_text("\n\n".join(lines))
    return tmp_path


def test_corpora_are_compared_from_the_command_line(texts, capsys):
    words = ["curate", "compare", "dogs.txt", "CATS=cats.txt", "--held-out-text", "birds.txt", *FLAGS]
    main([*words, "--dry-run"])
    assert "4 of 4 trainings" in capsys.readouterr().out
    assert not (texts / "runs").exists()
    main([*words, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert {one["corpus"] for one in found["scores"]} == {"dogs", "CATS"}
    assert found["seeds"] == 2
    main(words)
    shown = capsys.readouterr().out
    assert "The best of 2 corpora on the held-out text birds is" in shown
    assert "report.html" in shown
    assert (texts / "runs" / "corpora" / "report.html").read_text().count("CATS") > 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["dogs.txt", "cats.txt"], "--held-out-text FILE"),
        (["dogs.txt", "--held-out-text", "birds.txt"], "two corpora or more"),
        (["dogs.txt", "cats.txt", "--held-out-text", "cats.txt"], "is the corpus 'cats'"),
        (["dogs.txt", "some.toml", "--held-out-text", "birds.txt"], "give it alone"),
        (["none.toml"], "No such file"),
        (["dogs.txt", "cats.txt", "--held-out-text", "birds.txt", "--unique", "99999"], "fewer: dogs"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(texts, capsys, words, message):
    with pytest.raises(SystemExit, match="2"):
        main(["curate", "compare", *words, "--set", "vocabulary=300", "--workers", "0"])
    lines = capsys.readouterr().err.strip().splitlines()
    assert message in lines[-1]
