"""``shoal certify``: an evaluator is proved on dummy models of known accuracy."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import Parameter


def certify(
    evaluator: str | None = None,
    /,
    *,
    fast: Annotated[bool, Parameter(negative="")] = False,
    seed: int = 0,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Prove an evaluator on dummy models of known accuracy, and print what was proved.

    The exit code is 0 where every check passed, and 1 where one failed.

    Parameters
    ----------
    evaluator
        A Python callable as MODULE:FUNCTION or FILE.py:FUNCTION; by default shoal's own evaluator. It is called with
        (model, tokenizer, examples) and returns one record an example, with at least ``exact_match``.
    fast
        Only the part that every run begins with.
    seed
        For the dummies that answer at random.
    as_json
        Print the certificate as JSON on standard output.
    """
    from shoal.cli.console import print_json, progress_bars
    from shoal.evaluation import certify as prove, evaluate
    from shoal.experiments import import_callable

    takes = "(model, tokenizer, examples)"
    subject = evaluate if evaluator is None else import_callable(evaluator, what="evaluator", takes=takes)
    with progress_bars() as progress:
        certificate = prove(subject, fast=fast, seed=seed, progress=progress)
    if as_json:
        print_json(certificate.to_dict())
    else:
        print(certificate.to_text())
    if not certificate.passed:
        sys.exit(1)
