"""What a verb reads that takes a text, a file of texts, or standard input in the same place."""

from __future__ import annotations

from pathlib import Path

from shoal.errors import DataError

STDIN = "-"
_ENDINGS = {".txt", ".md", ".jsonl", ".parquet", ".gz"}


def read_texts(source: str, *, column: str = "text") -> list[str]:
    """The documents of a file or folder, the text of standard input, or the text that was given itself.

    Args:
        source: a path (see `shoal.corpora.read_documents`), ``hub:`` and a name, ``-``, or a text.
        column: which column of rows holds the text.

    Raises:
        DataError: no text, a path that is not there, or a file that cannot be read.
    """
    from shoal.corpora import HUB, read_documents
    from shoal.textfiles import check_characters, decode_text, read_standard_input

    if source == STDIN:
        texts = [decode_text(read_standard_input(), "standard input")]
    elif source.startswith(HUB) or _is_path(source):
        texts = list(read_documents(source, column=column))
    else:
        check_characters(source, "the text")
        texts = [source]
    if not any(text.strip() for text in texts):
        raise DataError("the text is empty; give a text of at least one word, or a file that holds one")
    return texts


def _is_path(source: str) -> bool:
    """Whether a path is meant: it exists, or it ends as a file of texts does and has no blank."""
    if len(source) > 1000 or "\n" in source or "\0" in source:
        return False  # longer than a path may be
    path = Path(source)
    if not source.strip():
        return False
    try:
        if path.exists():
            return True
    except OSError:
        # A part of it is longer than a name may be: a text, and no path.
        return False
    if " " not in source and path.suffix in _ENDINGS:
        raise DataError(f"there is no file {source}; give a file that exists, or a text of more than one word")
    return False
