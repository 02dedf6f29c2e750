"""The sandbox: a program in an interpreter of its own, with no network, no files, no processes, and little time.

What confines a program is the kernel, and nothing that the program could reach: Linux namespaces with an empty root
folder, Landlock, a seccomp filter, resource limits, and a supervisor outside of its process. The right values stay
outside too. Root and ordinary users are served alike. Where a machine lacks a protection, nothing is run unless that is
accepted by name.

Cost: about 0.1 s of CPU time for each program.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.curation.sandbox.confined.supervisor import ProgramLimits
from shoal.curation.sandbox.process import run_confined
from shoal.curation.sandbox.results import FunctionTest, judge, values_of
from shoal.errors import SandboxError, UnknownNameError, UsageError
from shoal.progress import no_progress
from shoal.wording import joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.curation.sandbox.process import ProcessReport
    from shoal.curation.sandbox.results import ProgramResult
    from shoal.progress import Progress

PROTECTIONS = ("files", "network", "processes", "memory")
"""What a sandbox must give: no file is read but the standard library and none is written; no network; no further
process and no signal to another one; a limit of memory."""

MIN_MEMORY = 64 * 2**20
"""Bytes of address space: the interpreter with its libraries needs nearly so much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxProgram:
    """A program and the tests of the function that it must define."""

    source: str
    function: str
    tests: Sequence[FunctionTest]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """The limits of programs, and where they are run."""

    cpu_seconds: float = 2.0
    """Of CPU time, all calls together."""

    wall_seconds: float = 30.0
    """Of wall time; more than the CPU time, since other work may hold the machine up."""

    memory_bytes: int = 256 * 2**20
    """Of address space, the interpreter's own included."""

    output_bytes: int = 2**16
    """That a program may print; one that prints more is ended."""

    accept_missing: Sequence[str] = ()
    """Those of `PROTECTIONS` that a machine may lack; without one that is not named here no program is run."""

    def __post_init__(self) -> None:
        for name, value in (("cpu_seconds", self.cpu_seconds), ("wall_seconds", self.wall_seconds)):
            if not 0 < value < 86400:
                raise UsageError(f"{name} is {value:g}; give seconds above 0, and less than a day")
        if self.memory_bytes < MIN_MEMORY:
            raise UsageError(
                f"memory_bytes is {self.memory_bytes:,}; the interpreter alone needs {MIN_MEMORY:,}, give that or more"
            )
        if self.output_bytes < 1:
            raise UsageError(f"output_bytes is {self.output_bytes}; give 1 or more")
        for name in self.accept_missing:
            if name not in PROTECTIONS:
                raise UnknownNameError("protection", name, PROTECTIONS)

    def run(self, program: SandboxProgram) -> ProgramResult:
        """Run a program's tests.

        Args:
            program: with at least one test.

        Raises:
            UsageError: the program has no test, or its function no name.
            DataError: a test holds what is no plain value.
            SandboxError: this machine lacks a protection that is not in ``accept_missing``, or the sandbox failed.
        """
        if not program.tests:
            raise UsageError(f"there is no test of {program.function!r}; give one or more, since none proves nothing")
        if not program.function.isidentifier():
            raise UsageError(f"{program.function!r} is no name of a function; give the one that the program defines")
        calls = [test.to_dict()["arguments"] for test in program.tests]
        return judge(self._report(program.source, program.function, calls), program.function, program.tests)

    def values(self, source: str, function: str, calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        """What a function gives, for a solution whose values are to be the expected ones.

        Args:
            source: of the program.
            function: that it defines.
            calls: the arguments of each call, plain values.

        Raises:
            DataError: the program does not end by itself, or a call gives no plain value.
            SandboxError: as `run`.
        """
        arguments = [FunctionTest(arguments=call, expected=None).to_dict()["arguments"] for call in calls]
        return values_of(self._report(source, function, arguments), len(calls))

    def _report(self, source: str, function: str, calls: Sequence[Any]) -> ProcessReport:
        """Run a program, on a machine that has every protection or is accepted without."""
        report = run_confined(
            source,
            function,
            calls,
            limits=ProgramLimits(self.cpu_seconds, self.wall_seconds, self.memory_bytes),
            output_bytes=self.output_bytes,
            accept_missing=self.accept_missing,
        )
        lacking = [name for name in report.missing if name not in self.accept_missing]
        if lacking:
            reasons = "; ".join(f"{name}: {report.missing[name]}" for name in lacking)
            raise SandboxError(
                f"this machine does not protect its {joined(lacking)} from a program, so nothing was run ({reasons}); "
                f"use Linux 5.13 or later outside of a restricted container, or accept it by name: {', '.join(lacking)}"
            )
        return report

    def run_all(
        self, programs: Sequence[SandboxProgram], *, workers: int | None = None, progress: Progress = no_progress
    ) -> list[ProgramResult]:
        """Run many programs' tests, several at a time.

        Args:
            programs: each with at least one test.
            workers: how many run at a time; None for one per processor.
            progress: called with (what, done, total).

        Returns:
            The results in the order of the programs.

        Raises:
            ShoalError: as `run`.
        """
        with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
            futures = [pool.submit(self.run, program) for program in programs]
            try:
                for done, future in enumerate(as_completed(futures), start=1):
                    future.result()
                    progress("programs", done, len(programs))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return [future.result() for future in futures]
