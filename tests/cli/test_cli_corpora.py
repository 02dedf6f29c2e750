"""``shoal stories`` and ``shoal corpus`` as a person meets them."""

import json

import pyarrow.parquet as pq
import pytest

from shoal.cli.main import main


def run(words, capsys):
    main(words)
    return capsys.readouterr()


def test_a_few_stories_come_to_the_screen(capsys):
    out = run(["stories", "--seed", "3"], capsys).out
    assert out.count("<|endoftext|>") == 3


def test_json_gives_a_row_a_line_with_the_facts_of_each_story(capsys):
    rows = [json.loads(line) for line in run(["stories", "--count", "4", "--facts", "--json"], capsys).out.splitlines()]
    assert [row["index"] for row in rows] == [0, 1, 2, 3]
    assert all(row["events"] and row["questions"] for row in rows)


def test_a_size_ends_a_corpus(tmp_path, capsys):
    file = tmp_path / "s.txt"
    run(["stories", "--bytes", "20000", "--out", str(file)], capsys)
    assert 20_000 <= file.stat().st_size < 22_500


def test_facts_go_into_rows(tmp_path, capsys):
    words = [
        "stories",
        "--count",
        "5",
        "--facts",
        "--instruct",
        "--feature",
        "Dialogue",
        "--feature",
        "bad_ending",
        "--word",
        "ball",
    ]
    run([*words, "--out", str(tmp_path / "s.jsonl")], capsys)
    run([*words, "--out", str(tmp_path / "s.parquet")], capsys)
    rows = [json.loads(line) for line in (tmp_path / "s.jsonl").read_text().splitlines()]
    table = pq.read_table(tmp_path / "s.parquet").to_pylist()
    assert [row["text"] for row in table] == [row["text"] for row in rows]
    assert all({"dialogue", "bad ending"} <= set(row["features"]) for row in rows)
    assert all("ball" in row["words"] and "Story:" in row["text"] and row["questions"] for row in rows)
    assert dict(table[0]["events"][0]["slots"]) == rows[0]["events"][0]["slots"]


def test_a_corpus_is_described_cleaned_and_freed_of_duplicates(tmp_path, capsys):
    pytest.importorskip("rensa")
    pytest.importorskip("ftfy")
    source = tmp_path / "a.txt"
    source.write_text("One day a cat sat.\n\nOne day a cat sat.\n\nA dog ran to the cafÃ© and it was fun.\n")
    card = json.loads(run(["corpus", "card", str(source), "--licence", "CC0", "--json"], capsys).out)
    assert (card["documents"], card["exact_duplicates"], card["licence"]) == (3, 1, "CC0")
    run(["corpus", "card", str(source), "--out", str(tmp_path / "card")], capsys)
    assert {path.name for path in (tmp_path / "card").iterdir()} == {"card.md", "card.json"}
    run(["corpus", "clean", str(source), "--out", str(tmp_path / "b.jsonl")], capsys)
    assert "café" in (tmp_path / "b.jsonl").read_text()
    said = run(["corpus", "dedupe", str(source), "--out", str(tmp_path / "c.txt")], capsys).err
    assert "2 documents written" in said
    assert "1 duplicates dropped" in said


def test_held_out_items_are_looked_for(tmp_path, capsys):
    (tmp_path / "rows.jsonl").write_text(json.dumps({"prompt": "The fox ran over the hill and", "completion": " away"}))
    (tmp_path / "a.txt").write_text("Yes. The fox ran over the hill and away it went.")
    words = ["corpus", "contamination", str(tmp_path / "a.txt"), "--data", str(tmp_path / "rows.jsonl")]
    assert "1 of 1 items" in run(words, capsys).out
    assert json.loads(run([*words, "--json"], capsys).out)["contaminated"] == [0]
    assert (
        "0 of 30 items" in run(["corpus", "contamination", str(tmp_path / "a.txt"), "--task", "counting"], capsys).out
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["stories", "--count", "0"], "--count is 0"),
        (["stories", "--out", "s.txt"], "--count STORIES or --bytes SIZE"),
        (["stories", "--facts"], "--facts needs rows"),
        (["stories", "--feature", "twists"], "did you mean 'twist'"),
        (["stories", "--count", "2", "--out", "s.pdf"], "cannot write s.pdf"),
        (["stories", "--endpoint", "http://x"], "--endpoint-model NAME"),
        (["stories", "--endpoint", "http://x", "--instruct"], "leave out --instruct"),
        (
            ["stories", "--count", "2", "--endpoint", "http://x", "--endpoint-model", "m", "--out", "s.pdf"],
            "cannot write s.pdf",
        ),
        (["corpus", "contamination", "GOOD", "--task", "counting", "--ngram", "2"], "give runs of 3 words or more"),
        (["corpus", "card", "EMPTY"], "holds no text"),
        (["corpus", "card", "BINARY"], "save the file as UTF-8"),
        (["corpus", "clean", "GOOD"], "--out"),
        (["corpus", "contamination", "GOOD"], "either --task NAME or --data"),
        (["corpus", "polish", "GOOD"], "polish"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(words, said, capsys, tmp_path):
    (tmp_path / "EMPTY").write_text("\n \n")
    (tmp_path / "BINARY").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "GOOD").write_text("A cat.")
    words = [str(tmp_path / word) if word in {"EMPTY", "BINARY", "GOOD"} else word for word in words]
    with pytest.raises(SystemExit) as stop:
        main(words)
    error = capsys.readouterr().err
    assert stop.value.code == 2
    assert error.count("\n") == 1
    assert said in error
