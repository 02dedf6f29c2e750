"""``shoal layers`` as a person meets it."""

import json

import pytest

from shoal.cli.main import main

SMALL = ["--n", "16", "32", "--long-n", "16", "32", "--d", "4", "8", "--k", "3", "5", "--r", "3", "5", "--repeats", "2"]


# docs/layers.md runs the same command; rows and their texts are tested in tests/insight.
@pytest.mark.slow
def test_types_are_measured_beside_the_theory(capsys):
    main(["layers", "--measure", "types", *SMALL])
    out = capsys.readouterr().out
    assert "recurrent: O(n · d²), O(n) sequential, path O(n)" in out
    assert "longest path 17 at n=17, 33 at n=33, 65 at n=65" in out


def test_attention_is_measured_and_drawn(capsys, tmp_path):
    page = tmp_path / "layers.html"
    main(["layers", "--measure", "attention", *SMALL, "--plot", str(page)])
    assert "fused, inference" in capsys.readouterr().out
    assert page.read_text().count("<svg ") == 12  # each chart for wide and for narrow screens
    assert [path.name for path in tmp_path.iterdir()] == ["layers.html"]


def test_formats_as_json(capsys, tmp_path):
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("One day\n\nThe little bear\n")
    main(
        [
            "layers",
            "--measure",
            "formats",
            "--model",
            "bundled:searches",
            "--prompts",
            str(prompts),
            "--repeats",
            "2",
            "--json",
        ]
    )
    found = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in found["formats"]] == ["float32", "bfloat16", "float16"]
    assert [each["prompts"] for each in found["greedy"]] == [2, 2, 2]
    assert found["types"] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--measure", "type"], "did you mean 'types'"),
        (["--k", "2", "4"], "odd"),
        (["--n", "16"], "two different sizes"),
        (["--measure", "formats", "--model", "bundled:storys"], "did you mean 'stories'"),
        (["--measure", "formats", "--prompts", "EMPTY"], "holds no prompt"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(words, said, capsys, tmp_path):
    (tmp_path / "EMPTY").write_text("\n")
    words = [str(tmp_path / word) if word == "EMPTY" else word for word in words]
    with pytest.raises(SystemExit) as stop:
        main(["layers", *words])
    error = capsys.readouterr().err
    assert stop.value.code == 2
    assert said in error.splitlines()[-1]
