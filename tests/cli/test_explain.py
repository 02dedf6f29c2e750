"""``shoal explain``."""

from __future__ import annotations

import json

import pytest

from shoal.cli.main import main

ASK = ["explain", "--model", "bundled:searches", "--task", "counting", "--option", "largest=8"]


def test_a_model_is_explained_with_its_wrong_answers(capsys):
    main(ASK)
    text = capsys.readouterr().out
    assert "what it answers instead" in text
    assert "given by none of the explanations" in text


def test_json_items_and_page_hold_the_same_verdict(capsys, tmp_path):
    items, page = tmp_path / "items.jsonl", tmp_path / "page.html"
    main([*ASK, "--json", "--out", str(items), "--plot", str(page)])
    record = json.loads(capsys.readouterr().out)
    rows = [json.loads(line) for line in items.read_text().splitlines()]
    assert rows == record["items"]
    assert record["sentence"] in page.read_text()
    assert "http://" not in page.read_text().replace("http://www.w3.org", "")


def test_an_even_sample_of_many_items_is_asked(capsys):
    main([*ASK, "--json", "--part", "all", "--max-items", "3"])
    assert len(json.loads(capsys.readouterr().out)["items"]) == 3


@pytest.mark.slow
def test_the_search_is_printed_behind_the_explanation(capsys):
    main([*ASK, "--part", "all", "--search"])
    explained, _, searched = capsys.readouterr().out.rpartition("\n\n")
    assert "what it answers instead" in explained
    assert "No program found" in searched
    main([*ASK, "--part", "all", "--search", "--json"])
    assert json.loads(capsys.readouterr().out)["search"]["tried"] > 1000


def test_discriminating_items_are_asked_until_the_budget_is_used(capsys, tmp_path):
    items = tmp_path / "items.jsonl"
    main([*ASK, "--discriminating", "--max-items", "4", "--json", "--out", str(items)])
    record = json.loads(capsys.readouterr().out)
    assert 1 <= len(record["items"]) <= 4
    assert record["alpha"] == pytest.approx(0.05)
    assert [json.loads(line) for line in items.read_text().splitlines()] == record["items"]
    main([*ASK, "--discriminating", "--max-items", "4"])
    assert record["sentence"] in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give either the folder of a run or --model"),
        (["--model", "bundled:searches"], "give --task NAME, or --data FILE"),
        ([*ASK[1:], "--max-items", "0"], "--max-items is 0"),
        ([*ASK[1:], "--confidence", "95"], "confidence"),
        ([*ASK[1:], "--discriminating", "--search"], "leave out --plot and --search"),
        ([*ASK[1:], "--discriminating", "--max-items", "0"], "--max-items is 0"),
        ([*ASK[1:], "--discriminating", "--confidence", "95"], "confidence"),
        (["--model", "bundled:searches", "--task", "countin"], "counting"),
        (["nowhere"], "nowhere"),
        (["nowhere", "--search"], "nowhere"),
        (["run", "--plot", "page.html", "--task", "counting"], "leave out --task and --plot"),
        (["run", "--arm", "random"], "leave out --arm"),
        (["run", "--confidence", "0.9", "--part", "all"], "leave out --part and --confidence"),
        (["run", "--search", "--max-items", "20", "--seed", "1"], "leave out --max-items and --seed"),
        ([*ASK[1:], "--discriminating", "--part", "seen"], "leave out --part"),
        ([*ASK[1:], "--arm", "random"], "a model has no arms; leave out --arm"),
        ([*ASK[1:], "--leave-out", "length"], "give the folder of the run instead of --model"),
    ],
)
def test_bad_input_is_one_line_and_code_2(arguments, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["explain", *arguments])
    assert stopped.value.code == 2
    error = capsys.readouterr().err.strip()
    assert message in error.splitlines()[-1]


def test_a_shortcut_of_ones_own_stands_among_the_explanations(capsys):
    main([*ASK, "--json", "--shortcut", "always-one={ constant = ' 1' }"])
    assert "always-one" in [share["name"] for share in json.loads(capsys.readouterr().out)["shares"]]
