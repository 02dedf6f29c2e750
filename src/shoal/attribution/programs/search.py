"""The search: which program, that nobody named, explains the answers of a model.

Two-part codes are compared: the answers under the null (`null.py`), against a program's code length and the answers
under the null with the program as one part more. The programs' priors add up to at most 1, so the bits saved of the
best one exceed b with probability 2^-b at most where the null holds (Markov's inequality on an e-value; Grünwald, de
Heide and Koolen 2024).
Cost: a matrix of programs by items is compared with the answers; the 400 programs that look best are scored in full.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from shoal.attribution.candidates import candidates_of
from shoal.attribution.programs.comparison import ProgramComparison
from shoal.attribution.programs.library import build_library
from shoal.attribution.programs.program import ProgramShortcut
from shoal.attribution.programs.result import FoundProgram, SearchResult, ShowingItem
from shoal.errors import UsageError
from shoal.progress import no_progress
from shoal.tasks import Example

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.attribution.answers import ItemAnswer
    from shoal.attribution.candidates import CandidateTable
    from shoal.attribution.programs.library import ProgramLibrary
    from shoal.progress import Progress
    from shoal.tasks import Task

_MAX_FOUND = 3
"""Programs that are found one after the other, each as one more named explanation for the next."""

_SHOWN = 5
"""Programs of the result that were not found."""


def search_programs(
    task: Task,
    answers: Sequence[ItemAnswer],
    *,
    table: CandidateTable | None = None,
    library: ProgramLibrary | None = None,
    alpha: float = 0.05,
    min_share: float = 0.25,
    min_items: int = 5,
    progress: Progress | None = None,
) -> SearchResult:
    """Search the programs of the grammar for one that explains answers which nothing named explains.

    Args:
        task: whose rule and seen examples the programs use.
        answers: the model's answers; some should be to held-out prompts.
        table: the named explanations with their candidates for the same prompts, as `candidates_of` gives them; the
            task's own shortcuts by default.
        library: the programs on the same prompts, as `build_library` gives them, where several models are compared.
        alpha: the probability of finding a program where answers come without any.
        min_share: of the items on which a program differs from the rule, the share that it must explain.
        min_items: how many such items it must explain at least.
        progress: called with (what, done, total).

    Raises:
        UsageError: there are no answers, a setting is out of its range, or the table or the library is of
            other prompts.
    """
    report = progress or no_progress
    prompts = [each.prompt for each in answers]
    _check(prompts, alpha, min_share, min_items, table, library)
    expected = [each.expected for each in answers]
    items = [Example(prompt=prompt, completion=right) for prompt, right in zip(prompts, expected, strict=True)]
    named = table or candidates_of(task, items, progress=report)
    tried = library or build_library(task.seen, task.rule, prompts, expected, progress=report)
    comparison = ProgramComparison(tried, answers, named)
    ranked = first = comparison.bits_saved()
    programs: list[FoundProgram] = []
    found: set[int] = set()
    while len(found) < _MAX_FOUND:
        enough = (each for each in ranked if _suffices(comparison, each, alpha, min_share, min_items))
        best = next(enough, None)
        if best is None:
            break
        found.add(best[0])
        programs.append(_described(comparison, best, task, ranked, found=True))
        comparison.add(best[0])
        ranked = comparison.bits_saved()
    others = [each for each in first if each[0] not in found][:_SHOWN]
    programs += [_described(comparison, each, task, first, found=False) for each in others]
    return SearchResult(
        programs=tuple(programs),
        tried=len(comparison.outputs),
        named=named.names,
        alpha=alpha,
        min_share=min_share,
    )


def _suffices(
    comparison: ProgramComparison, candidate: tuple[int, float], alpha: float, min_share: float, min_items: int
) -> bool:
    """Whether a program saves more than chance does, and explains enough of what it says."""
    place, saved = candidate
    differs = int(comparison.differs[place].sum())
    return saved >= math.log2(1 / alpha) and comparison.expected_follows(place) >= max(min_items, min_share * differs)


def _described(
    comparison: ProgramComparison,
    candidate: tuple[int, float],
    task: Task,
    ranked: Sequence[tuple[int, float]],
    *,
    found: bool,
) -> FoundProgram:
    """A program with its figures; its posterior is that among the programs ranked with it, and none (0 bits)."""
    place, saved = candidate
    program, library = comparison.program(place), comparison.library
    hits, differs = comparison.hits[place], int(comparison.differs[place].sum())
    shown = [comparison.answers[row] for row in np.flatnonzero(comparison.follows[place]).tolist()]
    return FoundProgram(
        text=program.text,
        notation=program.notation,
        bits=float(comparison.bits[place]),
        bits_saved=saved,
        agrees=int(hits.sum()),
        differs=differs,
        follows=len(shown),
        share=comparison.expected_follows(place) / max(differs, 1),
        items=len(hits),
        posterior=2.0 ** (saved - _sum_of_powers([0.0, *(bits for _, bits in ranked)])),
        equal_programs=library.equal[place] if place < len(library.equal) else 0,
        found=found,
        showing=tuple(ShowingItem(prompt=each.prompt, expected=each.expected, answer=each.answer) for each in shown),
        shortcut=ProgramShortcut(program, task.rule),
    )


def _sum_of_powers(exponents: Sequence[float]) -> float:
    """log2 of the sum of the powers of two, without overflow."""
    highest = max(exponents)
    return highest + math.log2(sum(2.0 ** (each - highest) for each in exponents))


def _check(
    prompts: Sequence[str],
    alpha: float,
    min_share: float,
    min_items: int,
    table: CandidateTable | None,
    library: ProgramLibrary | None,
) -> None:
    if not prompts:
        raise UsageError("there are no answers to search a program for; give those of at least one item")
    for name, value in (("alpha", alpha), ("min_share", min_share)):
        if not 0 < value < 1:
            raise UsageError(f"{name} is {value}; give a number between 0 and 1")
    if min_items < 1:
        raise UsageError(f"min_items is {min_items}; give a number of items, at least 1")
    given = {"table": table.prompts if table else prompts, "library": library.batch.prompts if library else prompts}
    for name, own in given.items():
        if list(own) != list(prompts):
            raise UsageError(f"the {name} is of other prompts than the answers; make it of the same items")
