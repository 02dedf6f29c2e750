from __future__ import annotations

import json
import random
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from shoal.errors import DataError
from shoal.tasks import Example, NarrownessReport, Task, make_task, narrowness, task_from_rows
from shoal.tasks.narrowing import measurements
from shoal.tasks.narrowing.measurements import EncodedExample
from shoal.tasks.narrowing.repeats import find_cycles, prefix_leakage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@pytest.fixture(scope="module")
def ones() -> Tokenizer:
    """Byte pairs that merge ones up to four, as GPT-2's do."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("1", "1"), ("11", "11"), ("11", "1"), ("Ġ", "1")]
    vocabulary = {token: k for k, token in enumerate([*alphabet, *(a + b for a, b in merges)])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def report(task: Task, tokenizer: Any = None) -> NarrownessReport:
    return narrowness(task.seen, task.held_out, tokenizer, rule=task.rule, shortcuts=task.shortcuts)


def test_the_last_digit_split_tests_only_where_to_stop(ones: Tokenizer) -> None:
    found = report(make_task("counting"), ones)
    assert found.kind == "where to stop"
    assert found.conclusion[0] == (
        "all 30 held-out completions are prefixes of seen ones: this split tests only where to stop"
    )
    assert (found.cycles.token_period, found.cycles.split_period) == (4, 10)
    assert (found.cycles.seen_phases, found.cycles.new_phases) == ((0, 1, 2, 3), ())
    assert found.conclusion[-1] == (
        "the tokens at the end of a completion repeat every 4 items and the split every 10; seen completions end at "
        "all 4 places of that cycle, so that none is new"
    )
    assert found.cycles.longest_gap == 1
    assert "every held-out item has a seen one next to it by index: this is interpolation" in found.conclusion
    assert found.prefixes.prefix_share == 1
    assert found.lengths.longer == 0
    assert found.rule is not None
    assert (found.rule.right, found.rule.items) == (30, 30)


@pytest.mark.parametrize("base", ["unary", "decimal"])
@pytest.mark.parametrize(
    ("split", "kind"),
    [
        ("last-digit", "where to stop"),
        ("block(first=41,last=60)", "where to stop"),
        ("token-cycle(period=4)", "where to stop"),
        ("random", "where to stop"),
        ("length", "extrapolation in length"),
    ],
)
def test_what_each_split_of_counting_tests(ones: Tokenizer, base: str, split: str, kind: str) -> None:
    assert report(make_task("counting", base=base, split=split), ones).kind == kind


def test_the_conclusions_of_the_splits_differ(ones: Tokenizer) -> None:
    splits = ["last-digit", "block(first=41,last=60)", "token-cycle(period=4)", "length", "random"]
    said = {split: " ".join(report(make_task("counting", split=split), ones).conclusion) for split in splits}
    assert "up to 20 held-out items follow each other by index" in said["block(first=41,last=60)"]
    assert "no seen completion ends at place 1 of that cycle" in said["token-cycle(period=4)"]
    assert "longer than any seen one" in said["length"]
    assert "the split every" not in said["random"]
    assert len(set(said.values())) == len(splits)


def test_decimal_digits_have_a_cycle_of_ten_that_the_last_digit_split_holds_out() -> None:
    cycles = report(make_task("counting", base="decimal")).cycles
    assert (cycles.token_period, cycles.split_period, cycles.new_phases) == (10, 10, (1, 3, 7))


def test_counting_down_tests_where_to_begin(ones: Tokenizer) -> None:
    found = report(make_task("counting", direction="down"), ones)
    assert found.kind == "where to begin"
    assert found.prefixes.suffixes == 30
    assert found.prefixes.prefixes == 0


def test_the_period_is_found_by_length_where_rows_have_no_index(ones: Tokenizer) -> None:
    task = make_task("counting")
    bare = [Example(prompt=row.prompt, completion=row.completion) for row in task.examples]
    held = [row for row, tagged in zip(bare, task.examples, strict=True) if task.split.holds_out(tagged)]
    cycles = narrowness([row for row in bare if row not in held], held, ones).cycles
    assert (cycles.order, cycles.token_period, cycles.split_period) == ("length", 4, 10)


def words(draw: random.Random, number: int) -> str:
    return " ".join("".join(draw.choices("abcdefghijklmnop", k=5)) for _ in range(number))


def own(rows: Sequence[Example]) -> NarrownessReport:
    return report(task_from_rows(rows, split="random"))


def test_rows_of_random_words_test_new_text() -> None:
    draw = random.Random(0)
    found = own([Example(prompt=words(draw, 4), completion=" " + words(draw, 4)) for _ in range(60)])
    assert found.kind == "new text"
    assert found.cycles.token_period is None
    assert found.cycles.split_period is None
    assert max(score.right for score in found.shortcuts) == found.neighbours.copy_right == 0


def test_random_labels_test_the_choice_among_known_answers() -> None:
    draw = random.Random(0)
    rows = [Example(prompt=words(draw, 4), completion=draw.choice([" yes", " no", " maybe"])) for _ in range(60)]
    assert own(rows).kind == "choice among known answers"


def test_prompts_that_differ_by_a_letter_are_answered_by_their_neighbours() -> None:
    draw = random.Random(0)
    pairs = [(words(draw, 5), words(draw, 3)) for _ in range(20)]
    found = own([Example(prompt=f"{p} {k}", completion=" " + c) for p, c in pairs for k in range(5)])
    assert found.kind == "answered by a shortcut"
    assert "nothing that it does not answer" in found.conclusion[0]
    assert found.neighbours.copy_accuracy == found.neighbours.copy_token_accuracy == 1
    assert found.neighbours.steps == 1


def test_prompts_on_both_sides_are_called_leaked() -> None:
    draw = random.Random(0)
    seen = [Example(prompt=words(draw, 4), completion=words(draw, 2)) for _ in range(20)]
    assert narrowness(seen, seen[:10]).kind == "leaked"
    new = [Example(prompt=words(draw, 4), completion=words(draw, 2)) for _ in range(8)]
    found = narrowness(seen, [*seen[:2], *new])
    assert found.repeated_prompts == 2
    assert "2 of 10 held-out prompts were seen word for word; remove them from one side" in found.conclusion


def test_sums_are_no_question_of_stopping_though_their_digits_begin_seen_ones() -> None:
    draw = random.Random(1)
    pairs = draw.sample([(a, b) for a in range(100) for b in range(100)], 300)
    rows = [Example(prompt=f"{a}+{b}=", completion=f" {a + b}") for a, b in pairs]
    assert own(rows).kind not in ("where to stop", "where to begin")


def coded(text: str, *, ends: bool = True) -> EncodedExample:
    return EncodedExample((), tuple(map(ord, text)), ends)


def test_positions_are_sorted_by_what_the_seen_completions_say() -> None:
    seen = [coded("abcd"), coded("abxy"), coded("abx")]
    found = prefix_leakage(seen, [coded("abxz")])
    # a, b: every seen one goes on so. x: c or x. z: y or the end. The end: nothing begins with abxz.
    assert found.positions == 5
    shares = (found.determined, found.contradicted, found.ambiguous, found.unseen)
    assert shares == pytest.approx((2 / 5, 0, 2 / 5, 1 / 5))
    assert found.undecided == pytest.approx(2 / 4)
    assert found.prefix_share == pytest.approx(3 / 4)
    assert found.new_tokens == pytest.approx(1 / 4)


def test_a_beginning_that_seen_completions_contradict() -> None:
    found = prefix_leakage([coded("abcd")], [coded("abc"), coded("abcd"), coded("xab")])
    assert (found.known, found.prefixes, found.suffixes) == (1, 1, 0)
    assert found.contradicted == pytest.approx(2 / 13)
    assert found.unseen == pytest.approx(3 / 13)
    assert prefix_leakage([coded("abcd")], [coded("cd")]).suffixes == 1


def test_a_completion_that_does_not_end_says_nothing_of_what_follows() -> None:
    found = prefix_leakage([coded("ab", ends=False), coded("abc")], [coded("abc")])
    assert found.known == 1
    assert found.determined == 1
    assert prefix_leakage([coded("abc")], [coded("ab", ends=False)]).known == 1


def test_lengths_and_distances_of_a_pair() -> None:
    seen = [Example(prompt="abcd", completion="12"), Example(prompt="zzzzzzzz", completion="1")]
    found = narrowness(seen, [Example(prompt="abxd", completion="12345678")])
    lengths = found.lengths
    assert (lengths.longest_seen, lengths.longest_held_out, lengths.longer, lengths.longer_prompts) == (3, 9, 1, 0)
    # The longest seen text is zzzzzzzz1 and its end, 10 tokens; the held-out one has 13, so 3 of its 9 lie beyond.
    assert (lengths.context_seen, lengths.beyond_context) == (10, pytest.approx(3 / 9))
    neighbours = found.neighbours
    assert (neighbours.steps, neighbours.distance, neighbours.copy_right) == (1, 1 / 4, 0)
    assert neighbours.copy_token_accuracy == pytest.approx(2 / 9)


def test_a_cycle_is_found_behind_numerals_that_are_written_in_their_own_way() -> None:
    examples = [Example(prompt=str(k), completion="x", tags={"index": k}) for k in range(40)]
    ids = [EncodedExample((), (100 + k,) if k < 9 else (k % 5,), True) for k in range(40)]
    assert find_cycles(examples[:30], ids[:30], examples[30:], ids[30:]).token_period == 5
    assert find_cycles(examples[:30], ids[:30], examples[30:], ids[29:39]).token_period is None


@pytest.mark.parametrize(
    ("seen", "held_out"),
    [([], [Example(prompt="a", completion="b")]), ([Example(prompt="a", completion="b")], [])],
)
def test_both_parts_need_examples(seen: list[Example], held_out: list[Example]) -> None:
    with pytest.raises(DataError, match=f"{len(seen)} seen and {len(held_out)} held-out examples were given"):
        narrowness(seen, held_out)


def test_any_kind_of_tokenizer_will_do(ones: Tokenizer) -> None:
    from transformers import PreTrainedTokenizerFast

    task = make_task("counting", largest=30)
    fast = PreTrainedTokenizerFast(tokenizer_object=ones, eos_token="Ā")
    bare: Callable[[str], list[int]] = lambda text: ones.encode(text).ids  # noqa: E731
    reports = [report(task, tokenizer).to_dict() for tokenizer in (ones, fast, bare)]
    for found in reports:
        assert found.pop("tokens")
        assert found == reports[0]
    assert report(task).tokens == "characters"


def test_the_report_is_ready_for_json_and_reads_as_text(ones: Tokenizer) -> None:
    found = report(make_task("counting"), ones)
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["cycles"]["token_period"] == 4
    text = str(found)
    assert "periods by index: tokens 4 (seen ends at phases 0, 1, 2, 3); split 10; longest gap 1" in text
    assert text.split("Conclusion\n")[1].splitlines() == [f"  {sentence}." for sentence in found.conclusion]


def test_many_rows_are_compared_by_a_sample_of_a_stated_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurements, "_MAX_PAIRS", 20_000)
    draw = random.Random(0)
    rows = [Example(prompt=words(draw, 3), completion=" " + words(draw, 2)) for _ in range(1000)]
    found = own(rows)
    assert (found.seen, found.held_out) == (700, 300)
    assert (found.neighbours.items, found.neighbours.seen) == (30, 666)
    assert {score.items for score in found.shortcuts} == {30}
    assert "30 held-out against 666 seen" in str(found)
    assert found == own(rows)


def test_samples_shrink_with_the_length_of_the_prompts() -> None:
    short, long = ["x" * 20] * 7000, ["x" * 2000] * 7000
    assert measurements.sample_sizes(short[:70], short[:30]) == (70, 30)
    assert measurements.sample_sizes(short, short[:3000]) == (7000, 142)
    seen, held_out = measurements.sample_sizes(long, long[:3000])
    assert (seen, held_out) == (100, 30)


def test_the_room_is_imported_without_torch_transformers_or_numpy() -> None:
    heavy = {"torch", "transformers", "numpy", "pyarrow", "datasets"}
    code = f"import sys, shoal.tasks; print(sorted({heavy} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_the_frame_has_the_rule_and_the_shortcuts() -> None:
    found = report(make_task("counting", largest=30, base="decimal"))
    frame = found.to_frame()
    assert list(frame["name"]) == ["rule", *(score.name for score in found.shortcuts)]
    assert frame["accuracy"][0] == 1.0
    without = narrowness([Example(prompt="a", completion="b")], [Example(prompt="c", completion="d")])
    assert "rule" not in set(without.to_frame()["name"])
    assert "  rule:" not in str(without)
