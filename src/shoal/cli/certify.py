"""``shoal certify``: an evaluator proved on dummy models of known accuracy."""

from __future__ import annotations

import sys
from typing import Literal

from shoal.cli.options import Flag, Json, Seed
from shoal.cli.terminal import print_json, progress_bars


def certify(
    evaluator: str | None = None,
    /,
    *,
    evaluator_kind: Literal["exact-match", "choices", "generation"] = "exact-match",
    fast: Flag = False,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Prove an evaluator on dummy models of known accuracy, and print its certificate.

    The exit code is 0 where every check passed, and 1 where one failed.

    Parameters
    ----------
    evaluator
        Python callable as MODULE:FUNCTION or FILE.py:FUNCTION. It is called with (model, tokenizer, items) and
        returns one record per item. Default: shoal's own evaluator of the kind.
    evaluator_kind
        What the evaluator is certified for. exact-match: an item is a prompt with a completion, a record has at least
        exact_match. choices: an item has context, choices and answer; a record is an index, log-likelihoods, or has
        choice, correct or log_likelihoods. generation: an item has prompt, until, max_tokens, pattern, take and
        target; a record is the filtered answer, or has text, answer or correct.
    fast
        Run only the checks that every run begins with.
    """
    from shoal.callables import import_callable
    from shoal.evaluation import certify as prove

    takes = "(model, tokenizer, items)"
    subject = None if evaluator is None else import_callable(evaluator, what="evaluator", takes=takes)
    with progress_bars() as progress:
        certificate = prove(subject, kind=evaluator_kind, fast=fast, seed=seed, progress=progress)
    if as_json:
        print_json(certificate.to_dict())
    else:
        print(certificate)
    if not certificate.passed:
        sys.exit(1)
