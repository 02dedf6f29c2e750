"""A corpus: its card, its documents, its duplicates, what quality filters make of it, and the segments of one text."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from shoal.errors import MissingExtraError, ShoalError
from shoal.figures import Section, document, table, templates
from shoal.reports import curation_page, facts, segment_page
from shoal.studio.frame import ROOM
from shoal.studio.page_error import PageError
from shoal.wording import in_one_line, plural

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.studio.queries import Query
    from shoal.studio.studio import Studio

# Card, duplicates and filters of as much take some seconds, which is as long as a page may take to appear.
MAX_DOCUMENTS = 5000
MAX_CHARACTERS = 20_000_000
"""What is read of a corpus, at most; the page says where more is left."""

_PAGE = 50
_SHOWN = 200
_MAX_DUPLICATES = 100
_SUFFIXES = (".txt", ".jsonl", ".parquet", ".csv")


def corpus_page(studio: Studio, query: Query) -> str:
    """A corpus, or the list of those that there are.

    Args:
        studio: whose corpora.
        query: ``corpus`` (its number), ``search`` and ``page``.
    """
    corpora = corpus_files(studio)
    with studio.page("data"):
        if not corpora:
            result = "No corpus yet: give files by `shoal studio --corpus FILE`, or put them into the folder's data."
            return document("Data", result, [])
        key = query.choice("corpus", tuple(corpora))
        form = Section("corpora", "Corpora", _form(corpora, key, query))
        if not key:
            return document(
                "Data", f"{plural(len(corpora), 'corpus').replace('corpuss', 'corpora')} can be looked at.", [form]
            )
        path = corpora[key]
        texts, cut = _texts(path)
        try:
            return _page(path, key, texts, cut, query, form)
        except ShoalError as error:
            raise PageError(422, in_one_line(error, limit=600)) from error


def quality_page(studio: Studio, query: Query) -> str:
    """What the quality filters make of a corpus."""
    from shoal.curation import curate

    path = _chosen(studio, query)
    with studio.page("data"):
        texts, _ = _texts(path)
        try:
            return curation_page(curate(texts))
        except ShoalError as error:
            raise PageError(422, in_one_line(error, limit=600)) from error


def segments_page(studio: Studio, query: Query) -> str:
    """The segments of one document."""
    from shoal.segmentation import label_segments, segment

    path = _chosen(studio, query)
    with studio.page("data"):
        texts, _ = _texts(path)
        place = query.number("document", 0)
        if place >= len(texts):
            raise PageError(404, f"{path.name} has {plural(len(texts), 'document')}; there is no document {place}")
        try:
            found = segment(texts[place])
            labels = label_segments(found, head=found.head)
            return segment_page(f"{path.name}, document {place}", found, labels, text=texts[place])
        except ShoalError as error:
            raise PageError(422, in_one_line(error, limit=600)) from error


def corpus_files(studio: Studio) -> dict[str, Path]:
    """The corpora by key: those of the settings, and those in the folder ``data`` of the folder of runs."""
    own = studio.settings.folder / "data"
    found = [*studio.settings.corpora]
    if own.is_dir() and not own.is_symlink():
        found += sorted(path for path in own.iterdir() if path.suffix in _SUFFIXES and _is_plain(path))
    # By number: an address that holds a path would be one that a client can change to any other.
    return {str(place): path for place, path in enumerate(found[:500])}


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and not path.name.startswith(".")


def _chosen(studio: Studio, query: Query) -> Path:
    corpora = corpus_files(studio)
    key = query.choice("corpus", tuple(corpora))
    if not key:
        raise PageError(404, "there is no such corpus; choose one on the page Data")
    return corpora[key]


def _texts(path: Path) -> tuple[list[str], bool]:
    """The first documents, and whether more are left."""
    from shoal.corpora import read_documents

    texts: list[str] = []
    size = 0
    try:
        for text in islice(read_documents(path), MAX_DOCUMENTS + 1):
            size += len(text)
            if len(texts) == MAX_DOCUMENTS or size > MAX_CHARACTERS:
                # Of a file that is one long document, its beginning.
                return texts or [text[:MAX_CHARACTERS]], True
            texts.append(text)
    except ShoalError as error:
        raise PageError(422, in_one_line(error, limit=600)) from error
    return texts, False


def _page(path: Path, key: str, texts: list[str], cut: bool, query: Query, form: Section) -> str:
    from shoal.corpora import describe_corpus

    sections = [form, Section("documents", "Documents", _documents(key, texts, query))]
    result = (
        f"{path.name} has {plural(len(texts), 'document')}{' and more, of which these are the first' if cut else ''}."
    )
    try:
        card = describe_corpus(texts, name=path.name)
    except MissingExtraError as error:
        sections.append(Section("card", "Numbers", Markup("<p>{}</p>").format(in_one_line(error))))
    else:
        sections.append(Section("card", "Numbers", facts(card.to_dict(), caption="What is known of the corpus")))
        sections.append(Section("duplicates", "Duplicates", _duplicates(texts)))
        words = f"{card.exact_duplicates:,} exact and {card.near_duplicates:,} near duplicates"
        result = f"{result[:-1]}, {plural(card.words, 'word')}, and {words}."
    links = Markup("<p><a href='/data/quality?corpus={}'>What the quality filters keep and remove</a></p>").format(key)
    sections.append(Section("quality", "Quality", links))
    return document(path.name, result, sections)


def _documents(key: str, texts: list[str], query: Query) -> Markup:
    search = query.text("search").casefold()
    places = [place for place, text in enumerate(texts) if search in text.casefold()]
    pages = max(1, -(-len(places) // _PAGE))
    page = min(max(1, query.number("page")), pages)
    link = Markup("<a href='/data/segments?corpus={}&document={}'>segments</a>")
    rows = [
        [str(place), _cut(texts[place]), f"{len(texts[place]):,}", link.format(key, place)]
        for place in places[(page - 1) * _PAGE : page * _PAGE]
    ]
    head = ["Document", "Text", "Characters", "Where it changes"]
    drawn = table(head, rows, caption=f"Documents that match: {len(places):,}", numeric=(2,))
    module: Any = templates(ROOM).get_template("controls.html.j2").module
    address = query.address
    return drawn + Markup(
        module.pager(
            "documents",
            page,
            pages,
            address("/data", page=1),
            address("/data", page=page - 1) if page > 1 else None,
            address("/data", page=page + 1) if page < pages else None,
            address("/data", page=pages),
        )
    )


def _duplicates(texts: list[str]) -> Markup:
    from shoal.corpora import find_duplicates

    found = list(islice(find_duplicates(texts), _MAX_DUPLICATES))
    if not found:
        return Markup("<p>No document repeats an earlier one.</p>")
    rows = [
        [
            str(one.document),
            str(one.original),
            "equal" if one.exact else f"{one.similarity:.3f}",
            _cut(texts[one.document]),
        ]
        for one in found
    ]
    caption = (
        f"The first {_MAX_DUPLICATES} documents that repeat an earlier one, with the Jaccard index of their shingles"
    )
    return table(["Document", "Repeats", "Similarity", "Text"], rows, caption=caption, numeric=(2,))


def _form(corpora: dict[str, Path], key: str, query: Query) -> Markup:
    rendered = (
        templates(ROOM)
        .get_template("data.html.j2")
        .render(corpora=[(name, path.name) for name, path in corpora.items()], chosen=key, search=query.text("search"))
    )
    return Markup(rendered)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]} …"
