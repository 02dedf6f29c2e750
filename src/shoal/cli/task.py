"""``shoal task``: the rows of a task, how narrow its split is, and whether a tagger agrees with its word classes."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.cli.options import Augment, Copies, Flag, Json, MaybeRows, Seed, Texts
from shoal.cli.terminal import print_json, progress_bars, refuse_options
from shoal.errors import UsageError
from shoal.tasks import END_TOKEN, check_task, check_word_classes, classes_of_examples, with_shortcuts
from shoal.wording import uncapital

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.curation.augmentation import Augmentation
    from shoal.tasks import Example, Task


def task(
    name: str = "counting",
    /,
    *,
    option: Texts = None,
    split: str | None = None,
    data: MaybeRows = None,
    rule: str | None = None,
    shortcut: Texts = None,
    out: Path | None = None,
    end_token: str = END_TOKEN,
    augment: Augment = None,
    copies: Copies = 1,
    unchecked: Flag = False,
    seed: Seed = 0,
    narrowness: Flag = False,
    tagger: str | None = None,
    model: str | None = None,
    as_json: Json = False,
) -> None:
    """Check a task and what its shortcuts get right, write its rows, or measure how narrow its split is.

    Parameters
    ----------
    name
        Name of the task; of rows given by --data, any name.
    option
        Option of the task as KEY=VALUE. Repeatable: --option largest=30 --option base=decimal.
    split
        Items to hold out: last-digit(1,3,7), length(share=0.3), token-cycle(...), block(...), random(...), tag(...) or
        part. Default for --data: the column part where there is one, else random(share=0.3).
    rule
        Rule of the rows as FILE.py:FUNCTION: from a prompt to its completion.
    shortcut
        Shortcut of your own as NAME=FILE.py:FUNCTION, or as a table: --shortcut 'last={ word = -1 }'. Repeatable.
    out
        File to write the rows to (.jsonl or .parquet), each with its part: seen or held_out.
    end_token
        Text that ends completions in the file.
    unchecked
        Accept augmented rows though no rule is known that could check them.
    narrowness
        Measure how far the held-out part can be answered from the seen part.
    tagger
        Check the word classes of the examples with this tagger: hanta.
    model
        Model spec, of which the narrowness report uses the tokenizer. Default: count characters.
    """
    if narrowness and (tagger is not None or augment):
        raise UsageError("--narrowness prints its report alone; leave out --tagger and --augment")
    if model is not None and not narrowness:
        raise UsageError("--model is the tokenizer of the narrowness report; give --narrowness, or leave it out")
    if not augment:
        refuse_options(
            {"--copies": copies != 1, "--unchecked": unchecked}, "nothing is augmented without --augment METHOD"
        )
        refuse_options({"--seed": seed != 0}, "--seed is of --augment METHOD, and that of a task is --option seed=N")
    made = chosen_task(name, option or [], split, data, end_token=end_token, rule=rule, shortcuts=shortcut or [])
    check = check_task(made)
    # Nothing is written of a task whose rule contradicts its own examples.
    check.raise_for_problems()
    # Before anything is written: the tagger may not be installed.
    checked = None if tagger is None else check_word_classes(classes_of_examples(made.examples), tagger=tagger)
    seen, held_out = made.seen, made.held_out
    more = _augmentation(made, augment or [], copies=copies, unchecked=unchecked, seed=seed)
    if out is not None:
        _write(seen if more is None else more.examples, held_out, out, end_token)
    if narrowness:
        _report_narrowness(made, model, as_json=as_json)
        return
    if as_json:
        found = {"augmentation": more, "word_classes": checked}
        named = {name: one.to_dict() for name, one in found.items() if one is not None}
        # One result stands alone; of two neither may be left out.
        print_json(named if len(named) > 1 else next(iter(named.values()), check.to_dict()))
        return
    print(f"{made.name}: {len(seen)} examples seen and {len(held_out)} held out by {made.split.name}")
    if out is None:
        print(f"for example: {made.examples[0].prompt!r} -> {made.examples[0].completion!r}")
        print(check)
    else:
        print(f"written to {out}")
    if checked is not None:
        print(checked)
    if more is not None:
        print(more)


def _augmentation(
    made: Task, methods: Sequence[str], *, copies: int, unchecked: bool, seed: int
) -> Augmentation | None:
    """The augmented examples; None where no method is given."""
    if not methods:
        return None
    from shoal.curation.augmentation import augment

    with progress_bars() as progress:
        return augment(made, methods, copies=copies, unchecked=unchecked, seed=seed, progress=progress)


def _write(seen: Sequence[Example], held_out: Sequence[Example], out: Path, end_token: str) -> None:
    from shoal.tasks import write_rows

    parts = (("seen", seen), ("held_out", held_out))
    rows = [replace(row, tags={**row.tags, "part": part}) for part, group in parts for row in group]
    write_rows(rows, out, end_token=end_token)


def chosen_task(
    name: str,
    options: list[str],
    split: str | None,
    data: Path | None,
    *,
    end_token: str = END_TOKEN,
    rule: str | None = None,
    shortcuts: Sequence[str] = (),
) -> Task:
    """The task that the options of a verb name.

    Args:
        name: of the task; with rows, any name.
        options: of the task, as KEY=VALUE.
        split: by name; None for the task's own.
        data: a file of rows instead of a task by name.
        end_token: text that ends completions in that file.
        rule: of those rows, as FILE.py:FUNCTION.
        shortcuts: further ones, as NAME=FILE.py:FUNCTION or NAME={ ... }.

    Raises:
        ShoalError: there is no such task, option or file, or it cannot be used.
    """
    from shoal.tasks import make_task, read_rows, rows_by_part, task_from_rows

    if rule is not None and data is None:
        raise UsageError("--rule is the rule of the rows of --data; a task by name has its own")
    if data is not None and options:
        raise UsageError("--option is of a task by name; rows of --data have none: leave it out")
    further = _parse_shortcuts(shortcuts)
    if data is not None:
        rows = read_rows(data, end_token=end_token)
        split = split or ("part" if rows_by_part(rows) else "random(share=0.3)")
        made = task_from_rows(rows, split=split, name=name, rule=rule)
        return with_shortcuts(made, further)
    given = dict(_parse_option(text) for text in options)
    if split is not None:
        given["split"] = split
    return with_shortcuts(make_task(name, **given), further)


def _parse_option(text: str) -> tuple[str, Any]:
    """KEY=VALUE, the value read as JSON where it is JSON and as text where it is not."""
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"the option {text!r} is not KEY=VALUE; write for example --option largest=30")
    try:
        # So largest=30 is a number and name=counting a text, without quotation marks that a shell would take away.
        return key, json.loads(value)
    # No JSON, nested too deeply, or a number of thousands of digits.
    except (ValueError, RecursionError):
        return key, value


def _parse_shortcuts(texts: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, spec in map(_parse_shortcut, texts):
        if name in found:
            raise UsageError(f"--shortcut gives the name {name!r} twice; each names one shortcut")
        found[name] = spec
    return found


def _parse_shortcut(text: str) -> tuple[str, Any]:
    """NAME=FILE.py:FUNCTION, or NAME={ ... }, the table being TOML."""
    name, equals, spec = text.partition("=")
    if not equals or not name:
        raise UsageError(f"the shortcut {text!r} is not NAME=FILE.py:FUNCTION or NAME={{ word = -1 }}; write it so")
    if not spec.lstrip().startswith("{"):
        return name, spec
    try:
        return name, tomllib.loads(f"table = {spec}")["table"]
    except tomllib.TOMLDecodeError as fault:
        raise UsageError(f"the table of the shortcut {name!r} is broken TOML: {uncapital(str(fault))}") from fault


def _report_narrowness(made: Task, model: str | None, *, as_json: bool) -> None:
    from shoal.tasks import narrowness

    tokenizer = None
    if model is not None:
        from shoal.models import load_tokenizer

        tokenizer = load_tokenizer(model)
    found = narrowness(
        made.seen, made.held_out, tokenizer, rule=made.rule if made.rule_known else None, shortcuts=made.shortcuts
    )
    if as_json:
        print_json(found.to_dict())
    else:
        print(found)
