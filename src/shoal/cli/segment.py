"""``shoal segment``: a text split where its distribution changes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shoal.cli.options import Flag, Json, Plot
from shoal.cli.terminal import say
from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.segmentation import Cut, Segmentation, SegmentLabel


def segment(
    file: Annotated[str, Parameter(allow_leading_hyphen=True)] = "-",
    /,
    *,
    channel: str = "words",
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
    channel
        Features that the text is split by: words, topic, register, emotion, vectors or surprisal.
    model
        Model of the channel: the folder or hub id of a sentence encoder for vectors, a model spec for surprisal.
    head
        Folder of a classifier of your own, for the channels register and emotion.
    count
        Number of segments. Default: inferred from the text.
    lines
        Take each line of the file as one sentence.
    """
    from shoal.cli.console import print_json, progress_bars
    from shoal.cli.files import check_target
    from shoal.segmentation import Kept, as_sentences, find_overlong, label_segments, read_lines, segment as cut
    from shoal.segmentation.channels import find_channel

    if plot is not None:
        check_target(plot)
    text = _read(file)
    sentences = read_lines(text) if lines else as_sentences(text)
    if (found_long := find_overlong(sentences)) is not None:
        hint = "" if lines else "; if each line is a sentence, give --lines"
        say(f"note: {file} was read as {found_long}{hint}")
    reader = Kept(find_channel(channel, model=model, head=head))
    with progress_bars() as progress:
        if model is not None:  # nothing else takes long enough to be waited for
            progress("sentences read", 0, len(sentences))
        found = cut(sentences, channel=reader, count=count)
        if model is not None:
            progress("sentences read", len(sentences), len(sentences))
    labels = label_segments(found, head=reader.head)
    if plot is not None:
        from shoal.cli.files import write_whole
        from shoal.reports import segment_page

        write_whole(plot, segment_page(file, found, labels, reader, text=text))
        say(f"written to {plot}")
    if as_json:
        print_json({"file": file} | found.to_dict() | {"segments": [label.to_dict() for label in labels]})
    else:
        _print_segments(found, labels)


def _read(file: str) -> str:
    """The text of a file or of standard input; the documents of rows stand below each other."""
    if file != "-" and Path(file).is_dir():
        raise UsageError(f"{file} is a folder; give a text file")
    from shoal.corpora import holds_rows, read_documents
    from shoal.textfiles import decode_text, read_standard_input, read_text

    if file == "-":
        return decode_text(read_standard_input(), "standard input")
    return "\n\n".join(read_documents(file)) if holds_rows(file) else read_text(Path(file))


def _print_segments(found: Segmentation, labels: Sequence[SegmentLabel]) -> None:
    """Print a line a segment, and the boundaries between them."""
    many = f"{found.count} segments" if found.count > 1 else "1 segment"
    sentences = len(found.sentences)
    print(f"{many} in {sentences} sentence{'s' if sentences > 1 else ''}, by {found.channel}")
    for place, label in enumerate(labels):
        if place:
            cut = found.cuts[place - 1]
            print(f"  -- {_boundary(cut)}")
        print(f"{place + 1:3}  sentences {label.start + 1} to {label.stop}: {label.text}")
        print(f"     {_beginning(found.sentences[label.start])}")


def _boundary(cut: Cut) -> str:
    """How sure the place of a boundary is."""
    here = f"boundary before sentence {cut.place + 1}: probability {_percent(cut.confidence)}"
    if cut.low == cut.high:
        return here
    return f"{here}, {_percent(cut.near)} that one is before a sentence from {cut.low + 1} to {cut.high + 1}"


def _percent(share: float) -> str:
    """A share that is not 0 or 1 is never shown as one."""
    if 0 < share < 0.01:
        return "below 1%"
    return "above 99%" if 0.99 < share < 1 else f"{share:.0%}"


def _beginning(sentence: str, width: int = 90) -> str:
    return sentence if len(sentence) <= width else sentence[: width - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
