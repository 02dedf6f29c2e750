"""``shoal certify``: an evaluator is proved on dummy models of known accuracy."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


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
    from shoal.evaluation import certify as prove
    from shoal.evaluation import evaluate

    subject = evaluate if evaluator is None else _import_callable(evaluator)
    with progress_bars() as progress:
        certificate = prove(subject, fast=fast, seed=seed, progress=progress)
    if as_json:
        print_json(certificate.to_dict())
    else:
        print(certificate.to_text())
    if not certificate.passed:
        sys.exit(1)


def _import_callable(name: str) -> Callable[..., Any]:
    """The callable that MODULE:FUNCTION or FILE.py:FUNCTION names."""
    place, colon, attribute = name.rpartition(":")
    if not colon or not place or not attribute:
        raise UsageError(f"the evaluator {name!r} is not MODULE:FUNCTION or FILE.py:FUNCTION; name the callable so")
    module = _module_from_file(Path(place)) if place.endswith(".py") else _module_by_name(place)
    found = getattr(module, attribute, None)
    if not callable(found):
        raise UsageError(f"{place} has no callable {attribute!r}; name a function of (model, tokenizer, examples)")
    return found  # type: ignore[no-any-return]  # what a user's module holds is not known to the type checker


def _module_by_name(name: str) -> object:
    sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as fault:
        raise UsageError(f"no module named {fault.name!r} for the evaluator; is it on the path?") from fault


def _module_from_file(path: Path) -> object:
    if not path.is_file():
        raise UsageError(f"{path} does not exist; give the file that holds the evaluator")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None  # a .py file always has a loader
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module
