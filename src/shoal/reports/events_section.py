"""The events of a training: a table, the batches behind spikes, and the marks on its curve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from shoal.figures import Section, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# A training that diverges has an event at nearly every step.
_SHOWN = 200


def events_section(rows: Sequence[Mapping[str, Any]]) -> Section:
    """What the watch has seen, and what the schedule has done, as a section.

    Args:
        rows: as in `events_table`.
    """
    return Section("events", "Events", events_table(rows))


def events_table(rows: Sequence[Mapping[str, Any]]) -> Markup:
    """A table of events, with the batches of spikes and divergence.

    Args:
        rows: of ``events.jsonl``, each with ``step``, ``kind`` and ``text``; those of several trainings also with
            ``training``, its name.
    """
    shown = [[f"{row['step']:,}", row["kind"], _described(row)] for row in rows[:_SHOWN]]
    caption = f"The first {_SHOWN} of {len(rows):,} events." if len(rows) > _SHOWN else "In the order of the steps."
    blocks = [table(["step", "kind", "what happened"], shown, caption=caption, numeric=[0])]
    seen = set()
    for row in rows[:_SHOWN]:
        place = (row.get("training", ""), row["step"])
        # The loss and the norm of one step jump together, and have one batch.
        if row.get("batch") and place not in seen:
            seen.add(place)
            blocks.append(_batch(*place, row["batch"]))
    return Markup("\n").join(blocks)


def event_marks(rows: Sequence[Mapping[str, Any]]) -> list[tuple[int, str]]:
    """The marks of events on a curve.

    Args:
        rows: as in `events_section`.
    """
    return [(row["step"], _first_line(row)) for row in rows[:_SHOWN]]


def _first_line(row: Mapping[str, Any]) -> str:
    return str(row["text"]).partition("\n")[0]


def _described(row: Mapping[str, Any]) -> str:
    return f"{row['training']}: {_first_line(row)}" if "training" in row else _first_line(row)


def _batch(training: str, step: int, batch: Mapping[str, Any]) -> Markup:
    """The documents of a batch that are named, and the n-grams that repeat in them."""
    from shoal.training.watch import batch_content_from

    content = batch_content_from(batch)
    by_loss = any(one.loss is not None for one in content.documents)
    rows = [
        [one.name, "" if one.loss is None else f"{one.loss:.3f}", one.tokens, f"{one.repeated:.0%}", one.text]
        for one in content.documents
    ]
    order = "highest loss first, in nats per token before the update" if by_loss else "most repeated n-grams first"
    head = f"{training}: batch" if training else "Batch"
    documents = table(
        ["document", "loss", "tokens", "repeated", "begins with"],
        rows,
        caption=f"{head} of step {step:,}: {len(rows)} of {content.document_count:,} documents, {order}.",
        numeric=[1, 2, 3],
    )
    repeats = Markup("").join(Markup("<li>{}</li>").format(str(one)) for one in content.repeats)
    return documents + (Markup("<ul>{}</ul>").format(repeats) if repeats else Markup(""))
