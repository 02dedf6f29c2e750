"""``shoal corpus``: describe a corpus, clean it, drop its duplicates, or look in it for a task's held-out items."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from shoal.cli.terminal import say
from shoal.errors import UsageError

if TYPE_CHECKING:
    from shoal.corpora import Contamination

SHOWN = 10


def corpus(
    action: Literal["card", "clean", "dedupe", "contamination"],
    source: str,
    /,
    *,
    column: str = "text",
    out: Path | None = None,
    name: str | None = None,
    licence: str = "not stated",
    language: str | None = None,
    boilerplate: bool = True,
    plain: bool = True,
    near: float = 0.7,
    task: str | None = None,
    items: Path | None = None,
    run: int = 8,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Describe a corpus, clean it, drop its duplicates, or look in it for a task's held-out items.

    Parameters
    ----------
    action
        card (size, words, diversity, duplicates), clean, dedupe, or contamination.
    source
        A .txt, .jsonl or .parquet file, a folder of them, or hub:org/name[@revision][:split].
    column
        The column of the rows that holds the text.
    out
        clean and dedupe: the file to write (.txt, .jsonl, .parquet). card: a folder for card.md and card.json.
    name
        card: the corpus's name; by default the source.
    licence
        card: the licence of the texts.
    language
        clean: keep documents of this language alone, as in en.
    boilerplate
        clean: cut off publishers' headers, credits, page numbers.
    plain
        clean: plain quotes, dashes and spaces, single line ends.
    near
        card and dedupe: the Jaccard index of word 5-grams above which documents are near duplicates.
    task
        contamination: a built-in task, whose held-out items are looked for.
    items
        contamination: rows with prompts and completions (.jsonl or .parquet) in the place of a task.
    run
        contamination: how many words in succession count as a copy.
    as_json
        Print the result as JSON on standard output.
    """
    from shoal.cli.console import print_json
    from shoal.corpora import read_documents

    texts = read_documents(source, column=column, broken=action == "clean")
    if action == "card":
        result = _describe(texts, name or source, licence, near, out, as_json=as_json)
    elif action == "clean":
        result = _clean(texts, _needed(out), language, boilerplate=boilerplate, plain=plain)
    elif action == "dedupe":
        result = _dedupe(texts, _needed(out), near)
    else:
        result = _search(texts, task, items, run, as_json=as_json)
    if as_json:
        print_json(result)


def _needed(out: Path | None) -> Path:
    if out is None:
        raise UsageError("say where to write the documents: --out FILE.txt, FILE.jsonl or FILE.parquet")
    return out


def _describe(
    texts: Iterator[str], name: str, licence: str, near: float, out: Path | None, *, as_json: bool
) -> dict[str, Any]:
    from shoal.corpora import describe_corpus
    from shoal.files import atomic_file

    card = describe_corpus(texts, name=name, licence=licence, near=near)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for file, content in (("card.md", card.to_markdown()), ("card.json", card.to_json())):
            with atomic_file(out / file) as partial:
                partial.write_text(content, encoding="utf-8")
    if not as_json:
        print(card.to_markdown())
    return card.to_dict()


def _clean(texts: Iterator[str], out: Path, language: str | None, *, boilerplate: bool, plain: bool) -> dict[str, Any]:
    from shoal.corpora import Cleaning, write_documents

    cleaning = Cleaning(language=language, boilerplate=boilerplate, plain=plain)
    write_documents(({"text": text} for text in cleaning.apply(texts)), out)
    counts = dict(cleaning.counts)
    say(f"written to {out}: {', '.join(f'{count:,} {what}' for what, count in counts.items())}")
    return counts


def _dedupe(texts: Iterator[str], out: Path, near: float) -> dict[str, Any]:
    from shoal.corpora import DuplicateFinder, write_documents

    finder = DuplicateFinder(near=near)
    dropped: list[dict[str, Any]] = []

    def kept() -> Iterator[dict[str, str]]:
        for text in texts:
            found = finder.check(text)
            if found is None:
                yield {"text": text}
            else:
                dropped.append({"document": found.document, "of": found.of, "similarity": found.similarity})

    written = write_documents(kept(), out)
    say(f"{written:,} documents written to {out}, {len(dropped):,} duplicates dropped")
    return {"kept": written, "dropped": dropped}


def _search(texts: Iterator[str], task: str | None, items: Path | None, run: int, *, as_json: bool) -> dict[str, Any]:
    from shoal.corpora import find_contamination

    found = find_contamination(texts, _held_out(task, items), run=run)
    if not as_json:
        _print_contamination(found)
    return found.to_dict()


def _held_out(task: str | None, items: Path | None) -> list[str]:
    """Prompt and completion of every held-out item."""
    from shoal.tasks import END_TOKEN, make_task, read_rows, rows_by_part

    if (task is None) == (items is None):
        raise UsageError("say what to look for: either --task NAME or --items ROWS.jsonl")
    if task is not None:
        rows = list(make_task(task).held_out)
    else:
        rows = read_rows(Path(str(items)), end_token=END_TOKEN)
        rows = rows_by_part(rows).get("held_out", rows)
    return [row.prompt + row.completion for row in rows]


def _print_contamination(found: Contamination) -> None:
    there = found.contaminated
    print(
        f"{len(there)} of {found.checked} items share a run of {found.run} words (or all of theirs) with one of "
        f"{found.documents:,} documents"
    )
    for overlap in sorted(found.overlaps, key=lambda one: -one.share)[:SHOWN]:
        print(
            f"  item {overlap.item} in document {overlap.document} at character {overlap.start}, "
            f"{overlap.share:.0%} of it: {' '.join(overlap.text.split())[:90]!r}"
        )
    if len(found.overlaps) > SHOWN:
        print(f"  and {len(found.overlaps) - SHOWN} more; --json gives all")
