"""The texts that every model of a comparison is scored on, token by token.

Held-out documents are divided by their ids into a validation part, from which weights and settings are chosen, and a
test part, which decides nothing. Of the training documents a sample of the same size shows the gap.

Shapes: D documents, T tokens of a corpus, N scored tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import DataError
from shoal.experiments.overfitting.trainings import PARTS
from shoal.experiments.pretraining.scoring import held_out_set, scoring_windows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    from transformers import PreTrainedModel

    from shoal.evaluation import ScoringRow
    from shoal.experiments.pretraining import Recipe
    from shoal.experiments.pretraining.data import Prepared
    from shoal.experiments.pretraining.tokens import TokenizedCorpus
    from shoal.training import MonitoredDocuments

    Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ScoredText:
    """A part of the text as rows to be scored."""

    rows: tuple[ScoringRow, ...]
    size: int
    """Bytes of its documents."""

    document_R: tuple[int, ...]
    """The document of each row."""

    def log_likelihoods(self, model: PreTrainedModel) -> Floats:
        """Log p of each token in nats (N), rows in order.

        Args:
            model: in evaluation mode.
        """
        from shoal.evaluation import token_log_likelihoods

        found = token_log_likelihoods(model, self.rows)
        return np.asarray([value for row in found for value in row], dtype=np.float32)

    def monitored(self) -> MonitoredDocuments:
        """Its documents as a training looks at them on its way."""
        from shoal.evaluation import log_likelihoods
        from shoal.training import MonitoredDocuments

        def losses(model: PreTrainedModel) -> list[float]:
            nats_R = -np.asarray(log_likelihoods(model, self.rows))
            nats_D: list[float] = np.bincount(self.document_R, weights=nats_R).tolist()
            return nats_D

        tokens_R = [row.stop - row.start for row in self.rows]
        return MonitoredDocuments(
            losses=losses, tokens=np.bincount(self.document_R, weights=tokens_R).astype(int).tolist()
        )


def scored_texts(prepared: Prepared, recipe: Recipe, max_documents: int) -> dict[str, ScoredText]:
    """The parts of the text, over all corpora.

    Args:
        prepared: the data of a training.
        recipe: has the context.
        max_documents: of each corpus and part.

    Raises:
        DataError: fewer than two documents are held out.
    """
    from dataclasses import replace

    context = recipe.training.context or recipe.model.context
    rows: dict[str, list[ScoringRow]] = {part: [] for part in PARTS}
    documents: dict[str, list[int]] = {part: [] for part in PARTS}
    sizes = dict.fromkeys(PARTS, 0)
    tested: dict[int, bool] = {}
    for name, corpus in prepared.corpora.items():
        held_D = prepared.split.held_out[name]
        masks = {"training": prepared.split.seen[name]} | _halves(corpus.ids_D, held_D, tested)
        for part, mask_D in masks.items():
            found = held_out_set(corpus, mask_D, max_documents, context)
            if found is None:
                raise DataError(
                    f"the corpus {name!r} holds out {int(held_D.sum())} documents, which cannot be divided into "
                    "validation and test text; raise its held_out"
                )
            # Rows and documents are numbered over all corpora.
            first = documents[part][-1] + 1 if documents[part] else 0
            documents[part] += [first + document for document in found.document_R]
            rows[part] += [replace(row, item=len(rows[part]) + place) for place, row in enumerate(found.rows)]
            sizes[part] += sum(found.sizes)
    return {part: ScoredText(tuple(rows[part]), sizes[part], tuple(documents[part])) for part in PARTS}


def _halves(ids_D: npt.NDArray[np.uint64], held_D: npt.NDArray[np.bool_], tested: dict[int, bool]) -> dict[str, Any]:
    """Every other held-out document by its id: the ids are digests, so that both halves are random samples.

    Args:
        ids_D: of the documents of a corpus.
        held_D: which are held out.
        tested: whether a document is of the test text, by its id; those of this corpus are added.
    """
    # By distinct ids, and over all corpora: two copies of a text are on the same side.
    fresh = [number for number in np.unique(ids_D[held_D]).tolist() if number not in tested]
    tested |= {number: rank % 2 == 1 for rank, number in enumerate(fresh)}
    test_D = np.asarray([tested.get(number, False) for number in ids_D.tolist()]) & held_D
    return {"validation": held_D & ~test_D, "test": test_D}


def training_log_likelihoods(model: PreTrainedModel, prepared: Prepared, recipe: Recipe) -> dict[str, Floats]:
    """Log p of every token that may be trained on, by corpus, at its place in the token file (T); NaN elsewhere.

    Args:
        model: in evaluation mode.
        prepared: the data of its training.
        recipe: has the context.
    """
    from shoal.evaluation import token_log_likelihoods

    context = recipe.training.context or recipe.model.context
    found = {}
    for name, corpus in prepared.corpora.items():
        rows, places = _all_rows(corpus, prepared.split.seen[name], context)
        table_T = np.full(len(corpus.file.tokens), np.nan, dtype=np.float32)
        for nats, (first, last) in zip(token_log_likelihoods(model, rows), places, strict=True):
            table_T[first:last] = nats
        found[name] = table_T
    return found


def _all_rows(
    corpus: TokenizedCorpus, seen_D: npt.NDArray[np.bool_], context: int
) -> tuple[list[ScoringRow], list[tuple[int, int]]]:
    """Rows over all documents that may be read, and the places in the token file that each of them scores."""
    from shoal.evaluation import ScoringRow

    rows: list[ScoringRow] = []
    places: list[tuple[int, int]] = []
    starts_D = corpus.starts
    for document in np.flatnonzero(seen_D).tolist():
        ids = corpus.file.document(document).tolist()
        for start, boundary, stop in scoring_windows(len(ids), corpus.opening, context):
            rows.append(ScoringRow(len(rows), tuple(ids[start:stop]), boundary - start, 0, stop - boundary))
            places.append((int(starts_D[document]) + boundary, int(starts_D[document]) + stop))
    return rows, places


def mixture_table(tables: Sequence[Mapping[str, Any]], part: str) -> npt.NDArray[np.float64]:
    """The log-probabilities of several models side by side (N × K).

    Args:
        tables: of each model, log p by part of the text.
        part: of the text.
    """
    return np.stack([np.asarray(table[part], dtype=np.float64) for table in tables], axis=1)
