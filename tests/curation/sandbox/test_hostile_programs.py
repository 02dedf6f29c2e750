"""No program gets out of the sandbox, hangs it, leaves anything running, or passes tests that it does not pass."""

from __future__ import annotations

import os
import platform
import random
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile import HOSTILE

from shoal.curation.sandbox import FunctionTest, ProgramResult, Sandbox, SandboxProgram

SECRET = "the-secret-of-the-machine"
MARK = f"sandbox-under-test-{os.getpid()}"
"""Stands in the environment of every process that belongs to a sandbox of these tests."""

# Values that no program can compute: one that passes has faked it.
TESTS = [FunctionTest(arguments=(n,), expected=random.Random(n).getrandbits(60)) for n in range(4)]
CLONE = {"x86_64": 56, "aarch64": 220}


class World:
    """What the programs try to reach, and what became of them."""

    def __init__(self, folder: Path, listener: socket.socket) -> None:
        self.listener = listener
        self.secret = folder / "secret.txt"
        self.secret.write_text(SECRET)
        self.target = folder / "target"
        self.target.mkdir(mode=0o777)
        places = {
            "SECRET": str(self.secret),
            "TARGET": str(self.target),
            "PORT": self.listener.getsockname()[1],
            "PARENT": os.getpid(),
            "CLONE": CLONE[platform.machine()],
        }
        programs = [
            SandboxProgram(source=source.format_map(places), function="f", tests=TESTS)
            for source, _ in HOSTILE.values()
        ]
        sandbox = Sandbox(cpu_seconds=0.25, wall_seconds=4.0, memory_bytes=192 * 2**20)
        # Most of the time the sleepers sleep, so that several share a processor well.
        self.results = dict(zip(HOSTILE, sandbox.run_all(programs, workers=6), strict=True))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        patch.setenv("LD_LIBRARY_PATH", f"/nonexistent/{MARK}")
        yield World(tmp_path_factory.mktemp("machine"), listener)


def left_running() -> list[str]:
    """The processes of these tests' sandboxes that are still there."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdecimal() and int(process.name) != os.getpid():
            try:
                environment = (process / "environ").read_bytes()
            except OSError:
                continue
            if MARK.encode() in environment:
                found.append(process.name)
    return found


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_program_comes_to_a_named_end(world: World, name: str) -> None:
    result = world.results[name]
    assert result.outcome in HOSTILE[name][1], str(result)
    assert result.reason


def test_no_program_passes_or_is_credited_with_a_test(world: World) -> None:
    assert [name for name, result in world.results.items() if result.passed or result.tests_passed] == []


def test_nothing_of_the_machine_comes_out(world: World) -> None:
    def shown(result: ProgramResult) -> str:
        return result.output + result.reason

    assert [name for name, result in world.results.items() if SECRET in shown(result)] == []
    assert [name for name, result in world.results.items() if "root:x:0" in shown(result)] == []
    values = [str(test.expected) for test in TESTS]
    leaking = [name for name, result in world.results.items() if any(value in result.output for value in values)]
    assert leaking == []


def test_nothing_of_the_machine_is_changed_or_called(world: World) -> None:
    assert world.secret.read_text() == SECRET
    assert list(world.target.iterdir()) == []
    with pytest.raises(BlockingIOError):
        world.listener.accept()


def test_nothing_is_left_running(world: World) -> None:
    assert left_running() == []


def test_output_is_bounded(world: World) -> None:
    assert max(len(result.output) for result in world.results.values()) <= Sandbox().output_bytes


def test_the_deed_behind_a_forbidden_call_is_named(world: World) -> None:
    assert world.results["fork bomb"].reason == "os.fork"
    assert world.results["write"].reason.startswith("opening ")
    assert world.results["write"].reason.endswith("for writing")
    assert world.results["connect"].reason == "socket.__new__"
