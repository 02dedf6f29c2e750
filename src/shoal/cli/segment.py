"""``shoal segment``: a text split where its distribution changes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from shoal.cli.options import Flag, Json, Plot, Source
from shoal.cli.terminal import check_target, print_json, print_notice, progress_bars, write_whole
from shoal.errors import UsageError


def _channel_help() -> str:
    """The help of --channel, drawn from the registry of channels."""
    from shoal.segmentation import known_channels

    reads = "; ".join(
        f"{name}: {channel.reads}{f' (needs --model, {channel.model})' if channel.model else ''}"
        for name, channel in known_channels().items()
    )
    return f"Features that the text is split by. {reads}."


def segment(
    file: Source = "-",
    /,
    *,
    channel: Annotated[str, Parameter(help=_channel_help())] = "words",
    model: str | None = None,
    head: Path | None = None,
    count: int | None = None,
    lines: Flag = False,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Split a text where its words, style, emotion or topic change, and name what distinguishes each segment.

    Parameters
    ----------
    file
        Text file in UTF-8. Default: standard input ("-").
    model
        Model of the channel: the folder or hub id of a sentence encoder for vectors, a model spec for surprisal.
    head
        Folder of a classifier of your own, for the channels register and emotion.
    count
        Number of segments. Default: inferred from the text.
    lines
        Take each line of the file as one sentence.
    """
    from shoal.segmentation import (
        as_sentences,
        find_channel,
        find_overlong,
        label_segments,
        read_lines,
        segment as cut,
    )

    if plot is not None:
        check_target(plot)
    text = _read(file)
    sentences = read_lines(text) if lines else as_sentences(text)
    if (found_long := find_overlong(sentences)) is not None:
        hint = "" if lines else "; if each line is a sentence, give --lines"
        print_notice(f"note: {file} was read as {found_long}{hint}")
    reader = find_channel(channel, model=model, head=head)
    with progress_bars() as progress:
        found = cut(sentences, channel=reader, count=count, progress=progress)
    labels = label_segments(found)
    if plot is not None:
        from shoal.reports import segment_page

        write_whole(plot, segment_page(file, found, labels, text=text))
        print_notice(f"written to {plot}")
    if as_json:
        print_json({"file": file} | found.to_dict() | {"segments": [label.to_dict() for label in labels]})
    else:
        print(found.to_text(labels))


def _read(file: str) -> str:
    """The text of a file or of standard input; the documents of rows stand below each other."""
    if file != "-" and Path(file).is_dir():
        raise UsageError(f"{file} is a folder; give a text file")
    from shoal.corpora import read_documents
    from shoal.textfiles import decode_text, holds_rows, read_standard_input, read_text

    if file == "-":
        return decode_text(read_standard_input(), "standard input")
    return "\n\n".join(read_documents(file)) if holds_rows(file) else read_text(Path(file))
