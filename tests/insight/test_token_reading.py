"""Reading, comparing and counting tokens with real tokenizers."""

import json
import re

import pytest
from hypothesis import given, settings, strategies as st

from shoal.errors import DataError, UsageError
from shoal.insight import compare_tokenizations, count_tokens, read_tokens
from shoal.models import load_tokenizer
from shoal.reports import tokens_page
from shoal.text import train_tokenizer

ODD = "One day, naïve Tim saw 111 日本 🙂 <|endoftext|>."


@pytest.fixture(scope="module")
def byte_level():
    return load_tokenizer("bundled:searches")


@pytest.fixture(scope="module")
def sentence_piece(data_folder):
    folder = data_folder / "stories260K"
    return load_tokenizer(f"{folder}/stories260K.bin?tokenizer={folder}/tok512.model")


def test_tokens_cover_the_text_without_a_gap(byte_level, sentence_piece):
    for tokenizer in (byte_level, sentence_piece):
        covered = {place for piece in read_tokens(tokenizer, ODD).plain for place in range(piece.start, piece.stop)}
        assert covered == set(range(len(ODD)))


def test_special_tokens_that_the_tokenizer_adds_are_told_from_the_texts_own(byte_level, sentence_piece):
    assert [piece.token for piece in read_tokens(sentence_piece, "One day").pieces if not piece.text] == ["<s>"]
    inside = [piece for piece in read_tokens(byte_level, ODD).pieces if piece.kind == "special"]
    assert [(piece.token, piece.text) for piece in inside] == [("<|endoftext|>", "<|endoftext|>")]


def test_a_character_that_is_spread_over_tokens_is_marked_in_both_kinds_of_tokenizer(byte_level, sentence_piece):
    for tokenizer, parts in ((byte_level, 2), (sentence_piece, 2)):
        pieces = read_tokens(tokenizer, "aïb").plain
        assert [piece.text for piece in pieces if piece.kind == "byte"] == ["ï"] * parts


def test_the_blank_that_a_tokenizer_writes_itself_is_no_part_of_a_character():
    text = "the cat sat on the mat while a dog ran to and fro"
    tokenizer = train_tokenizer([text] * 20, kind="sentencepiece-bpe", vocabulary=300)
    pieces = read_tokens(tokenizer, " the").plain
    assert [(piece.token, piece.kind) for piece in pieces] == [("▁", "text"), ("▁the", "text")]
    assert count_tokens(tokenizer, [" the", "on the"]).byte_tokens == 0
    assert count_tokens(tokenizer, ["é"]).byte_tokens == 2


def test_a_lossy_tokenizer_names_the_first_character_that_is_lost(byte_level):
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({"<unk>": 0, "One": 1, "day": 2}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    reading = read_tokens(PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>"), "One night")
    assert [piece.kind for piece in reading.pieces] == ["text", "unknown"]
    assert not reading.round_trip
    assert reading.first_difference == 4
    assert read_tokens(byte_level, "One night").first_difference is None


def test_two_tokenizers_part_in_the_shortest_stretches(byte_level, sentence_piece):
    text = "One day he went to 111"
    parting = compare_tokenizations(read_tokens(byte_level, text), read_tokens(sentence_piece, text))
    assert [span.text for span in parting.spans] == [" went", " 111"]
    assert parting.spans[0].first == ("Ġwent",)
    assert parting.spans[0].second == ("▁w", "ent")
    assert parting.agreement == parting.shared / (parting.shared + parting.only_first + parting.only_second)


def test_a_tokenizer_never_parts_from_itself(byte_level):
    reading = read_tokens(byte_level, ODD)
    parting = compare_tokenizations(reading, reading)
    assert parting.agreement == 1
    assert parting.spans == ()


def test_readings_of_two_texts_are_refused(byte_level):
    with pytest.raises(UsageError, match="one text"):
        compare_tokenizations(read_tokens(byte_level, "a"), read_tokens(byte_level, "b"))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
@settings(max_examples=150, deadline=None)
def test_a_byte_level_tokenizer_gives_every_text_back(byte_level, text):
    reading = read_tokens(byte_level, text)
    assert reading.round_trip
    assert {p for piece in reading.plain for p in range(piece.start, piece.stop)} == set(range(len(text)))


def test_counts_are_totals_over_the_documents(byte_level):
    texts = ["One day, a cat sat.", "Tim saw an ïbex", ""]
    counts = count_tokens(byte_level, texts)
    tokens = sum(len(read_tokens(byte_level, text).plain) for text in texts)
    assert (counts.tokens, counts.words, counts.bytes) == (tokens, 9, sum(len(text.encode()) for text in texts))
    assert counts.tokens_per_word.value == pytest.approx(tokens / 9)
    # Three documents are too few for an interval.
    assert counts.tokens_per_word.low is counts.tokens_per_word.high is None
    enough = count_tokens(byte_level, [*texts, "A dog ran.", "It was late.", "The owl sees a mouse."]).tokens_per_word
    assert enough.low <= enough.value <= enough.high
    assert counts.byte_tokens == 2
    assert counts.broken_round_trips == 0


def test_one_document_has_no_interval(byte_level):
    assert count_tokens(byte_level, ["One day"]).bytes_per_token.low is None


def test_a_corpus_without_a_word_is_refused(byte_level):
    with pytest.raises(DataError, match="no text"):
        count_tokens(byte_level, ["", "  "])


def test_the_page_holds_every_token_and_escapes_the_text(byte_level, sentence_piece):
    text = "a <b>bold</b> & 'quoted' \"day\""
    readings = [read_tokens(byte_level, text, model="A"), read_tokens(sentence_piece, text, model="<B>")]
    html = tokens_page(readings, [compare_tokenizations(*readings)])
    assert "A and B need 3 tokens each" in tokens_page([read_tokens(byte_level, "a b c", model=name) for name in "AB"])
    assert "<b>" not in html
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert "https://" not in html
    data = json.loads(html.split('id="tokens-0">')[1].split("</script>")[0])
    first = re.split(r"<h2[^>]*>&lt;B&gt;", html)[0]
    assert len(data["facts"]) == len(readings[0].pieces) == first.count('<span class="tk ')
