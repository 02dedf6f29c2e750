"""A corpus through filters: what stays, what goes and why, and what is written."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shoal.curation import CurationCard, DocumentText, QualityFilter, curate, find_filters, split_specs
from shoal.errors import DataError, UnknownNameError, UsageError

GOOD = "The cat and the dog went to the park. They had fun with a ball, and it was warm. Then they went home to eat."
SHORT = "Too short."
LISTED = "Home\nAbout us\nContact\nThe cat and the dog went to the park today.\nThey ran. It was warm.\nMenu"


class Vowels(QualityFilter):
    """Keeps documents with few vowels."""

    name = "test-vowels"
    family = ""
    measures = "vowels"
    source = "this test"
    max_score = 20

    def score(self, document: DocumentText) -> float:
        return sum(map(document.lower.count, "aeiou"))


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    file = tmp_path / "rows.jsonl"
    documents = [{"id": place, "text": text} for place, text in enumerate([GOOD, SHORT, LISTED, "{ code }", GOOD])]
    file.write_text("\n".join(map(json.dumps, documents)), encoding="utf-8")
    return file


def lines_of(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_rows_stay_whole_and_removed_rows_have_their_reason(rows: Path, tmp_path: Path) -> None:
    specs = ["gopher-words(min_score=10)", "c4"]
    card = curate(rows, filters=specs, out=tmp_path / "out.jsonl", removed=tmp_path / "removed.jsonl")
    stay = lines_of(tmp_path / "out.jsonl")
    assert [(row["id"], row["text"]) for row in stay] == [
        (0, GOOD),
        (2, "The cat and the dog went to the park today.\nThey ran. It was warm."),
        (4, GOOD),
    ]
    assert lines_of(tmp_path / "removed.jsonl") == [
        {"id": 1, "text": SHORT, "removed_by": "gopher-words", "score": 2.0},
        {"id": 3, "text": "{ code }", "removed_by": "gopher-words", "score": 3.0},
    ]
    assert (card.before.documents, card.after.documents, card.removed) == (5, 3, 2)
    by_name = {one.name: one for one in card.filters}
    # A rule scores what an earlier one removed, too, but only the first is its reason.
    assert (by_name["c4-curly-brackets"].failed, by_name["c4-curly-brackets"].removed) == (1, 0)
    assert by_name["c4-sentences"].failed == 2
    assert {one.name: one.removed for one in card.lines}["c4-terminal-punctuation"] == 5


def test_a_document_that_no_line_filter_changes_stays_as_it_is() -> None:
    text = "  The first line is long enough.  \n\n\n\nThe second line is long enough, too.\n"
    seen = []

    class Seen(Vowels):
        def score(self, document: DocumentText) -> float:
            seen.append(document.text)
            return 0.0

    curate([text], filters=["c4-terminal-punctuation", Seen()])
    assert seen == [text]


def test_blank_lines_stay_between_paragraphs_when_lines_go(tmp_path: Path) -> None:
    text = "One line that ends well.\n\nMenu\n\nAnother line that ends well.\nAnd a third one."
    curate([text], filters=["c4-terminal-punctuation"], out=tmp_path / "out.txt")
    assert "well.\n\nAnother" in (tmp_path / "out.txt").read_text(encoding="utf-8")


def test_a_document_of_which_no_line_is_left_goes() -> None:
    card = curate(["Menu\nAbout", GOOD], filters=["c4-terminal-punctuation"])
    assert (card.without_lines, card.after.documents) == (1, 1)
    assert "no line left" in str(card)


def test_parquet_columns_stay(tmp_path: Path) -> None:
    table = pa.table({"text": [GOOD, SHORT], "url": ["a", "b"], "n": [1, 2]})
    pq.write_table(table, tmp_path / "in.parquet")
    curate(tmp_path / "in.parquet", filters=["gopher-words(min_score=5)"], out=tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == [{"text": GOOD, "url": "a", "n": 1}]


def test_filters_that_keep_nothing_are_named_and_nothing_is_written(rows: Path, tmp_path: Path) -> None:
    out, removed = tmp_path / "out.jsonl", tmp_path / "removed.jsonl"
    out.write_text("old", encoding="utf-8")
    with pytest.raises(
        UsageError, match=r"remove all 5 documents, most of them by gopher-words \(words: 50 to 100,000"
    ):
        curate(rows, filters=["gopher"], out=out, removed=removed)
    assert out.read_text(encoding="utf-8") == "old"
    assert not removed.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.jsonl", "rows.jsonl"]
    # Without a file to write, the card says what would go.
    assert curate(rows, filters=["gopher"]).after.documents == 0


def test_filters_that_keep_everything_are_noted(rows: Path) -> None:
    card = curate(rows, filters=["gopher-hashes", "gopher-bullets"])
    assert card.after == card.before
    assert "No filter removes a document" in str(card)


def test_what_stays_does_not_depend_on_the_blocks_that_are_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    texts = [f"{GOOD} {'word ' * place}" for place in range(40)]
    whole = curate(texts, filters=["gopher-words(min_score=1,max_score=45)"], out=tmp_path / "whole.jsonl")
    monkeypatch.setattr("shoal.curation.curator._AT_ONCE", 7)
    parts = curate(texts, filters=["gopher-words(min_score=1,max_score=45)"], out=tmp_path / "parts.jsonl")
    assert (tmp_path / "whole.jsonl").read_bytes() == (tmp_path / "parts.jsonl").read_bytes()
    assert whole.to_dict() == parts.to_dict()


def test_a_filter_of_ones_own_is_known_by_its_name() -> None:
    card = curate([GOOD, "Shh."], filters=["test-vowels"])
    assert (card.after.documents, card.filters[0].removed) == (1, 1)
    assert card.filters[0].examples[0].text.startswith("The cat")


def test_the_score_spread_is_that_of_all_and_of_what_stays() -> None:
    card = curate([f"{'word ' * count}" for count in range(1, 101)], filters=["gopher-words(min_score=51)"])
    (one,) = card.filters
    assert one.before is not None
    assert one.after is not None
    assert (one.before.mean, one.after.mean) == (50.5, 75.5)
    assert one.before.low < 10 < 90 < one.before.high
    assert card.to_frame().loc[0, "after_mean"] == 75.5


def test_a_card_has_plain_values_for_json() -> None:
    card = curate([GOOD, SHORT], filters=["gopher-words(min_score=5)"])
    plain = json.loads(json.dumps(card.to_dict(), allow_nan=False))
    assert plain["after"]["documents"] == 1
    assert isinstance(card, CurationCard)


def test_progress_reaches_the_number_of_documents(rows: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    curate(rows, filters=["gopher-hashes"], progress=lambda *call: calls.append(call))
    assert calls[-1][:2] == ("documents", 5)
    assert calls[-1][2] in {0, 4, 5}


def test_bad_words_of_a_file_are_counted_as_whole_words(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("darn\nheck no\n", encoding="utf-8")
    (rule,) = find_filters([f"bad-words(file={tmp_path / 'words.txt'})"])
    assert isinstance(rule, QualityFilter)
    assert rule.score(DocumentText("Darn it, heck no! Darned heck.")) == 2
    (tmp_path / "words.txt").write_text("\n", encoding="utf-8")
    with pytest.raises(DataError, match="holds no word"):
        find_filters([f"bad-words(file={tmp_path / 'words.txt'})"])


def test_bad_words_are_whole_in_any_form_of_unicode_and_across_lines(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("cafe\nna\u00efve\nक\nheck  no\n", encoding="utf-8")
    (rule,) = find_filters([f"bad-words(file={tmp_path / 'words.txt'})"])
    assert isinstance(rule, QualityFilter)
    # An accent or a vowel behind a letter makes another word of it.
    assert rule.score(DocumentText("cafe\u0301 caf\u00e9 कि")) == 0
    assert rule.score(DocumentText("Nai\u0308ve, na\u00efve")) == 2
    assert rule.score(DocumentText("heck\nno heck  no cafe. क")) == 4


def test_one_file_for_what_stays_and_what_goes_is_refused(rows: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("before\n", encoding="utf-8")
    with pytest.raises(UsageError, match="is both out and removed"):
        curate(rows, out=tmp_path / "a.jsonl", removed=tmp_path / ".." / tmp_path.name / "a.jsonl")
    assert (tmp_path / "a.jsonl").read_text(encoding="utf-8") == "before\n"


def test_two_filters_of_one_name_are_refused() -> None:
    (rule,) = find_filters(["gopher-words(min_score=2)"])
    with pytest.raises(UsageError, match="the filter gopher-words comes twice"):
        curate([GOOD, SHORT], filters=["gopher-words", rule])
    with pytest.raises(UsageError, match="the filter c4-line-words comes twice"):
        curate([GOOD, SHORT], filters=[*find_filters(["c4-line-words"]), "c4"])


def test_specs_are_split_outside_of_brackets() -> None:
    assert split_specs("gopher, perplexity(model=a:b, max_score=2),-c4") == [
        "gopher",
        "perplexity(model=a:b, max_score=2)",
        "-c4",
    ]


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ("gopher-words(min=3)", UnknownNameError, "did you mean"),
        ("gopher-words(min_score=few)", UsageError, "expected a number"),
        ("gopher-words(min_score)", UsageError, "cannot be read"),
        ("gopher-words(min_score=3,min_score=4)", UsageError, "has two values of min_score"),
        ("gopher(min_score=3)", UsageError, "is a family"),
        ("gopher-words(", UsageError, "cannot be read"),
        ("perplexity", UsageError, "needs model"),
        ("bad-words(file=3)", UsageError, "expected a text"),
    ],
)
def test_a_wrong_spec_is_refused_in_one_line(spec: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        find_filters([spec])


def test_wrong_inputs_of_a_curation_are_refused(rows: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ends in \.jsonl"):
        curate(rows, removed=tmp_path / "removed.txt")
    with pytest.raises(DataError, match="no text in 'text'"):
        curate([{"body": "x"}])
    with pytest.raises(DataError, match="holds no text"):
        curate([" "])
    with pytest.raises(UsageError, match="give a list of specs"):
        curate(rows, filters="gopher")


def test_removed_rows_keep_columns_called_like_the_reason(tmp_path: Path) -> None:
    row = {"text": SHORT, "score": 4.5, "own_score": 1, "loss": float("nan")}
    curate([GOOD, row], filters=["gopher-words(min_score=10)"], removed=tmp_path / "removed.jsonl")
    assert lines_of(tmp_path / "removed.jsonl") == [
        {
            "text": SHORT, "own_own_score": 4.5, "own_score": 1, "loss": None, "removed_by": "gopher-words",
            "score": 2.0,
        }
    ]  # fmt: skip


def test_a_removed_document_with_half_a_character_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="half of a surrogate pair"):
        curate([GOOD, "half \ud83d"], filters=["gopher-words(min_score=10)"], removed=tmp_path / "removed.jsonl")
    assert not list(tmp_path.iterdir())
