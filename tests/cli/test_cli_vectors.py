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


def test_ones_own_vectors_are_trained_and_questioned(capsys, corpus, tmp_path):
    file, page = tmp_path / "own.txt", tmp_path / "map.html"
    words = ["vectors", "train", str(corpus), "--method", "glove", "--dimension", "8", "--passes", "3"]
    main([*words, "--out", str(file)])
    assert "glove: 400 sentences, 4,000 words of 60 kinds, 8 dimensions" in capsys.readouterr().out
    main([*words, "--out", str(tmp_path / "again.txt"), "--json"])
    assert json.loads(capsys.readouterr().out)["kinds"] == 60
    main(["vectors", "neighbours", "ua", "vb", "--word-vectors", str(file), "--count", "3", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert [len(each["nearest"]) for each in found] == [3, 3]
    # Words of one group alone occur together in this corpus.
    assert all(word[0] == "u" for word, _ in found[0]["nearest"])
    main(["vectors", "analogy", "ua - ub + vb", "--word-vectors", str(file)])
    summed = capsys.readouterr().out
    assert "3CosMul" in summed
    assert "with the words of the question allowed" in summed
    main(["vectors", "analogy", "ua", "-", "ub", "+", "vb", "--word-vectors", str(file)])
    assert capsys.readouterr().out == summed
    words = ["vectors", "map", "ua", "va", "--neighbours", "6", "--word-vectors", str(file), "--plot", str(page)]
    main(words)
    assert "14 words by PCA: trustworthiness" in capsys.readouterr().out
    html = page.read_text()
    assert "<svg" in html
    assert "Trustworthiness" in html
    main(
        ["vectors", "map", "--top", "20", "--projection", "tsne", "--seed", "3", "--word-vectors", str(file), "--json"]
    )
    drawn = json.loads(capsys.readouterr().out)
    assert (len(drawn["words"]), drawn["seed"], drawn["method"]) == (20, 3, "tsne")
    assert 0 < drawn["trustworthiness"] <= 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["neighbours", "--word-vectors", "OWN"], "no word: give one"),
        (["neighbours", "kingg", "--word-vectors", "OWN"], "did you mean 'king'"),
        (["neighbours", "king", "--word-vectors", "OWN", "--count", "9"], "1 to 3 answers, not 9"),
        (["analogy", "king man", "--word-vectors", "OWN"], "write it as 'king - man + woman'"),
        (["map", "king", "--word-vectors", "OWN"], "a map of 1 words shows nothing"),
        (["map", "--word-vectors", "NOTHERE"], "NOTHERE"),
        (["map", "--word-vectors", "OWN", "--top", "-1"], "--top is -1"),
        (["train", "OWN", "--out", "OUT", "--sentences", "-1"], "--sentences is -1"),
        (["train", "EMPTY", "--out", "no/such/file"], "there is no folder"),
        (["train", "EMPTY", "--out", "OUT", "--method", "glov"], "did you mean 'glove'"),
        (["show", "", "--model", "bundled:searches"], "no token"),
        (["show", "day", "--model", "bundled:storys"], "did you mean 'stories'"),
        (["judge", "--sets", "."], "nothing to judge"),
        (["judge", "--sets", ".", "--file", "OWN", "--out", "OUT"], "--out is for trained vectors"),
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
    (tmp_path / "OWN").write_text("king 1 0\nqueen 0 1\nman 1 1\nwoman 0.5 1\n")
    known = {"SETS": "sets"} | {
        name: name for name in (*["EMPTY", "BINARY", "BROKEN.zip", "NOTHING", "OWN", "OUT", "NOTHERE"],)
    }
    words = [str(tmp_path / known[word]) if word in known else word for word in words]
    with pytest.raises(SystemExit) as stop:
        main(["vectors", *words])
    error = capsys.readouterr().err
    assert stop.value.code == 2
    assert error.count("\n") == 1
    assert said in error
