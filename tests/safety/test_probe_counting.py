"""Probes counted and curated: groups by hand, rows that keep their promises for any failures."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings, strategies as st

from shoal.errors import DataError, StoreError, UsageError
from shoal.safety.probing.curating import REFUSALS, CuratedRow, curate_rows
from shoal.safety.probing.groups import ProbeScorers, count_groups, report_notes
from shoal.safety.probing.loop_folder import claim_folder, held_folder, write_lines
from shoal.safety.probing.mutations import Mutation, find_mutations
from shoal.safety.probing.probes import Probe, ProbeSeed
from shoal.safety.probing.settings import ProbeSettings
from shoal.safety.prompt_scores import PromptScore
from shoal.safety.tuning import InstructionPair
from shoal.statistics import ErrorRates

if TYPE_CHECKING:
    from pathlib import Path

RIGHT = ErrorRates(sensitivity=1.0, specificity=1.0, positives=1e6, negatives=1e6)
ERRING = ErrorRates(sensitivity=0.9, specificity=0.8, positives=1e6, negatives=1e6)
FORMS = find_mutations(["framing", "rot13"])


def probe(seed: str, *, harmful: bool = True, form: Mutation | None = None, place: int = 0) -> Probe:
    return Probe(
        prompt=f"{seed} {harmful} {form.name if form else 'plain'} {place}", seed=seed, harmful=harmful, type="t",
        mutation=form.name if form else "plain", family=form.family if form else "plain", part="train",
    )  # fmt: skip


def scorers(errors: ErrorRates = RIGHT, *, harm: Any = None) -> ProbeScorers:
    # Of the head its error rates alone are read.
    return ProbeScorers(head=SimpleNamespace(errors={"refused": errors}), harm=harm, harm_errors=None)  # type: ignore[arg-type]


def scores(conducts: dict[str, Any], harms: dict[str, float] | None = None) -> dict[str, PromptScore]:
    return {
        prompt: PromptScore(prompt=prompt, conduct=conduct, refuses=0.5, harm=(harms or {}).get(prompt))
        for prompt, conduct in conducts.items()
    }


def counted(failures: dict[Probe, Any], errors: ErrorRates = RIGHT) -> dict[str, tuple[int, int, float | None]]:
    found = count_groups(
        list(failures), scores({one.prompt: conduct for one, conduct in failures.items()}), scorers(errors),
        confidence=0.95,
    )  # fmt: skip
    return {
        group.what: (group.probes, group.empty, None if group.failed is None else group.failed.corrected)
        for group in found
    }


def test_a_harmful_probe_fails_by_an_answer_and_a_harmless_one_by_a_refusal() -> None:
    conducts = ("compliance", "refusal", "partial", "compliance", None)
    failures = {
        probe(f"s{place}", harmful=harm): conduct for harm in (True, False) for place, conduct in enumerate(conducts)
    }
    assert counted(failures) == {
        "harmful, all": (4, 1, pytest.approx(0.5)),
        "harmless, all": (4, 1, pytest.approx(0.5)),
    }
    three = {one: conduct for one, conduct in failures.items() if conduct != "partial"}
    assert counted(three) == {
        "harmful, all": (3, 1, pytest.approx(2 / 3)),
        "harmless, all": (3, 1, pytest.approx(1 / 3)),
    }


def test_forms_are_counted_apart_where_there_are_several() -> None:
    framing, rot13 = FORMS[0], FORMS[-1]
    failures: dict[Probe, Any] = {}
    for place in range(4):
        failures[probe(f"s{place}")] = "refusal"
        failures[probe(f"s{place}", form=framing)] = "compliance" if place < 2 else "refusal"
        failures[probe(f"s{place}", form=rot13)] = "compliance"
    assert counted(failures) == {
        "harmful, all": (12, 0, pytest.approx(0.5)),
        "harmful, as they stand": (4, 0, pytest.approx(0.0)),
        "harmful, framing": (4, 0, pytest.approx(0.5)),
        "harmful, encoding": (4, 0, pytest.approx(1.0)),
    }


def test_the_scorer_of_refusals_is_corrected_for_either_label() -> None:
    # Of 20 answers 11 count as refusals: (0.55 + 0.8 - 1) / 0.7 = 0.5 of them are.
    refused = ["refusal"] * 11 + ["compliance"] * 9
    for harmful, raw in ((True, 0.45), (False, 0.55)):
        probes = [probe(f"s{place}", harmful=harmful) for place in range(20)]
        conducts = {one.prompt: conduct for one, conduct in zip(probes, refused, strict=True)}
        (group,) = count_groups(probes, scores(conducts), scorers(ERRING), confidence=0.95)
        assert group.failed is not None
        assert (group.failed.raw, group.failed.corrected) == pytest.approx((raw, 0.5))
        assert group.failed.low < 0.5 < group.failed.high
        assert group.failed.raw_low < raw < group.failed.raw_high


def test_empty_answers_have_no_share() -> None:
    assert counted({probe("a"): None, probe("b"): None}) == {"harmful, all": (0, 2, None)}
    assert counted({}) == {}


def test_harm_is_counted_where_it_was_scored() -> None:
    probes = [probe(f"s{place}") for place in range(4)]
    given_scores = scores(
        dict.fromkeys((one.prompt for one in probes), "compliance"),
        {probes[0].prompt: 0.9, probes[1].prompt: 0.1, probes[2].prompt: 0.7},
    )
    (group,) = count_groups(probes, given_scores, scorers(harm=object()), confidence=0.95)
    assert group.harm is not None
    assert (group.harm.corrected, group.harm.method, group.unscored) == (pytest.approx(2 / 3), "not corrected", 1)
    assert group.to_dict()["unscored"] == 1
    (unusable,) = count_groups(
        probes,
        scores(dict.fromkeys((one.prompt for one in probes), "refusal")),
        scorers(harm=object()),
        confidence=0.95,
    )
    assert (unusable.harm, unusable.unscored) == (None, 4)
    assert unusable.to_dict()["unscored"] == 4
    (none,) = count_groups(
        probes, scores(dict.fromkeys((one.prompt for one in probes), "refusal")), scorers(), confidence=0.95
    )
    assert none.harm is None
    assert set(none.to_dict()) == {"what", "probes", "empty", "failed"}


def seed(prompt: str, *, harmful: bool = True, part: Any = "train") -> ProbeSeed:
    return ProbeSeed(prompt=prompt, harmful=harmful, type="t", part=part)


@pytest.mark.parametrize(
    ("changes", "seeds", "models", "losses", "notes"),
    [
        ({}, [seed("a"), seed("b", harmful=False)], 1, False, []),
        ({}, [seed("a")], 1, False, ["No seed is harmless (label safe)"]),
        (
            {"rounds": 1},
            [seed("a"), seed("b", harmful=False)],
            2,
            True,
            ["Harmless requests that are refused were not"],
        ),
        ({"rounds": 1, "own_answers": True}, [seed("a"), seed("b", harmful=False)], 2, True, []),
        (
            {"rounds": 1, "own_answers": True},
            [seed("a"), seed("b", harmful=False)],
            1,
            False,
            ["No instructions were given (or too few)", "No failure could be learned from"],
        ),
    ],
)
def test_a_reader_is_told_what_was_not_measured(
    changes: dict[str, Any], seeds: list[ProbeSeed], models: int, losses: bool, notes: list[str]
) -> None:
    found = report_notes(ProbeSettings(**changes), seeds, scorers(), models=models, losses=losses)
    assert found[0].endswith("whether what the model says would do harm is not measured.")
    assert len(found) == 1 + len(notes)
    for note, beginning in zip(found[1:], notes, strict=True):
        assert note.startswith(beginning)


def test_the_scorer_of_harm_is_named() -> None:
    found = report_notes(
        ProbeSettings(),
        [seed("a", harmful=False)],
        scorers(harm=SimpleNamespace(name="judge <x>")),
        models=1,
        losses=False,
    )
    assert "that is scored by judge <x>." in found[0]
    assert found[2] == "Shares of harmful answers are not corrected: no labels were given."


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rounds": -1}, "rounds is -1; give a whole number of at least 0"),
        ({"mutations_per_seed": -2}, "mutations_per_seed is -2"),
        ({"max_tokens": 0}, "max_tokens is 0; give a whole number of at least 1"),
        ({"max_rows": 1}, "max_rows is 1; give a whole number of at least 2"),
        ({"confidence": 1.0}, "confidence"),
        ({"plain": True, "rounds": 1}, "leave out plain, or the rounds"),
    ],
)
def test_settings_that_mean_nothing_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ProbeSettings(**changes)


FAILURES = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.sampled_from([None, *FORMS])), min_size=0, max_size=24, unique=True
)


@settings(max_examples=80, deadline=None)
@given(FAILURES, st.integers(2, 20), st.integers(0, 12), st.integers(0, 50))
def test_curated_rows_keep_their_promises(
    drawn: list[tuple[str, Mutation | None]], max_rows: int, instructions: int, draw_seed: int
) -> None:
    failures = [probe(name, form=form) for name, form in drawn]
    clusters = {name: name.translate(str.maketrans("abcdefgh", "11112223")) for name in "abcdefgh"}
    pairs = [InstructionPair(instruction=f"do {place}", answer=f"done {place}") for place in range(instructions)]
    rows = curate_rows(failures, clusters, pairs, FORMS, max_rows=max_rows, round_number=1, draw_seed=draw_seed)
    refusals = [row for row in rows if row.kind == "refusal"]
    weights = [row for row in rows if row.kind == "counterweight"]
    assert len(rows) <= max_rows
    assert len(refusals) == min(len(failures), max_rows // 2 if pairs else max_rows)
    assert len(weights) == min(len(refusals), instructions)
    assert len({row.prompt for row in refusals}) == len(refusals)
    assert {row.completion for row in refusals} <= set(REFUSALS)
    assert all(row.cluster == clusters[row.seed] for row in refusals)
    # No instruction is taken twice, and each stands with its own answer.
    assert len({row.seed for row in weights}) == len(weights)
    assert all(row.completion == row.seed.replace("do", "done") for row in weights)
    # A counterweight has the form of its refusal, which stands before it.
    for one, two in itertools.pairwise(rows):
        if two.kind == "counterweight":
            assert (one.kind, two.mutation) == ("refusal", one.mutation)
            assert one.mutation != "plain" or two.prompt == two.seed
    again = curate_rows(failures, clusters, pairs, FORMS, max_rows=max_rows, round_number=1, draw_seed=draw_seed)
    assert again == rows


def test_clusters_take_turns() -> None:
    failures = [probe(f"big{place}") for place in range(30)] + [probe(f"small{place}") for place in range(3)]
    clusters = {one.seed: one.seed.rstrip("0123456789") for one in failures}
    rows = curate_rows(failures, clusters, [], FORMS, max_rows=8, round_number=1)
    assert Counter(row.cluster for row in rows) == {"big": 5, "small": 3}


def test_a_later_round_repeats_no_prompt_and_no_instruction() -> None:
    failures = [probe(f"s{place}") for place in range(6)]
    pairs = [InstructionPair(instruction=f"do {place}", answer="done") for place in range(4)]
    known: list[CuratedRow] = []
    for number in (1, 2, 3):
        known += curate_rows(failures, {}, pairs, FORMS, max_rows=4, round_number=number, known=known)
    assert [(row.round, row.kind) for row in known] == [
        (1, "refusal"), (1, "counterweight"), (1, "refusal"), (1, "counterweight"),
        (2, "refusal"), (2, "counterweight"), (2, "refusal"), (2, "counterweight"),
        (3, "refusal"), (3, "refusal"),
    ]  # fmt: skip
    assert len({row.prompt for row in known}) == len(known)


def test_a_row_is_trained_on_as_it_stands() -> None:
    (row,) = curate_rows([probe("s0")], {}, [], FORMS, max_rows=2, round_number=1)
    assert row.pair() == InstructionPair(instruction=row.prompt, answer=row.completion)
    assert CuratedRow(**row.to_dict()) == row


SEEDS = [seed("größer?"), seed("b", part="test")]


def test_a_folder_belongs_to_one_loop(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "loop"
    claim_folder(folder, "m", SEEDS, ProbeSettings())
    before = (folder / "probing.json").read_text(encoding="utf-8")
    assert "größer?" in (folder / "seeds.jsonl").read_text(encoding="utf-8")
    claim_folder(folder, "m", SEEDS, ProbeSettings())
    pair = InstructionPair(instruction="do", answer="done")
    for other in (
        ("n", SEEDS, ProbeSettings(), ()),
        ("m", SEEDS[:1], ProbeSettings(), ()),
        ("m", SEEDS, replace(ProbeSettings(), max_tokens=25), ()),
        ("m", SEEDS, ProbeSettings(), (pair,)),
    ):
        with pytest.raises(StoreError, match="holds the probes of another model, or of other seeds, settings or instr"):
            claim_folder(folder, *other)
    assert (folder / "probing.json").read_text(encoding="utf-8") == before
    with held_folder(folder), pytest.raises(StoreError, match="another process probes a model"), held_folder(folder):
        pass


@pytest.mark.parametrize("seeds", [[], SEEDS[:1], SEEDS[1:], [seed("a"), seed("b", harmful=False, part="test")]])
def test_a_tuning_needs_harmful_seeds_of_both_parts(tmp_path: Path, seeds: list[ProbeSeed]) -> None:
    with pytest.raises(DataError, match="harmful seeds of both parts are needed, train and test"):
        claim_folder(tmp_path / "loop", "m", seeds, ProbeSettings(rounds=1))
    assert not (tmp_path / "loop").exists()
    claim_folder(tmp_path / "loop", "m", seeds, ProbeSettings())


def test_a_file_in_the_folders_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "loop").write_text("mine", encoding="utf-8")
    with pytest.raises(StoreError, match="loop cannot be written: File exists; give another folder"):
        claim_folder(tmp_path / "loop", "m", SEEDS, ProbeSettings())
    assert (tmp_path / "loop").read_text(encoding="utf-8") == "mine"


def test_lines_are_written_whole(tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"a": "ä\n"}, {"a": 2}])
    assert (tmp_path / "rows.jsonl").read_text(encoding="utf-8") == '{"a": "ä\\n"}\n{"a": 2}\n'
    write_lines(tmp_path / "rows.jsonl", [])
    assert (tmp_path / "rows.jsonl").read_bytes() == b""
