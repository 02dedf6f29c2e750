"""Methods that rewrite a text: what they may change, and what must stay, for any text."""

from __future__ import annotations

import random
import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings, strategies as st

from shoal.curation.augmentation.methods.reordering import Reordering
from shoal.curation.augmentation.methods.spelling_noise import SpellingNoise
from shoal.curation.augmentation.methods.synonyms import Synonyms
from shoal.curation.augmentation.methods.templates import Templates
from shoal.errors import DataError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = st.text(alphabet="abcdeé ABC.,!?:;-12345ß\n", max_size=60)
SEEDS = st.integers(0, 2**32)


@settings(max_examples=150, deadline=None)
@given(TEXTS, SEEDS)
def test_spelling_noise_leaves_numbers_and_marks_alone(text: str, seed: int) -> None:
    made = SpellingNoise(rate=0.5).rewrite(text, random.Random(seed))
    assert re.sub(r"[A-Za-z]", "", made) == re.sub(r"[A-Za-z]", "", text)
    assert SpellingNoise(rate=0.5).rewrite(text, random.Random(seed)) == made
    if not re.search(r"[A-Za-z]{3}", text):
        assert made == text


def test_at_least_one_word_is_hit_and_at_full_rate_every_one() -> None:
    words = "silver rivers wander slowly through valleys"
    for seed in range(30):
        few = SpellingNoise(rate=1e-9).rewrite(words, random.Random(seed)).split(" ")
        assert sum(one != two for one, two in zip(few, words.split(" "), strict=True)) <= 1
        every = SpellingNoise(rate=1.0).rewrite(words, random.Random(seed)).split(" ")
        assert len(every) == 6
    changed = [
        sum(
            one != two
            for one, two in zip(
                SpellingNoise(rate=1e-9).rewrite(words, random.Random(seed)).split(" "), words.split(" "), strict=True
            )
        )
        for seed in range(30)
    ]
    assert sum(changed) >= 25


@settings(max_examples=150, deadline=None)
@given(TEXTS, SEEDS)
def test_reordered_words_are_the_same_words(text: str, seed: int) -> None:
    made = Reordering(unit="words").rewrite(text, random.Random(seed))
    assert Counter(made) == Counter(text)
    body = re.sub(r"[.!?:]*\s*$", "", text)
    ending = text[len(body) :]
    assert made.endswith(ending)
    assert Counter(made[: len(made) - len(ending)].split(" ")) == Counter(body.split(" "))


@settings(max_examples=150, deadline=None)
@given(TEXTS, SEEDS)
def test_reordered_clauses_keep_their_letters(text: str, seed: int) -> None:
    made = Reordering(unit="clauses").rewrite(text, random.Random(seed))
    assert Counter(made.lower()) == Counter(text.lower())
    if "," not in text:
        assert made == text


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("When it rained, we ran.", "We ran, when it rained."),
        ("when it rained, we ran", "we ran, when it rained"),
        # "I" and what is written in capitals keep them.
        ("I ran, we walked.", "We walked, I ran."),
        ("NASA flew, we walked!", "We walked, NASA flew!"),
        ("In May, we left?!", "We left, in May?!"),
        ("No comma here.", "No comma here."),
        ("Über Nacht, ja:", "Ja, über Nacht:"),
        ("", ""),
        ("One,two.", "One,two."),
    ],
)
def test_clauses_change_places_with_the_capital_at_the_front(text: str, made: str) -> None:
    assert Reordering(unit="clauses").rewrite(text, random.Random(0)) == made


def test_names_further_on_keep_their_capital() -> None:
    text = "When it rained, we ran, Anna stayed."
    assert {Reordering(unit="clauses").rewrite(text, random.Random(seed)) for seed in range(20)} == {
        "We ran, when it rained, Anna stayed.",
        "When it rained, Anna stayed, we ran.",
    }


@pytest.mark.parametrize(
    ("text", "made"),
    [("", {""}), ("Alone.", {"Alone."}), ("A b.", {"b A."}), ("a b c:", {"b a c:", "a c b:"})],
)
def test_words_change_places_with_their_neighbours(text: str, made: set[str]) -> None:
    assert {Reordering(unit="words").rewrite(text, random.Random(seed)) for seed in range(20)} == made


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("One came. Two left.", "Two left. One came."),
        ("Only one.", "Only one."),
        ("", ""),
        ("Dr. Lee came. We left.", "We left. Dr. Lee came."),
    ],
)
def test_sentences_change_places(text: str, made: str) -> None:
    assert Reordering().rewrite(text, random.Random(0)) == made


@pytest.mark.parametrize("unit", ["lines", "", "Sentences", 3])
def test_an_unknown_unit_is_refused(unit: str) -> None:
    with pytest.raises(UnknownNameError, match="unknown unit of reordering"):
        Reordering(unit=unit)


@pytest.mark.parametrize("rate", [0, -0.1, 1.01, float("nan"), True, False, "0.5", None])
@pytest.mark.parametrize("method", [SpellingNoise, Synonyms])
def test_a_rate_is_a_share_above_zero(method: type, rate: object) -> None:
    with pytest.raises(UsageError, match=f"the rate of {method.name} is .*; give a number above 0, and at most 1"):  # type: ignore[attr-defined]
        method(rate=rate)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("synonyms") / "sets.txt"
    path.write_text("# colours\nred, crimson\n\nbig, large, huge\nschön, hübsch\n", encoding="utf-8")
    return str(path)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from(["red", "Big", "cat", "schön", "Hübsch", "7"]), max_size=8), SEEDS)
def test_synonyms_come_from_the_set_of_the_word(table: str, words: list[str], seed: int) -> None:
    sets = [{"red", "crimson"}, {"big", "large", "huge"}, {"schön", "hübsch"}]
    made = Synonyms(rate=1.0, table=table).rewrite(" ".join(words), random.Random(seed)).split()
    assert len(made) == len(words)
    for one, two in zip(words, made, strict=True):
        own = next((group for group in sets if one.lower() in group), None)
        if own is None:
            assert two == one
        else:
            assert two.lower() in own - {one.lower()}
            assert two[0].isupper() == one[0].isupper()


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("a red7 car", "a crimson7 car"),
        ("red-hot", "crimson-hot"),
        ("reddish", "reddish"),
        ("RED", "Crimson"),
        ("", ""),
    ],
)
def test_a_word_ends_where_its_letters_do(table: str, text: str, made: str) -> None:
    assert Synonyms(rate=1.0, table=table).rewrite(text, random.Random(0)) == made


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no set of words"),
        (b"# only a comment\n\n", "holds no set of words"),
        (b"red\n", "line 1: 'red' is no set of two or more words"),
        (b"big, large\nred,\n", "line 2: 'red,' is no set"),
        (b"big, large\n\n, ,\n", "line 3: ', ,' is no set"),
        (b"\xff\xfe", "it is not UTF-8"),
    ],
)
def test_a_table_that_cannot_be_read_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "table.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        Synonyms(table=str(path))


def test_a_table_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "table.txt"
    path.write_text("\ufeffred, crimson\n", encoding="utf-8")
    assert Synonyms(rate=1.0, table=str(path)).rewrite("red", random.Random(0)) == "crimson"
    assert Synonyms(rate=1.0, table=str(path)).rewrite("crimson", random.Random(0)) == "red"


@settings(max_examples=80, deadline=None)
@given(st.integers(-999, 999), st.integers(0, 999), SEEDS)
def test_a_prompt_in_another_wording_keeps_its_parts(one: int, two: int, seed: int) -> None:
    wordings = ("add {a} and {b}:", "what is {b} plus {a}?")
    method = Templates(wordings=wordings)
    prompt = wordings[0].format(a=one, b=two)
    made = method.rewrite(prompt, random.Random(seed))
    assert made == wordings[1].format(a=one, b=two)
    assert method.rewrite(made, random.Random(seed)) == prompt


@pytest.mark.parametrize(
    ("prompt", "made"),
    [
        ("add {b} and {a}:", "what is {a} plus {b}?"),
        ("add x\ny and z:", "what is z plus x\ny?"),
        ("ADD 1 and 2:", "ADD 1 and 2:"),
        (" add 1 and 2:", " add 1 and 2:"),
        ("", ""),
    ],
)
def test_only_a_whole_prompt_of_a_wording_is_changed(prompt: str, made: str) -> None:
    method = Templates(wordings=("add {a} and {b}:", "what is {b} plus {a}?"))
    assert method.rewrite(prompt, random.Random(0)) == made


def test_signs_of_expressions_are_plain_text_in_a_wording() -> None:
    method = Templates(wordings=["(a+) {x}.", "[b] {x}*"])
    assert method.rewrite("(a+) 7.", random.Random(0)) == "[b] 7*"
    assert method.rewrite("(aa) 7!", random.Random(0)) == "(aa) 7!"


@pytest.mark.parametrize(
    ("wordings", "message"),
    [
        ("add {a}", "needs two wordings or more"),
        ((), "needs two wordings or more"),
        (("a {x}", "a {x}"), "needs two wordings or more"),
        (7, "needs two wordings or more"),
        (("a {x}", "b"), "'b' needs the same parts in braces, each once"),
        (("a {x}", "b {x} {x}"), "needs the same parts in braces, each once"),
        (("a {x} {x}", "b {x}"), "needs the same parts in braces, each once"),
        (("a", "b"), "needs the same parts in braces"),
    ],
)
def test_wordings_of_other_parts_are_refused(wordings: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Templates(wordings=wordings)  # type: ignore[arg-type]
