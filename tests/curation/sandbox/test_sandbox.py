"""The sandbox runs programs whose outcomes are known, and refuses to run any where a protection is missing."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

import shoal
from shoal.curation.sandbox import FunctionTest, ProgramResult, Sandbox, SandboxProgram
from shoal.curation.sandbox.confined.seccomp import computing_only
from shoal.curation.sandbox.confined.values import decode, encode, same
from shoal.errors import DataError, UnknownNameError, UsageError

DOUBLE = [FunctionTest(arguments=(n,), expected=2 * n) for n in (1, 5)]


def run(source: str, tests: list[FunctionTest] = DOUBLE, **limits: Any) -> ProgramResult:
    return Sandbox(**limits).run(SandboxProgram(source=source, function="f", tests=tests))


def one(expected: Any, *arguments: Any) -> list[FunctionTest]:
    return [FunctionTest(arguments=arguments, expected=expected)]


def test_a_right_program_passes_by_every_mechanism_that_the_machine_has() -> None:
    result = run("def f(x): return x + x")
    assert (result.outcome, result.tests_passed, result.reason) == ("passed", 2, "")
    assert "seccomp" in result.mechanisms
    assert {"landlock", "empty root"} & set(result.mechanisms)


def test_a_wrong_value_names_the_call_and_both_values() -> None:
    result = run("def f(x): return x + 1")
    assert str(result) == "failed: 1 of 2 tests passed; test 2 of 2, f(5): gave 6, expected 10"


def test_an_exception_is_an_error_and_a_program_that_is_no_python_too() -> None:
    assert "ZeroDivisionError" in run("def f(x): return 1 // 0").reason
    assert "SyntaxError" in run("def f(x) return x").reason
    assert run("g = 1").reason == "the program defines no 'f'"
    assert run("f = 1").outcome == "error"


@pytest.mark.parametrize(("given", "expected"), [("1", True), ("1.0", 1), ("(1, 2)", [1, 2]), ("'1'", 1), ("[]", None)])
def test_a_value_of_another_type_is_wrong_though_python_may_call_it_equal(given: str, expected: Any) -> None:
    assert run(f"def f(): return {given}", one(expected)).outcome == "failed"


def test_floats_are_equal_up_to_rounding_and_sets_in_any_order() -> None:
    assert run("def f(): return 0.1 + 0.2", one(0.3)).passed
    assert not run("def f(): return 0.3001", one(0.3)).passed
    assert run("def f(): return {3, 1, 2}", one({1, 2, 3})).passed
    assert run("def f(): return {'b': 1, 'a': [2]}", one({"a": [2], "b": 1})).passed


def test_numbers_are_compared_whatever_their_size_and_order() -> None:
    # As text the first number of the given set would stand behind the second, and that of the expected one before it.
    assert same(encode({10.0, 5.0}), encode({9.999999999999998, 5.0}))
    large = 3**20_000
    assert decode(json.loads(json.dumps(encode([large, -large])))) == [large, -large]
    assert run("def f():\n    return 3 ** 20_000", one(large)).passed
    assert run("def f():\n    return 3 ** 20_000 + 1", one(large)).outcome == "failed"


def test_a_missing_key_of_the_program_is_its_own_error() -> None:
    assert "KeyError: 'x'" in run("def f():\n    return 1\n{}['x']", one(1)).reason
    assert "the program defines no 'f'" in run("def g():\n    return 1", one(1)).reason


def test_the_standard_library_can_be_imported_and_installed_packages_cannot() -> None:
    library = "import re, math, collections, itertools, random, datetime, hashlib, decimal, string, heapq, statistics"
    assert run(f"{library}\ndef f(x): return 2 * x").passed
    assert "ModuleNotFoundError" in run("import numpy\ndef f(x): return 2 * x").reason


def test_arguments_are_fresh_for_each_call_and_large_ones_go_through() -> None:
    many = list(range(50_000))
    tests = [FunctionTest(arguments=(many,), expected=len(many)) for _ in range(2)]
    assert run("def f(x):\n n = len(x)\n x.clear()\n return n", tests).passed


def test_what_a_program_prints_comes_back_without_control_characters_in_the_reason() -> None:
    result = run("print('hello')\ndef f(x): raise ValueError('\\x1b[31mred\\nline')")
    assert result.output == "hello\n"
    assert result.reason.endswith("ValueError: [31mred line")


def test_programs_come_back_in_their_order() -> None:
    programs = [
        SandboxProgram(source=f"def f(): return {n}", function="f", tests=one(n if n % 2 else -1)) for n in range(4)
    ]
    seen: list[tuple[str, int, int]] = []
    results = Sandbox().run_all(programs, workers=2, progress=lambda *state: seen.append(state))
    assert [result.passed for result in results] == [False, True, False, True]
    assert seen[-1] == ("programs", 4, 4)


def test_bad_input_is_named() -> None:
    with pytest.raises(UsageError, match="there is no test of 'f'"):
        run("def f(): return 1", [])
    with pytest.raises(UsageError, match="is no name of a function"):
        Sandbox().run(SandboxProgram(source="", function="f()", tests=DOUBLE))
    with pytest.raises(DataError, match="a value of type object is no plain value"):
        run("def f(x): return x", one(1, object()))
    with pytest.raises(UsageError, match="memory_bytes is 1,000,000"):
        Sandbox(memory_bytes=1_000_000)
    with pytest.raises(UsageError, match="cpu_seconds is 0"):
        Sandbox(cpu_seconds=0)
    with pytest.raises(UnknownNameError, match="unknown protection 'file'; did you mean 'files'"):
        Sandbox(accept_missing=["file"])
    with pytest.raises(DataError, match="is no test of a function"):
        FunctionTest.from_dict({"arguments": [{"list": 3}]})


# A machine that lacks a mechanism: a filter over the whole process answers its system call with "not permitted".
LACKING = """
import sys, json
from shoal.curation.sandbox import FunctionTest, SandboxProgram, Sandbox
from shoal.curation.sandbox.confined import seccomp, system
from shoal.errors import ShoalError
lacking, accepted, secret = json.loads(sys.argv[1])
calls = [system._CALLS[name][system.NUMBERS[system.machine()]] for name in lacking]
blocks = [one for number in calls for one in ((0x15, 0, 1, number), (0x06, 0, 0, 0x00050001))]
system.control_process(system.PR_SET_NO_NEW_PRIVS, 1)
seccomp.install([(0x20, 0, 0, 0), *blocks, (0x06, 0, 0, 0x7FFF0000)])
tests = [FunctionTest(arguments=(), expected=1)]
for source in ("def f(): return 1", f"print(open({secret!r}).read())", "import os\\nos.fork()"):
    try:
        result = Sandbox(accept_missing=accepted).run(SandboxProgram(source=source, function="f", tests=tests))
        print(json.dumps([result.outcome, result.output, list(result.mechanisms)]))
    except ShoalError as fault:
        print(json.dumps([type(fault).__name__, str(fault), []]))
"""


def on_a_machine_without(lacking: list[str], folder: Path, accepted: tuple[str, ...] = ()) -> list[list[Any]]:
    secret = folder / "secret.txt"
    secret.write_text("the secret")
    finished = subprocess.run(
        [sys.executable, "-c", LACKING, json.dumps([lacking, accepted, str(secret)])],
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in finished.stdout.splitlines()]


def test_without_namespaces_the_other_mechanisms_confine_a_program(tmp_path: Path) -> None:
    plain, reading, forking = on_a_machine_without(["unshare"], tmp_path)
    assert plain[0] == "passed"
    assert "namespaces" not in plain[2]
    assert (reading[0], reading[1]) == ("error", "")
    assert forking[0] == "forbidden"


def test_where_a_protection_is_missing_nothing_runs_unless_that_is_accepted(tmp_path: Path) -> None:
    lacking = ["unshare", "landlock_create_ruleset"]
    for kind, message, _ in on_a_machine_without(lacking, tmp_path):
        assert kind == "SandboxError"
        assert "does not protect its files from a program, so nothing was run (files: unshare:" in message
        assert "accept it by name: files" in message
    plain, reading, forking = on_a_machine_without(lacking, tmp_path, accepted=("files",))
    assert plain[0] == "passed"
    assert "the secret" in reading[1]
    assert forking[0] == "forbidden"


def test_without_a_seccomp_filter_the_missing_protection_is_named(tmp_path: Path) -> None:
    ((kind, message, _), *_) = on_a_machine_without(["seccomp"], tmp_path)
    assert kind == "SandboxError"
    assert "processes: seccomp: Operation not permitted" in message


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_is_served_too() -> None:
    code = (
        "import os, sys; sys.executable = '/usr/bin/python3'; os.setgid(65534); os.setuid(65534)\n"
        "from shoal.curation.sandbox import FunctionTest, SandboxProgram, Sandbox\n"
        "tests = [FunctionTest(arguments=(), expected=1)]\n"
        "print(Sandbox().run(SandboxProgram(source='def f(): return 1', function='f', tests=tests)).outcome)"
    )
    if not Path("/usr/bin/python3").exists():
        pytest.skip("there is no interpreter that every user can run")
    source = Path(shoal.__file__).resolve()
    if not all(folder.stat().st_mode & 0o001 for folder in source.parents):
        pytest.skip("this checkout lies where not every user can read it")
    finished = subprocess.run(
        [sys.executable, "-c", f"import shoal.curation.sandbox.sandbox\n{code}"], capture_output=True, text=True
    )
    assert finished.stdout == "passed\n", finished.stderr


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_returns_on_every_path(machine: str) -> None:
    program = computing_only(machine)
    returns = {place for place, (code, *_) in enumerate(program) if code == 0x06}
    for place, (code, yes, no, _) in enumerate(program):
        if code in (0x15, 0x35, 0x45):
            assert place + 1 + max(yes, no) < len(program)
    assert len(program) - 1 in returns
    numbers = [operand for code, _, _, operand in program if code == 0x15]
    repeated = [number for number, group in itertools.groupby(sorted(numbers[1:])) if len(list(group)) > 1]
    # The commands of fcntl and the halves of a null pointer are compared too.
    assert set(repeated) <= {0, 1, 2, 3}


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=8,
)


@settings(max_examples=40)
@given(PLAIN)
def test_plain_values_survive_the_way_through_json(value: Any) -> None:
    encoded = json.loads(json.dumps(encode(value)))
    assert same(encode(value), encoded)
    assert same(encode(decode(encoded)), encoded)
