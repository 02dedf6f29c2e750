"""``shoal vectors`` as a person meets it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from shoal.cli.main import main


@pytest.fixture
def corpus(tmp_path):
    random = np.random.default_rng(0)
    words = [[f"{letter}{other}" for other in "abcdefghij"] for letter in "uvwxyz"]
    lines = [" ".join(random.permutation(words[random.integers(6)]).tolist()) + "." for _ in range(400)]
    file = tmp_path / "corpus.txt"
    file.write_text("\n\n".join(lines))
    return file


@pytest.fixture
def sets(tmp_path):
    folder = tmp_path / "sets"
    folder.mkdir()
    pairs = [(f"{a}{i}", f"{b}{j}", float(a == b)) for a in "uvw" for b in "uvw" for i in "abcdef" for j in "ghij"]
    (folder / "groups.txt").write_text("\n".join(f"{a}\t{b}\t{score}" for a, b, score in pairs))
    (folder / "questions-words.txt").write_text(": all\nua ub va vb\nua zz va vb\n")
    return folder


def test_the_vectors_of_a_text_are_shown(capsys, tmp_path):
    page = tmp_path / "vectors.html"
    main(["vectors", "show", "One day he ran", "--model", "bundled:searches", "--plot", str(page)])
    out = capsys.readouterr().out
    assert "vectors of the text 4 x 64 at each layer" in out
    assert "input vectors       1024 x 64" in out
    assert "Euclidean distance" in out
    assert page.read_text().startswith("<!doctype html>")


def test_vectors_are_trained_and_judged(capsys, corpus, sets, tmp_path):
    words = ["vectors", "judge", "--corpus", str(corpus), "--sets", str(sets), "--dimension", "8", "--json"]
    methods = ["--method", "glove", "--method", "word2vec-skip-gram", "--out", str(tmp_path / "made")]
    main([*words, *methods])
    found = {each["vectors"]: each for each in json.loads(capsys.readouterr().out)}
    assert found["glove"]["similarity"][0]["spearman"] > 0.5
    assert found["glove"]["analogies"][-1]["known"] == 1
    main(["vectors", "judge", "--file", str(tmp_path / "made" / "glove.txt"), "--sets", str(sets)])
    assert f"{found['glove']['similarity'][0]['spearman']:.3f} [" in capsys.readouterr().out


def test_a_dimension_is_found(capsys, corpus, sets, tmp_path):
    tags = tmp_path / "tags.tsv"
    tags.write_text("".join(f"{a}{b}\t{a in 'uvw'}\n" for a in "uvwxyz" for b in "abcdefghij"))
    words = ["vectors", "dimension", str(corpus), "--pairs", str(sets / "groups.txt"), "--tags", str(tags)]
    main([*words, "--dimensions", "2", "6", "--method", "glove", "--model", "bundled:searches"])
    out = capsys.readouterr().out
    assert "400 sentences, 4,000 words of 60 kinds, glove" in out
    assert "similarity (108 test items)" in out
    assert "claim: 50 to 100 dimensions are enough below 100,000 sentences: underpowered" in out
    assert "the input vectors of bundled:searches, 64 dimensions" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "", "--model", "bundled:searches"], "no token"),
        (["show", "day", "--model", "bundled:storys"], "did you mean 'stories'"),
        (["judge", "--sets", "."], "nothing to judge"),
        (["judge", "--corpus", "EMPTY", "--method", "glow", "--sets", "."], "did you mean 'glove'"),
        (["judge", "--corpus", "EMPTY", "--sets", "NOTHING"], "no .txt file"),
        (["judge", "--corpus", "BINARY", "--sets", "SETS"], "save the file as UTF-8"),
        (["judge", "--corpus", "BROKEN.zip", "--sets", "SETS"], "cannot be read"),
        (["judge", "--corpus", "EMPTY", "--sets", "SETS", "--out", "BINARY"], "is a file; give a folder"),
        (["dimension"], "nothing to train on"),
        (["dimension", "EMPTY"], "no task"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(words, said, capsys, tmp_path, sets):
    (tmp_path / "EMPTY").write_text("\n")
    (tmp_path / "BINARY").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "BROKEN.zip").write_bytes(b"PK")
    (tmp_path / "NOTHING").mkdir()
    known = {"SETS": "sets"} | {name: name for name in ("EMPTY", "BINARY", "BROKEN.zip", "NOTHING")}
    words = [str(tmp_path / known[word]) if word in known else word for word in words]
    with pytest.raises(SystemExit) as stop:
        main(["vectors", *words])
    error = capsys.readouterr().err
    assert stop.value.code == 2
    assert error.count("\n") == 1
    assert said in error
