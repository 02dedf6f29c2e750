"""Documents to label: drawn from a corpus as a stream, and chosen by what labels there are already."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from shoal.corpora import read_documents
from shoal.curation.classifier.choice import choose_documents
from shoal.curation.classifier.training import encode_all
from shoal.curation.classifier.vectorizers import make_vectorizer
from shoal.curation.tally import Reservoir
from shoal.errors import DataError, UsageError
from shoal.progress import no_progress

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from shoal.curation.classifier.labels import LabelledDocument
    from shoal.progress import Progress


def draw_documents(
    source: str | os.PathLike[str],
    count: int,
    *,
    labelled: Sequence[LabelledDocument] = (),
    vectors: str = "hashed",
    threshold: int = 3,
    pool: int = 5000,
    column: str = "text",
    seed: int = 0,
    progress: Progress = no_progress,
) -> list[str]:
    """Choose documents of a corpus to label next.

    Args:
        source: as `shoal.corpora.read_documents` takes it.
        count: how many documents.
        labelled: what is labelled already; its texts are not chosen again.
        vectors: the spec of the vectors by which documents are compared.
        threshold: the label from which on a document is good.
        pool: documents drawn at random, among which is chosen.
        column: of the text.
        seed: of the pool.
        progress: called with (what, done, total).

    Raises:
        UsageError: a count below 1, or a pool that is smaller.
        DataError: the corpus has fewer unlabelled documents.
        ShoalError: the corpus or the vectors cannot be read.
    """
    if not 0 < count <= pool:
        raise UsageError(f"{count} documents cannot be chosen from a pool of {pool}; give 1 to {pool}")
    # Up to white space, which tables and readers of corpora treat in their own ways.
    seen = {_key(one.text) for one in labelled}
    drawn: Reservoir[str] = Reservoir(pool, random.Random(seed))
    for place, text in enumerate(read_documents(source, column=column)):
        progress("documents", place, 0)
        # Equal documents need one label.
        if (key := _key(text)) not in seen:
            seen.add(key)
            drawn.offer(text)
    if len(drawn.items) < count:
        raise DataError(f"{source} has {len(drawn.items)} different documents without a label; {count} are wanted")
    reader = make_vectorizer(vectors)
    pool_ND = encode_all(reader, drawn.items, progress=progress)
    labels = [one.label for one in labelled]
    known_MD = encode_all(reader, [one.text for one in labelled], progress=progress) if labels else None
    # With labels of one kind there is nothing to be unsure of; then the choice covers what is not labelled.
    usable = len(set(labels)) > 1
    places = choose_documents(
        pool_ND,
        count,
        labelled_MD=known_MD,
        labels=labels if usable else (),
        # Where the head decides between two labels, the doubt is greatest halfway.
        threshold=threshold - 0.5,
        seed=seed,
    )
    return [drawn.items[place] for place in places]


def _key(text: str) -> int:
    """What is remembered of a text: a hash, which takes 60 bytes."""
    return hash(" ".join(text.split()))
