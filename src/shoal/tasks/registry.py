"""Tasks by name, and objects by name with their parameters as a person writes them: ``length(share=0.3)``.

A new task is one file in `shoal.tasks.catalog` with one builder under `register_task`. The catalog is imported when a
task is first made or listed, not with the package.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import pkgutil
import re
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from shoal.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from _typeshed import DataclassInstance

    from shoal.tasks.task import Task, TaskMeasure

    D = TypeVar("D", bound=DataclassInstance)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEntry:
    """A task of the registry."""

    name: str
    build: Callable[..., Task]
    """From the task's options, as keyword arguments, to the task."""

    structural_split: str
    """The split that holds out by the structure of the prompt: more digits, longer lists, deeper brackets."""

    measures: Mapping[str, TaskMeasure] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """The first line of the builder's docstring."""
        return (inspect.getdoc(self.build) or "").split("\n", 1)[0]

    @property
    def options(self) -> Mapping[str, inspect.Parameter]:
        """The task's own options, ``examples``, ``seed`` and ``split`` among them."""
        return inspect.signature(self.build).parameters


_ENTRIES: dict[str, TaskEntry] = {}


def register_task(
    name: str, *, structural_split: str, measures: Mapping[str, TaskMeasure] | None = None
) -> Callable[[Callable[..., Task]], Callable[..., Task]]:
    """Make a builder known as the task of this name; the tasks that it builds get the measures.

    Args:
        name: of the task.
        structural_split: the split by the structure of the prompt, with its parameters.
        measures: what is measured of answers to this task alone, by name. Tasks that share a name share the measure.
    """

    def register(build: Callable[..., Task]) -> Callable[..., Task]:
        @functools.wraps(build)
        def measured(**options: Any) -> Task:
            return replace(build(**options), measures=dict(measures or {}))

        entry = TaskEntry(name=name, build=measured, structural_split=structural_split, measures=dict(measures or {}))
        for other in _ENTRIES.values():
            for key in entry.measures.keys() & other.measures.keys():
                # One name in files and reports means one thing.
                assert entry.measures[key] is other.measures[key], f"{name} and {other.name} differ in {key!r}"
        _ENTRIES[name] = entry
        return measured

    return register


def known_tasks() -> Mapping[str, TaskEntry]:
    """Every task of the registry by name, in alphabetical order."""
    _import_catalog()
    return dict(sorted(_ENTRIES.items()))


def make_task(name: str, **options: Any) -> Task:
    """The task of this name.

    Args:
        name: a name of the registry: ``counting``, ``addition``; `known_tasks` lists them. What follows a colon is the
            option ``dataset``: ``reasoning-gym:leg_counting``.
        options: the keyword arguments of the task's builder; every builder takes ``split`` and ``seed``.

    Raises:
        UnknownNameError: no task or option has that name; the nearest one is named.
        UsageError: an option has a value that cannot be used.
    """
    tasks = known_tasks()
    name, colon, dataset = name.partition(":")
    if name not in tasks:
        raise UnknownNameError("task", name, tasks)
    if colon:
        options = {"dataset": dataset, **options}
    entry = tasks[name]
    for option in options:
        if option not in entry.options:
            raise UnknownNameError(f"option of the task {name!r}", option, entry.options)
    return entry.build(**options)


@functools.cache
def _import_catalog() -> None:
    """Import every module of the catalog, which registers its task."""
    from shoal.tasks import catalog

    for module in pkgutil.iter_modules(catalog.__path__):
        importlib.import_module(f"{catalog.__name__}.{module.name}")


def make_by_name(what: str, known: Mapping[str, type[D]], text: str, parameters: Mapping[str, Any], *, form: str) -> D:
    """The object of a name: a dataclass of a registry, whose fields are its parameters.

    Args:
        what: the kind of thing, in error messages: ``split``.
        known: from names to dataclasses.
        text: the name; parameters may stand behind it in brackets: ``last-digit(1,3,7)``, ``block(first=41,last=60)``.
        parameters: further ones by name.
        form: an example with one parameter, for the message: ``length(share=0.3)``.

    Raises:
        UnknownNameError: nothing, or no parameter of it, has that name; the nearest one is named.
        UsageError: the brackets cannot be read, a parameter is missing, or a value cannot be used.
    """
    bare, positional, named = _read_call(what, text, form)
    if bare not in known:
        raise UnknownNameError(what, bare, known)
    kind = known[bare]
    names = [field.name for field in fields(kind)]
    if positional and not names:
        raise UsageError(f"the {what} {bare!r} takes no parameters; write {bare} alone")
    if positional:
        # Values without a name all go to the first field, as in last-digit(1,3,7).
        named.insert(0, (names[0], positional[0] if len(positional) == 1 else tuple(positional)))
    given: dict[str, Any] = {}
    for parameter, value in (*named, *parameters.items()):
        if parameter in given:
            raise UsageError(f"the {what} {text!r} has two values of {parameter}; give it once")
        given[parameter] = value
    for parameter in given:
        if parameter not in names:
            raise UnknownNameError(f"parameter of the {what} {bare!r}", parameter, names)
    missing = [field.name for field in fields(kind) if field.default is MISSING and field.name not in given]
    if missing:
        raise UsageError(f"the {what} {bare!r} needs {' and '.join(missing)}")
    return kind(**given)


def _read_call(what: str, text: str, form: str) -> tuple[str, list[Any], list[tuple[str, Any]]]:
    """Name, positional and named values of ``name(1, 2, key=3)``; a key that comes twice is there twice."""
    match = re.fullmatch(r"\s*([^()]+?)\s*(?:\((.*)\))?\s*", text)
    if match is None:
        raise UsageError(f"the {what} {text!r} cannot be read; write it as {form}")
    name, inside = match.groups()
    broken = UsageError(f"the parameters of the {what} {text!r} cannot be read; write it as {form}")
    # Python's own parser reads the values, and literal_eval runs no code: the text may come from anybody's file.
    try:
        call = ast.parse(f"f({inside or ''})", mode="eval").body
        # "length(1)+(2)" parses, too, but as a sum.
        if not isinstance(call, ast.Call):
            raise broken
        positional = [ast.literal_eval(value) for value in call.args]
        named = [(str(keyword.arg), ast.literal_eval(keyword.value)) for keyword in call.keywords]
    except (SyntaxError, ValueError) as error:
        raise broken from error
    return name, positional, named
