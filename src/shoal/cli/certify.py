"""``shoal certify``: an evaluator proved on dummy models of known accuracy."""

from __future__ import annotations

import sys

from shoal.cli.options import Flag, Json, Seed


def certify(
    evaluator: str | None = None,
    /,
    *,
    fast: Flag = False,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Prove an evaluator on dummy models of known accuracy, and print its certificate.

    The exit code is 0 where every check passed, and 1 where one failed.

    Parameters
    ----------
    evaluator
        Python callable as MODULE:FUNCTION or FILE.py:FUNCTION. It is called with (model, tokenizer, examples) and
        returns one record per example, with at least ``exact_match``. Default: shoal's own evaluator.
    fast
        Run only the checks that every run begins with.
    """
    from shoal.callables import import_callable
    from shoal.cli.console import print_json, progress_bars
    from shoal.evaluation import certify as prove, evaluate

    takes = "(model, tokenizer, examples)"
    subject = evaluate if evaluator is None else import_callable(evaluator, what="evaluator", takes=takes)
    with progress_bars() as progress:
        certificate = prove(subject, fast=fast, seed=seed, progress=progress)
    if as_json:
        print_json(certificate.to_dict())
    else:
        print(certificate)
    if not certificate.passed:
        sys.exit(1)
