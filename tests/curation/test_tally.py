"""Statistics of a curation: exact sums, quantiles and examples of a sample, against NumPy."""

from __future__ import annotations

import json
import math
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, strategies as st

from shoal.curation import LineFilter, QualityFilter, find_filters
from shoal.curation.card import CorpusSize, CurationCard, FilterFinding, LineFinding
from shoal.curation.pipeline import NO_LINES, FilteredDocument, FilterPipeline
from shoal.curation.tally import CurationTally, PartTally, RemovedExample, Reservoir, ScoreSpread

NAN = float("nan")


@pytest.mark.parametrize(("size", "items", "held"), [(3, 0, 0), (3, 2, 2), (3, 3, 3), (3, 50, 3), (1, 9, 1)])
def test_a_reservoir_holds_different_items_of_the_stream(size, items, held):
    reservoir = Reservoir(size, random.Random(0))
    for item in range(items):
        reservoir.offer(item)
    assert len(reservoir.items) == len(set(reservoir.items)) == held
    assert set(reservoir.items) <= set(range(items))


def test_every_item_of_a_stream_is_as_likely_to_be_held():
    counts, draws = Counter(), 3000
    for seed in range(draws):
        reservoir = Reservoir(2, random.Random(seed))
        for item in range(6):
            reservoir.offer(item)
        counts.update(reservoir.items)
    # A third each; four standard deviations of a binomial of 3,000 draws.
    deviation = math.sqrt(draws * 1 / 3 * 2 / 3)
    assert all(abs(counts[item] - draws / 3) < 4 * deviation for item in range(6))


@given(st.lists(st.floats(-1e6, 1e6) | st.just(NAN), min_size=1, max_size=60))
def test_the_spread_is_that_of_the_scores_that_there_are(values):
    tally = PartTally(1, random.Random(0))
    tally.add(["a b"] * len(values), [[value] for value in values])
    known = [value for value in values if not math.isnan(value)]
    assert tally.scored(0) == len(known)
    found = tally.spread(0)
    if not known:
        assert found is None
        return
    low, median, high = np.quantile(known, (0.05, 0.5, 0.95), method="nearest")
    assert (found.low, found.median, found.high) == (low, median, high)
    assert found.mean == pytest.approx(sum(known) / len(known), abs=1e-6)


def test_sizes_are_documents_words_and_characters():
    tally = PartTally(0, random.Random(0))
    tally.add(["one two", "", "Größe 日本\n"], [[], [], []])
    tally.add([], [])
    assert (tally.documents, tally.words, tally.characters) == (3, 4, 16)


def test_infinite_scores_have_quantiles_that_were_seen():
    tally = PartTally(1, random.Random(0))
    tally.add(["a"] * 3, [[math.inf], [math.inf], [1.0]])
    assert tally.spread(0).high == math.inf
    assert tally.spread(0).low == 1.0


def passing(text, score, **changes):
    return FilteredDocument(text, [score], **{"failed": [False], **changes})


def test_documents_are_counted_by_what_removed_them_first():
    (words,) = find_filters(["gopher-words"])
    tally = CurationTally([words])
    texts = ["stays", "goes\n\n  far", "no line"]
    tally.add(
        texts,
        [
            passing("stays", 60.0),
            passing("goes\n\n  far", 2.0, removed_by="gopher-words", failed=[True]),
            passing("", 0.0, removed_by=NO_LINES),
        ],
    )
    assert (tally.before.documents, tally.after.documents) == (3, 1)
    assert tally.removed == {"gopher-words": 1, NO_LINES: 1}
    assert tally.failed == [1]
    assert tally.examples("gopher-words") == (RemovedExample(text="goes far", score=2.0),)
    (example,) = tally.examples(NO_LINES)
    assert example.text == "no line"
    assert math.isnan(example.score)
    assert tally.examples("other") == ()


def test_an_example_is_the_beginning_of_a_long_document():
    (words,) = find_filters(["gopher-words"])
    tally = CurationTally([words])
    tally.add(["word " * 1000], [passing("", 1000.0, removed_by="gopher-words", failed=[True])])
    (example,) = tally.examples("gopher-words")
    assert len(example.text) <= 200
    assert example.text.endswith("word …")


class EndsInX(LineFilter):
    """Cuts an x at the end of a line, and removes lines of nothing else."""

    name = "test-ends-in-x"
    family = ""
    measures = "an x"
    source = "this test"

    def edit(self, line: str) -> str | None:
        """The line without it."""
        return line.rstrip("x").strip() or None


class LineCount(QualityFilter):
    """Counts the lines that it sees."""

    name = "test-line-count"
    family = ""
    measures = "lines"
    source = "this test"
    min_score = 2

    def score(self, document) -> float:
        """The number of lines."""
        return len(document.lines)


class CostlyLength(QualityFilter):
    """Counts characters, and notes what it was given."""

    name = "test-costly-length"
    family = ""
    measures = "characters"
    source = "this test"
    costly = True

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def score(self, document) -> float:
        """The length."""
        self.seen.append(document.text)
        return len(document.text)


def test_filters_read_what_the_line_filters_before_them_left():
    before, after = LineCount(), LineCount(min_score=3)
    found = FilterPipeline([before, EndsInX(), after]).run(["a\nbx\nx\n", "a\nb\nc", "xx\nx"])
    assert [one.scores for one in found] == [[3, 2], [3, 3], [2, 0]]
    assert [one.text for one in found] == ["a\nb", "a\nb\nc", ""]
    assert [one.removed_by for one in found] == ["test-line-count", None, NO_LINES]
    assert [one.failed for one in found] == [[False, True], [False, False], [False, True]]


def test_lines_are_counted_as_seen_removed_and_edited():
    pipeline = FilterPipeline([EndsInX()])
    pipeline.run(["ax\nb\nx", "cx\n\n dx \nxx"])
    (counts,) = pipeline.line_counts.values()
    assert (counts.seen, counts.removed, counts.edited) == (6, 2, 3)
    assert counts.examples == ["ax", "x", "cx"]


def test_a_costly_filter_scores_only_what_is_left():
    costly = CostlyLength()
    found = FilterPipeline([LineCount(), costly]).run(["a", "a\nb", ""])
    assert costly.seen == ["a\nb"]
    assert [math.isnan(one.scores[1]) for one in found] == [True, False, True]
    assert [one.failed for one in found] == [[True, False], [False, False], [True, False]]


@pytest.mark.parametrize("text", ["", "\n\n", "a\n\n\n\nb", "  a  \n\tb", "日本\n", "a\r\nb"])
def test_a_document_that_no_filter_changes_is_the_same_to_the_last_character(text):
    (found,) = FilterPipeline([EndsInX()]).run([text])
    assert found.text == text


def test_no_document_is_no_result():
    assert FilterPipeline([LineCount()]).run([]) == []


def size(documents, words):
    return CorpusSize(documents=documents, words=words, characters=5 * words)


def finding(name="gopher-words", *, failed=3, removed=2, median=40.0, after=None):
    spread = ScoreSpread(mean=NAN, low=1.0, median=median, high=math.inf)
    return FilterFinding(
        name=name, measures="words", limits="at least 50", source="a paper", scored=10, failed=failed, removed=removed,
        before=spread, after=after, examples=(RemovedExample(text="é", score=NAN),),
    )  # fmt: skip


def card(*filters, **changes):
    given = {"source": "tales.txt", "before": size(10, 1000), "after": size(8, 900)}
    return CurationCard(filters=filters, **{**given, **changes})


def test_the_card_states_what_stays_and_what_went():
    found = card(finding(), finding("c4-sentences", failed=0, removed=0), without_lines=1)
    assert found.removed == 2
    assert found.result() == "8 of 10 documents stay (80.0%), with 90.0% of the words."
    assert found.note() == ""
    lines = str(found).splitlines()
    assert lines[0] == f"tales.txt: {found.result()}"
    assert lines[2].split() == [
        "removed",
        "by",
        "documents",
        "share",
        "also",
        "outside",
        "median",
        "score",
        "stays",
        "where",
    ]
    assert lines[3].split() == ["gopher-words", "2", "20.0%", "1", "40", "at", "least", "50"]
    assert lines[5].split() == ["no", "line", "left", "1", "10.0%"]


def test_filters_without_effect_are_noted():
    note = "No filter removes a document: all of them lie within its limits."
    idle = card(finding(failed=0, removed=0), after=size(10, 1000))
    assert idle.note() == note
    assert note in str(idle)
    assert card(after=size(10, 1000)).note() == ""


def test_one_document_without_words_has_a_card():
    assert card(before=size(1, 0), after=size(1, 0)).result() == "The only document stays, with 0.0% of the words."


def test_lines_stand_in_a_table_of_their_own():
    line = LineFinding(name="c4-javascript", measures="a word", source="s", seen=1200, removed=7, edited=0, examples=())
    lines = str(card(finding(), lines=(line,))).splitlines()
    assert lines[-1].split() == ["c4-javascript", "7", "0", "1,200", "a", "word"]


def test_the_card_is_json_without_what_json_lacks():
    record = json.loads(json.dumps(card(finding()).to_dict(), allow_nan=False))
    assert record["filters"][0]["before"] == {"mean": None, "low": 1.0, "median": 40.0, "high": None}
    assert record["filters"][0]["examples"] == [{"text": "é", "score": None}]
    assert record["removed"] == 2
    frame = card(finding()).to_frame()
    assert frame["before_median"].tolist() == [40.0]
    assert "after_median" not in frame
