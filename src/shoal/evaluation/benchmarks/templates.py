"""Jinja templates of task files, in a sandbox: a task file is data, and must not reach into Python.

Missing columns are errors, and a trailing line end stays, as in lm-evaluation-harness.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.exceptions import UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from shoal.errors import DataError
from shoal.wording import in_one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Template


def _regex_replace(text: str, pattern: str, replacement: str, count: int = 0) -> str:
    return re.sub(pattern, replacement, text, count=count)


# autoescape is for HTML; these are prompts.
_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
_ENVIRONMENT.filters["regex_replace"] = _regex_replace


@lru_cache(maxsize=4096)
def compile_template(source: str) -> Template:
    """A template, compiled once.

    Raises:
        DataError: it is no Jinja template.
    """
    try:
        return _ENVIRONMENT.from_string(source)
    except TemplateError as error:
        raise DataError(
            f"the template {source[:60]!r} cannot be read by Jinja: {in_one_line(error, limit=120)}"
        ) from error


def render(source: str, document: Mapping[str, Any]) -> str:
    """What a template makes of a document.

    Args:
        source: the template.
        document: its columns.

    Raises:
        DataError: the template is broken, or the document lacks a column that it names.
    """
    # Without marks there is nothing to fill in; most few-shot delimiters and many targets are so.
    if "{" not in source and "\r" not in source:
        return source
    template = compile_template(source)
    try:
        return template.render(document)
    except UndefinedError as error:
        columns = ", ".join(sorted(map(str, document)))
        raise DataError(
            f"the template {source[:60]!r} names a column that the document does not have ({error}); it has: {columns}"
        ) from error
    except Exception as error:  # whatever a filter or an operator raises on values of the wrong kind
        raise DataError(
            f"the template {source[:60]!r} fails on a document: {type(error).__name__}: {in_one_line(error, limit=120)}"
        ) from error
