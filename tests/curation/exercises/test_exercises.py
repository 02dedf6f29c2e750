"""Exercises of the grammar have solutions and tests that tell every step, and solutions are scored by pass@k."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from shoal.cli.main import main
from shoal.curation.exercises import (
    Exercise,
    estimate_pass_at_k,
    exercise_topics,
    function_body,
    make_exercises,
    pass_at_k,
    read_exercises,
    score_solutions,
    write_exercises,
)
from shoal.errors import DataError, UnknownNameError, UsageError


@pytest.fixture(scope="module")
def some() -> list[Exercise]:
    return make_exercises(24, seed=3)


def run(exercise: Exercise, body: str) -> list[bool]:
    """Whether each test passes, in this process: the solutions are our own."""
    space: dict[str, object] = {}
    exec(exercise.prompt + body, space)
    function = space[exercise.name]
    assert callable(function)
    return [
        function(*test.arguments) == test.expected and type(function(*test.arguments)) is type(test.expected)
        for test in exercise.tests
    ]


def test_every_solution_passes_its_tests_and_a_constant_does_not(some: list[Exercise]) -> None:
    for exercise in some:
        assert all(run(exercise, exercise.solution)), exercise.prompt
        for constant in ("0", "[]", "''", "None"):
            assert not all(run(exercise, f"    return {constant}\n")), exercise.prompt


def test_solutions_of_other_exercises_on_the_same_argument_fail_unless_they_do_the_same(some: list[Exercise]) -> None:
    for one, other in itertools.permutations(some, 2):
        same_argument = one.prompt.split("(")[1].split(")")[0] == other.prompt.split("(")[1].split(")")[0]
        # A filter of one and not of the other, or another reduction, is told by some test.
        if same_argument and set(one.group.split()) < set(other.group.split()):
            assert not all(run(other, one.solution)), (one.name, other.name)


def test_exercises_are_distinct_hang_on_the_seed_and_keep_their_beginning(some: list[Exercise]) -> None:
    assert len({exercise.prompt for exercise in some}) == len(some)
    assert make_exercises(10, seed=3) == some[:10]
    assert make_exercises(10, seed=4) != some[:10]
    assert {exercise.difficulty for exercise in some} == {1, 2, 3, 4}


def test_constraints_hold() -> None:
    few = make_exercises(5, topics=["school", "sports"], words=["sum", "even"], difficulty=[2, 3])
    assert {exercise.topic for exercise in few} <= {"school", "sports"}
    assert all({"sum", "even"} <= set(exercise.name.split("_")) for exercise in few)
    assert {exercise.difficulty for exercise in few} <= {2, 3}


def test_bad_constraints_are_named() -> None:
    with pytest.raises(UnknownNameError, match="unknown topic of exercises 'schol'; did you mean 'school'"):
        make_exercises(1, topics=["schol"])
    with pytest.raises(UnknownNameError, match="unknown word of a function's name 'evn'"):
        make_exercises(1, words=["evn"])
    with pytest.raises(UsageError, match="the difficulty is 5; give whole numbers from 1 to 4"):
        make_exercises(1, difficulty=[5])
    with pytest.raises(UsageError, match="there are only about"):
        make_exercises(5000, topics=["school"], words=["sum"], difficulty=[1])
    with pytest.raises(UsageError, match="the count is 0"):
        make_exercises(0)
    assert len(exercise_topics()) == 9


def test_a_file_gives_the_exercises_back(some: list[Exercise], tmp_path: Path) -> None:
    for name in ("some.jsonl", "some.parquet"):
        write_exercises(some, tmp_path / name)
        assert read_exercises(tmp_path / name) == some
    (tmp_path / "rows.jsonl").write_text(json.dumps({"prompt": "a", "completion": "b"}) + "\n")
    with pytest.raises(DataError, match="is no exercise: it has no name and no tests"):
        read_exercises(tmp_path / "rows.jsonl")


def test_a_completion_ends_where_the_function_does() -> None:
    assert function_body("    x = 1\n\n    return x\n\ndef other():\n    pass") == "    x = 1\n\n    return x\n"
    assert function_body("    return 1\nprint(2)\n") == "    return 1\n"
    assert function_body("    return 1") == "    return 1\n"


def test_solutions_are_scored_in_the_sandbox(some: list[Exercise], tmp_path: Path) -> None:
    few = some[:4]
    hostile = "    import os\n    os.system('touch " + str(tmp_path / "touched") + "')\n    return 0\n"
    scores = score_solutions(few, [[one.solution, "    return 'no'\n", hostile] for one in few], k=(1, 2, 3), workers=2)
    assert scores.outcomes == {"passed": 4, "failed": 4, "forbidden": 4}
    assert [round(one.value, 6) for one in scores.pass_at] == [round(1 / 3, 6), round(2 / 3, 6), 1.0]
    assert scores.pass_at[0].low is None
    assert "too few or too alike for an interval" in str(scores)
    assert not (tmp_path / "touched").exists()
    frame = scores.to_frame()
    assert list(frame["sample"]) == [0, 1, 2] * 4
    with pytest.raises(UsageError, match="pass@k for k = 4 needs as many solutions"):
        score_solutions(few, [["x"]] * 4, k=[4])
    with pytest.raises(DataError, match="there are 4 exercises and solutions of 0"):
        score_solutions(few, [])


@pytest.mark.parametrize(("n", "c", "k"), [(5, 0, 2), (5, 1, 2), (5, 3, 3), (6, 6, 1), (7, 2, 7)])
def test_pass_at_k_is_the_share_of_all_choices_of_k_samples_with_a_pass(n: int, c: int, k: int) -> None:
    choices = list(itertools.combinations(range(n), k))
    share = sum(any(sample < c for sample in choice) for choice in choices) / len(choices)
    assert pass_at_k(n, c, k) == pytest.approx(share)


def test_pass_at_k_has_an_interval_over_groups_and_an_exact_one_at_the_ends() -> None:
    mixed = estimate_pass_at_k([(4, n % 5) for n in range(30)], 2)
    assert mixed.low is not None
    assert mixed.high is not None
    assert mixed.low < mixed.value < mixed.high
    clustered = estimate_pass_at_k(
        [(4, 4 * (n // 10 % 2)) for n in range(100)], 1, groups=[n // 10 for n in range(100)]
    )
    alone = estimate_pass_at_k([(4, 4 * (n // 10 % 2)) for n in range(100)], 1)
    assert clustered.low is not None
    assert alone.low is not None
    assert clustered.low < alone.low
    none = estimate_pass_at_k([(4, 0)] * 10, 1)
    assert (none.value, none.low) == (0.0, 0.0)
    assert none.high == pytest.approx(0.308, abs=1e-3)  # 1 - 0.025 ** (1 / 10)
    with pytest.raises(UsageError, match="there is no problem"):
        estimate_pass_at_k([], 1)
    with pytest.raises(UsageError, match="pass@5 of 1 passed among 4 samples"):
        pass_at_k(4, 1, 5)


def test_the_interval_of_pass_at_1_covers_the_truth_in_most_samples() -> None:
    import numpy as np

    random = np.random.default_rng(0)
    covered = 0
    for _ in range(40):
        chances = random.beta(1, 2, size=40)
        found = estimate_pass_at_k([(5, int(passed)) for passed in random.binomial(5, chances)], 1)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 1 / 3 <= found.high
    assert 33 <= covered <= 40


def test_the_command_line_writes_exercises_and_scores_solutions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "exercises.jsonl"
    main(["curate", "exercises", "--count", "3", "--topic", "school", "--difficulty", "2", "--out", str(out)])
    assert "3 exercises" in capsys.readouterr().out
    table = tmp_path / "outcomes.csv"
    main(["curate", "solve", str(out), "--solutions", str(out), "--out", str(table)])
    assert "3 solutions of 3 exercises: 3 passed" in capsys.readouterr().out
    assert len(table.read_text().splitlines()) == 4
    with pytest.raises(SystemExit) as exit_code:
        main(["curate", "solve", str(out)])
    assert exit_code.value.code == 2
    assert "give either --model SPEC" in capsys.readouterr().err


def test_a_model_that_knows_no_python_solves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "exercises.jsonl"
    write_exercises(make_exercises(2, topics=["school"], difficulty=[1]), out)
    main([
        "curate", "solve", str(out), "--model", "random:bundled:stories", "--samples", "2", "--max-tokens", "8",
        "--json", "--record", str(tmp_path / "record.jsonl"),
    ])  # fmt: skip
    found = json.loads(capsys.readouterr().out)
    assert [one["value"] for one in found["pass_at"]] == [0.0, 0.0]
    assert len((tmp_path / "record.jsonl").read_text().splitlines()) == 4
