"""Programs, forms of prompts and answers, tables, votes and noises against what is worked out another way."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import integrate

from shoal.attribution.programs import number_operators, text_operators, word_operators  # noqa: F401 - they register the operators
from shoal.attribution.programs.computing import RuleOfEdited, Write, at_place
from shoal.attribution.programs.context import Context, PromptBatch
from shoal.attribution.programs.copying import AnswerTable
from shoal.attribution.programs.distances import word_distances
from shoal.attribution.programs.expressions import Expression, Words, operators_in, ordinal
from shoal.attribution.programs.null import completion_noise, mixture_bits, program_noise, sequential_noise
from shoal.attribution.programs.program import ProgramShortcut, shown, value_shown
from shoal.attribution.programs.reading import AnswerFormat, PromptReader, words_of
from shoal.attribution.programs.tables import fit_tables, table_keys
from shoal.attribution.programs.voting import Vote
from shoal.tasks import Example

E = Expression
WORDS = st.lists(st.sampled_from(["a", "bb", "c", "Größe", "日本", "12"]), max_size=6).map(tuple)
SUMS = [Example(prompt=f"{a}+{b}=", completion=f" {a + b}") for a, b in ((12, 30), (40, 7), (8, 8), (3, 21))]


def added(prompt: str) -> str:
    first, second = prompt.rstrip("=").split("+")
    return f" {int(first) + int(second)}"


def batch(prompts: list[str], seen: list[Example] = SUMS) -> PromptBatch:
    context = Context(seen, added)
    return PromptBatch(context, prompts, [context.answer(prompt) for prompt in prompts])


@pytest.mark.parametrize(
    ("place", "text"),
    [(10, "11th"), (11, "12th"), (12, "13th"), (20, "21st"), (21, "22nd"), (22, "23rd"), (23, "24th"), (110, "111th"),
     (-21, "21st from the end"), (-11, "11th from the end"), (-33, "33rd from the end")],
)  # fmt: skip
def test_places_are_called_as_in_english(place: int, text: str) -> None:
    assert ordinal(place) == text


def edits(own: Words, other: Words) -> int:
    """The edit distance by its recursion."""
    rows = list(range(len(other) + 1))
    for i, word in enumerate(own, start=1):
        before, rows[0] = rows[0], i
        for j, letter in enumerate(other, start=1):
            before, rows[j] = rows[j], min(rows[j] + 1, rows[j - 1] + 1, before + (word != letter))
    return rows[-1]


@given(st.lists(WORDS, min_size=1, max_size=4), st.lists(WORDS, min_size=1, max_size=4))
@settings(max_examples=40)
def test_distances_of_words_are_those_of_their_definitions(
    own: list[tuple[str, ...]], other: list[tuple[str, ...]]
) -> None:
    found = {
        name: word_distances(name, own, other)
        for name in ("edit distance", "common beginning", "common end", "shared words")
    }
    for (i, a), (j, b) in itertools.product(enumerate(own), enumerate(other)):
        if not a or not b:
            assert all(np.isnan(table[i, j]) for table in found.values())
            continue
        same = [x == y for x, y in zip(a, b, strict=False)]
        last = [x == y for x, y in zip(a[::-1], b[::-1], strict=False)]
        assert found["edit distance"][i, j] == edits(a, b)
        assert found["common beginning"][i, j] == -len(list(itertools.takewhile(bool, same)))
        assert found["common end"][i, j] == -len(list(itertools.takewhile(bool, last)))
        assert found["shared words"][i, j] == pytest.approx(1 - len({*a} & {*b}) / len({*a} | {*b}))


@given(st.lists(st.lists(st.integers(0, 999), max_size=3), min_size=1, max_size=5))
def test_distances_of_numbers_are_sums_of_differences(rows: list[list[int]]) -> None:
    written = [tuple(map(str, row)) for row in rows]
    found = word_distances("numbers", written, written)
    for (i, a), (j, b) in itertools.product(enumerate(rows), repeat=2):
        if a and len(a) == len(b):
            assert found[i, j] == sum(abs(x - y) for x, y in zip(a, b, strict=True))
        else:
            assert np.isnan(found[i, j])


BODIES = st.lists(st.sampled_from(["a", "b", "cc", "dd"]), min_size=1, max_size=4)
PAIRS = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=2, max_size=8, unique=True)


@given(
    st.lists(BODIES, min_size=3, max_size=8, unique_by=tuple),
    st.sampled_from([" ", "", "\n"]),
    st.sampled_from([" ", ", ", " - "]),
)
def test_words_are_written_as_the_completions_are(bodies: list[list[str]], lead: str, separator: str) -> None:
    completions = [lead + separator.join(body) for body in bodies]
    form = AnswerFormat.learn(completions)
    for body, completion in zip(bodies, completions, strict=True):
        assert words_of(form.body(completion)) == words_of(separator.join(body))
        if sum(len(each) > 1 for each in bodies) and separator == " ":
            assert form.write_words(body) == completion


@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=8, unique=True), st.sampled_from([" ", ""]))
def test_numbers_are_read_as_they_are_written(numbers: list[int], lead: str) -> None:
    form = AnswerFormat.learn([f"{lead}{number}" for number in numbers])
    assert form.numeric
    for number in numbers:
        assert form.number(f"{lead}{number}") == number
        assert form.write_number(float(number)) == f"{lead}{number}"
    assert form.write_number(0.5) is None
    assert form.write_number(1e15) is None
    assert math.isnan(form.number(f"{lead}x"))


@given(
    st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=2, max_size=8, unique=True),
    st.integers(0, 999),
)
def test_a_prompt_is_edited_at_its_argument_and_numbers(pairs: list[tuple[int, int]], number: int) -> None:
    prompts = [f"Add {a} and {b}:" for a, b in pairs]
    reader = PromptReader.learn(prompts)
    for prompt, pair in zip(prompts, pairs, strict=True):
        assert reader.numbers(prompt) == pair
        assert reader.prefix + reader.argument(prompt) + reader.suffix == prompt
        assert reader.with_argument(prompt, reader.argument(prompt)) == prompt
        for place in (0, 1, -1, -2):
            edited = reader.with_number(prompt, place, float(number))
            assert edited is not None
            changed = list(pair)
            changed[place] = number
            assert reader.numbers(edited) == tuple(changed)
        assert reader.with_number(prompt, 2, 1.0) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ()),
        ("don't re-run it", ("don't", "re-run", "it")),
        ("a,b;c", ("a", "b", "c")),
        ("x_1=[2]", ("x", "_", "1", "=", "[", "2", "]")),
        ("日本 ist groß", ("日本", "ist", "groß")),
        ("a\r\nb\tc", ("a", "b", "c")),
    ],
)
def test_words_of_texts_in_any_script(text: str, words: tuple[str, ...]) -> None:
    assert words_of(text) == words


def test_one_prompt_or_none_has_no_form() -> None:
    for prompts in ([], ["only one"], ["same", "same"]):
        reader = PromptReader.learn(prompts)
        assert (reader.prefix, reader.suffix) == ("", "")
        assert reader.argument("only one") == "only one"
    assert AnswerFormat.learn([]).write_words(["a", "b"]) == " a b"
    assert AnswerFormat.learn([]).write_words([]) is None


def test_a_value_is_written_in_the_form_of_the_answers() -> None:
    asked = batch(["12+9=", "5+5="])
    assert Write(E("sum", None, (E("number", 0), E("number", 1)))).answers(asked) == [" 21", " 10"]
    assert Write(E("right")).answers(asked) == [" 21", " 10"]
    assert Write(E("number", 5)).answers(asked) == [None, None]
    assert Write(E("number", 0)).notation == "write(number[0])"


@pytest.mark.parametrize(
    ("edit", "value", "place", "wanted"),
    [
        ("number", E("constant", 0), 1, [" 12", " 5"]),
        ("number", E("up-to", 10, (E("number", 1),)), 1, [" 22", " 15"]),
        ("numbers", E("down-to", 10, (E("number", 0),)), 0, [" 10", " 0"]),
        ("number", E("minus", 9, (E("number", 0),)), 0, [" 12", None]),
    ],
)
def test_the_rule_of_an_edited_prompt_is_the_rule_of_that_prompt(
    edit: str, value: Expression, place: int, wanted: list[str | None]
) -> None:
    program = RuleOfEdited(edit, value, place)
    assert program.answers(batch(["12+9=", "5+5="])) == wanted
    assert program.notation.startswith("rule(")


def test_a_number_of_an_expression_is_exchanged_throughout() -> None:
    tree = E("sum", None, (E("number", 0), E("plus", 1, (E("number", 0),))))
    assert at_place(tree, 3).notation == "sum(number[3], plus[1](number[3]))"
    assert at_place(E("number", 2), 3) == E("number", 2)
    assert operators_in(tree) == {"sum", "number", "plus"}
    assert hash(at_place(tree, 0)) == hash(tree)


def test_a_program_is_a_shortcut_that_reads_the_seen_examples_anew() -> None:
    shortcut = ProgramShortcut(Write(E("highest-seen", None, (E("number", 0),))), added)
    assert shortcut("5+5=", SUMS) == " 40"
    assert shortcut("5+5=", SUMS[2:]) == " 8"
    assert shortcut("5+5=", SUMS) == " 40"
    assert ProgramShortcut(Write(E("number", 5)), added)("5+5=", SUMS) == ""
    assert repr(shortcut) == "ProgramShortcut(write(highest-seen(number[0])))"


@pytest.mark.parametrize(
    ("completion", "text"), [(" yes", "'yes'"), ("", "''"), ("x" * 43, f"'{'x' * 43}'"), ("x" * 44, f"'{'x' * 40}...'")]
)
def test_a_completion_in_a_sentence_is_short(completion: str, text: str) -> None:
    assert shown(completion) == text


@pytest.mark.parametrize(("value", "text"), [(("a", "b"), "a b"), (2.0, "2"), (None, "none"), ((), "")])
def test_a_value_in_a_sentence(value: object, text: str) -> None:
    assert value_shown(value) == text


LABELLED = [
    Example(prompt=f"{a} {b} ?", completion=f" {'yes' if a == 'sun' else 'no'}")
    for a, b in itertools.product(["sun", "rain", "snow"], ["today", "soon", "here", "now"])
]


def test_votes_are_those_of_naive_bayes() -> None:
    context = Context(LABELLED, lambda prompt: "")
    asked = PromptBatch(context, ["sun rain soon ?", "rain snow ?", "moon ?"], [None] * 3)
    totals = Counter(example.completion for example in LABELLED)
    expected = []
    for words in (["sun", "rain", "soon"], ["rain", "snow"], []):
        votes = {}
        for label, total in totals.items():
            with_word = {w: sum(w in e.prompt.split() and e.completion == label for e in LABELLED) for w in words}
            votes[label] = math.log(total / len(LABELLED)) + sum(
                math.log((with_word[w] + 0.5) / (total + 1)) for w in words
            )
        expected.append(max(votes, key=votes.__getitem__))
    assert Vote("all", E("words")).answers(asked) == expected


def test_a_table_holds_the_commonest_answer_of_each_value() -> None:
    context = Context(LABELLED, lambda prompt: "")
    asked = context.seen
    keys = table_keys(asked, [E("at", 0, (E("words"),)), E("at", 1, (E("words"),))])
    labels = (" no", " yes")
    draw = np.random.default_rng(0)
    answers = draw.integers(-1, 2, len(asked)).astype(np.int32)
    fitted = fit_tables(keys, labels, answers)
    for place in range(len(keys.features)):
        words = [row[place] for row in asked.words if row is not None]
        for word in set(words):
            counts = Counter(
                int(answer) for answer, own in zip(answers, words, strict=True) if own == word and answer >= 0
            )
            outputs = {int(fitted.outputs[place, k]) for k, own in enumerate(words) if own == word}
            assert len(outputs) == 1
            best = outputs.pop()
            assert counts[best] == max(counts.values(), default=0) if counts else best == -1
        program = fitted.program(place)
        assert program.answers(asked) == [None if k < 0 else labels[k] for k in fitted.outputs[place]]


def test_the_noise_of_completions_is_their_frequency_or_a_text_letter_by_letter() -> None:
    completions = [" yes", " yes", " no"]
    found = completion_noise([" yes", " no", " nay", "☃"], completions)
    assert found[:, 0].tolist() == pytest.approx([2 / 3, 1 / 3, 0.0, 0.0])
    assert found[:2, 1].tolist() == [0.0, 0.0]
    letters = Counter(" yes no")  # each different completion once
    size = len(" yes no") + 2 + 256
    expected = math.prod((letters[letter] + 1) / size for letter in " nay") * 3 / size
    assert found[2, 1] == pytest.approx(expected)
    assert 0 < found[3, 1] < 1


def test_program_noise_is_the_prior_of_those_that_give_the_answer() -> None:
    hits = np.array([[True, False], [True, True], [False, False]])
    assert program_noise(hits, np.array([1.0, 2.0, 3.0])).tolist() == [0.75, 0.25]


@pytest.mark.parametrize("answers", [[[0.9, 0.1]] * 4, [[0.9, 0.1], [0.2, 0.7], [0.5, 0.5]], [[1.0, 1e-9]] * 2])
def test_the_bits_of_a_mixture_are_never_too_few_and_near_those_of_the_integral(answers: list[list[float]]) -> None:
    parts = np.array(answers)

    # Two parts with a Dirichlet prior of one half each: the integral over one share.
    def likelihood(share: float) -> float:
        prior = 1.0 / (math.pi * math.sqrt(share * (1 - share)))
        return float(np.prod(share * parts[:, 0] + (1 - share) * parts[:, 1])) * prior

    exact = -math.log2(integrate.quad(likelihood, 0.0, 1.0)[0])
    (bound,) = mixture_bits(parts)
    assert exact - 1e-6 <= bound <= exact + 1.5


def test_more_answers_of_a_candidate_save_more_bits() -> None:
    parts = np.full((12, 1), 0.01)
    candidates = np.array([[1.0] * count + [0.0] * (12 - count) for count in (0, 4, 8, 12)])
    bits = mixture_bits(parts, candidates)
    assert (np.diff(bits) < 0).all()
    assert bits[0] > mixture_bits(parts)[0]
    halved = mixture_bits(parts, candidates, weights=np.full(12, 0.5))
    assert (halved < bits).all()


def test_noise_in_sequence_learns_from_the_answers_before() -> None:
    noises = np.array([[0.9, 0.1]] * 6)
    found = sequential_noise(noises, np.arange(6), np.ones(6))
    counts = np.array([0.5, 0.5])
    for place in range(6):
        joint = noises[place] * counts / counts.sum()
        assert found[place] == pytest.approx(joint.sum())
        counts = counts + joint / joint.sum()
    assert (np.diff(found) > 0).all()
    together = sequential_noise(noises, np.array([0, 0, 1, 1, 2, 2]), np.full(6, 0.5))
    assert together[0] == together[1]
    assert together[2] == together[3]


def test_a_table_shows_its_numbers_with_all_of_their_digits() -> None:
    table = AnswerTable(Expression("number", 0), ((1234567.0, " a"), (1234568.0, " b"), (0.1, " c"), (None, " d")))
    assert table.notation == "table(number[0]; 1234567: ' a'; 1234568: ' b'; 0.1: ' c'; none: ' d')"
    assert "'a' where it is 1234567, 'b' where it is 1234568" in table.text
