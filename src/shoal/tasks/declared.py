"""Rules and shortcuts of a user's own: functions named as ``FILE.py:FUNCTION``, and shortcuts declared by a table.

A table has the kind of the shortcut as its first key: ``{ word = -1 }``. A new kind is a function here under
`_declares`, which is given the rows and the values of the table, and gives a `Shortcut`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shoal.callables import import_callable
from shoal.errors import UnknownNameError, UsageError
from shoal.text import COMBINING_MARKS

if TYPE_CHECKING:
    from shoal.tasks.task import Example, Rule, Shortcut, Tag, Task

ShortcutSpec = Callable[..., str] | str | Mapping[str, Any]
"""A shortcut as a person gives it: a function, its name ``FILE.py:FUNCTION``, or a table such as ``{ word = -1 }``."""

RuleSpec = Callable[[str], str] | str
"""A rule as a person gives it: a function, or its name ``FILE.py:FUNCTION``."""

_RESERVED = ("rule", "noise")
"""Names of explanations that are no shortcuts: a shortcut of such a name would pass for them."""

_WORD = re.compile(rf"\w[\w{COMBINING_MARKS}]*")
"""Without the marks a word of Hindi would end at its first vowel."""

_KINDS: dict[str, Callable[..., Shortcut]] = {}


def make_rule(spec: RuleSpec) -> Rule:
    """The rule that was given.

    Args:
        spec: a function of the prompt, or its name.

    Raises:
        UsageError: there is no such function.
    """
    return import_callable(spec, what="rule", takes="(prompt)") if isinstance(spec, str) else spec


def make_shortcuts(specs: Mapping[str, ShortcutSpec], rows: Sequence[Example]) -> dict[str, Shortcut]:
    """The shortcuts that were given, by name.

    Args:
        specs: from names to functions of (prompt, seen), names of such functions, or tables.
        rows: every example of the task, whose tags a table may name.

    Raises:
        UsageError: a function does not exist, or a table cannot be used.
        UnknownNameError: a table has an unknown key.
    """
    return {name: _make_shortcut(name, spec, rows) for name, spec in specs.items()}


def with_shortcuts(task: Task, shortcuts: Mapping[str, ShortcutSpec]) -> Task:
    """The task with further shortcuts.

    Args:
        task: any task.
        shortcuts: by name, as `make_shortcuts` takes them.

    Raises:
        UsageError: a name is taken, or a shortcut cannot be made.
    """
    return replace(task, shortcuts=add_shortcuts(task.shortcuts, shortcuts, task.examples))


def add_shortcuts(
    known: Mapping[str, Shortcut], more: Mapping[str, ShortcutSpec], rows: Sequence[Example]
) -> dict[str, Shortcut]:
    """Both together; no name stands for two.

    Args:
        known: the shortcuts that there are.
        more: further ones, as `make_shortcuts` takes them.
        rows: every example of the task.

    Raises:
        UsageError: a name is taken or reserved, or a shortcut cannot be made.
    """
    taken = [name for name in more if name in known]
    if taken:
        raise UsageError(f"the task has a shortcut {taken[0]!r} already; give yours another name")
    reserved = [name for name in more if name in _RESERVED]
    if reserved:
        raise UsageError(f"a shortcut cannot be called {reserved[0]!r}, which is no shortcut; give it another name")
    return {**known, **make_shortcuts(more, rows)}


def declared_kinds() -> Mapping[str, str]:
    """The first line of what each kind of table does, by its key."""
    return {kind: (inspect.getdoc(build) or "").split("\n", 1)[0] for kind, build in _KINDS.items()}


def _make_shortcut(name: str, spec: ShortcutSpec, rows: Sequence[Example]) -> Shortcut:
    if isinstance(spec, str):
        return import_callable(spec, what=f"shortcut {name!r}", takes="(prompt, seen)")
    if not isinstance(spec, Mapping):
        return spec
    # By any key, since a table of TOML may be written in any order.
    kind = next((key for key in spec if key in _KINDS), None)
    if kind is None:
        raise UnknownNameError(f"kind of the shortcut {name!r}", str(next(iter(spec), "")), _KINDS)
    build = _KINDS[kind]
    # Behind the rows and the value that stands under the kind itself.
    known = [kind, *list(inspect.signature(build).parameters)[2:]]
    for key in spec:
        if key not in known:
            raise UnknownNameError(f"key of the shortcut {name!r}", str(key), known)
    missing = [key for key in known if key not in spec]
    if missing:
        raise UsageError(f"the shortcut {name!r} of the kind {kind!r} needs {' and '.join(missing)}")
    try:
        return build(rows, spec[kind], **{key: value for key, value in spec.items() if key != kind})
    except UsageError as fault:
        raise UsageError(f"the shortcut {name!r}: {fault}") from fault


def _declares(kind: str) -> Callable[[Callable[..., Shortcut]], Callable[..., Shortcut]]:
    def register(build: Callable[..., Shortcut]) -> Callable[..., Shortcut]:
        _KINDS[kind] = build
        return build

    return register


@_declares("constant")
def _constant(rows: Sequence[Example], value: Any) -> Shortcut:  # noqa: ARG001
    """The same completion, whatever the prompt."""
    text = _text("constant", value)
    return lambda prompt, seen: text  # noqa: ARG005


@_declares("word")
def _word(rows: Sequence[Example], value: Any) -> Shortcut:
    """The word of the prompt at this place: 1 for the first, -1 for the last."""
    if isinstance(value, bool) or not isinstance(value, int) or not value:
        raise UsageError(f"word is {value!r}; give the place of a word: 1 for the first, -1 for the last")
    # People count from 1; 0 was refused above, so that neither end is off by one.
    place = value - 1 if value > 0 else value
    blank = _blank(rows)

    def shortcut(prompt: str, seen: Sequence[Example]) -> str:  # noqa: ARG001
        words = _WORD.findall(prompt)
        return blank + words[place] if -len(words) <= place < len(words) else ""

    return shortcut


@_declares("regex")
def _regex(rows: Sequence[Example], value: Any, template: Any) -> Shortcut:  # noqa: ARG001
    r"""The template, filled with the groups of the expression where it is found in the prompt: `` \1``."""
    try:
        pattern = re.compile(_text("regex", value))
    except re.error as fault:
        raise UsageError(f"regex is {value!r}, which is no regular expression: {fault}") from fault
    text = _text("template", template)
    try:
        pattern.sub(text, "")  # reads the template, whether there is something to replace or not
    except (re.error, IndexError) as fault:
        raise UsageError(
            f"template is {text!r}, which cannot be filled: {fault}; the expression has {pattern.groups} groups"
        ) from fault

    def shortcut(prompt: str, seen: Sequence[Example]) -> str:  # noqa: ARG001
        match = pattern.search(prompt)
        return match.expand(text) if match else ""

    return shortcut


@_declares("nearest")
def _nearest(rows: Sequence[Example], value: Any) -> Shortcut:
    """The completion of the seen example whose number in this tag is nearest, or whose text in it is the same."""
    tags = _tag_of_prompts(rows, "nearest", value)

    def distance(first: Tag, second: Tag) -> float | None:
        if isinstance(first, int | float) and isinstance(second, int | float):
            return abs(first - second)
        return 0.0 if first == second else None

    def shortcut(prompt: str, seen: Sequence[Example]) -> str:
        if prompt not in tags:
            return ""
        near = [(far, example) for example in seen if (far := distance(tags[prompt], example.tags[value])) is not None]
        return min(near, key=lambda pair: pair[0])[1].completion if near else ""

    return shortcut


@_declares("column")
def _column(rows: Sequence[Example], value: Any) -> Shortcut:
    """What a column of the rows holds: the guesses of any program, written beforehand."""
    tags, blank = _tag_of_prompts(rows, "column", value), _blank(rows)

    def shortcut(prompt: str, seen: Sequence[Example]) -> str:  # noqa: ARG001
        text = str(tags.get(prompt, ""))
        return text if not text or text.startswith(blank) else blank + text

    return shortcut


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise UsageError(f"{key} is {value!r}; give a text")
    return value


def _blank(rows: Sequence[Example]) -> str:
    """The blank before an answer, where all completions begin with one."""
    return " " if all(row.completion.startswith(" ") for row in rows) else ""


def _tag_of_prompts(rows: Sequence[Example], key: str, tag: Any) -> Mapping[str, Tag]:
    """From a prompt to the tag's value; a shortcut is given the prompt alone."""
    lacking = [place for place, row in enumerate(rows, start=1) if tag not in row.tags]
    if lacking:
        known = ", ".join(sorted({repr(name) for row in rows for name in row.tags})) or "none"
        raise UsageError(
            f"{key} is {tag!r}, and {len(lacking)} of {len(rows)} rows have no such column, row {lacking[0]} the "
            f"first; columns: {known}"
        )
    values: dict[str, Tag] = {}
    for row in rows:
        # Of rows with one prompt the first counts: a shortcut sees the prompt alone and can give one answer.
        values.setdefault(row.prompt, row.tags[tag])
    return values
