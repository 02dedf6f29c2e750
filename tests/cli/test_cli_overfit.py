"""``shoal overfit`` and ``shoal crossvalidate`` as a person meets them."""

from __future__ import annotations

import json

import pytest

from shoal.cli.main import main
from tiny_recipes import tiny_recipe

RECIPE = tiny_recipe(stories=30, tokens=600, batch_tokens=300)


def comparison(folder):
    (folder / "r.toml").write_text(RECIPE)
    file = folder / "few.toml"
    file.write_text(
        'recipe = "r.toml"\nseeds = 2\ndocuments = 3\n[methods]\nflat = { "training.schedule" = "constant" }\n'
    )
    return file


def test_a_comparison_is_forecast_run_and_written_as_a_page(tmp_path, capsys):
    file, out = comparison(tmp_path), tmp_path / "run"
    main(["overfit", str(file), "--out", str(out), "--dry-run"])
    assert "4 trainings (0 of them done)" in capsys.readouterr().out
    assert not out.exists()
    main(["overfit", str(file), "--out", str(out), "--workers", "0", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in found["rows"]] == ["baseline", "flat"]
    assert (out / "report.html").read_text().count("flat") > 1
    main(["overfit", str(file), "--out", str(out), "--workers", "0"])
    shown = capsys.readouterr().out
    assert "gain on baseline" in shown
    assert str(out / "report.html") in shown
    with pytest.raises(SystemExit, match="2"):
        main(["overfit", str(file), "--out", str(out), "--set", "overfit.seeds=3"])
    assert "overfit.seeds = 2, not 3" in capsys.readouterr().err


def test_rows_are_cross_validated(tmp_path, capsys):
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(
        json.dumps({"prompt": f"{word} {number}:", "completion": f" {number}<|endoftext|>", "template": word}) + "\n"
        for word in ("one", "two") for number in range(2)
    ))  # fmt: skip
    words = ["crossvalidate", "--model", "bundled:searches", "--data", str(rows), "--epochs", "1", "--workers", "0"]
    main([*words, "--folds", "2", "--score", "bits_per_byte", "--out", str(tmp_path / "run"), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert [fold["trained_on"] for fold in found["folds"]] == [2, 2]
    with pytest.raises(SystemExit, match="2"):
        main([*words, "--folds", "3", "--out", str(tmp_path / "other")])
    assert capsys.readouterr().err.strip().splitlines()[-1].startswith("shoal: 3 folds cannot be made of 2 groups")
