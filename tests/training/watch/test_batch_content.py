"""What stands in a batch: the documents that repeat most, and the longest repeated n-grams."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.errors import DataError
from shoal.training import Batch, Document
from shoal.training.watch import batch_content


def test_the_document_with_the_most_repeats_is_named_first() -> None:
    found = batch_content(["one two three four five six", "buy now cheap offer " * 10, "seven eight nine ten"])
    assert found.documents[0].place == 1
    assert found.documents[0].repeated == 1.0
    assert found.documents[1].repeated == 0.0
    assert found.document_count == 3


def test_the_longest_repeated_passage_is_one_finding() -> None:
    passage = " ".join(f"w{place}" for place in range(17))
    (found,) = batch_content([f"{passage} a b", f"c {passage}", f"{passage}", "quite other words stand here"]).repeats
    assert (found.tokens, found.count, found.documents) == (16, 3, 3)


def test_token_ids_are_decoded_where_that_can_be() -> None:
    rows = [np.arange(8), [1, 2, 3, 4] * 3]
    shown = batch_content(rows, lambda ids: "-".join(map(str, ids)))
    assert shown.repeats[0].text == "1-2-3-4"
    assert batch_content(rows).repeats[0].text == "ids 1 2 3 4"


def test_a_batch_of_the_loop_is_read() -> None:
    batch = Batch((Document(np.arange(5), 1), Document(np.arange(3), 1)), "windows from 7")
    found = batch_content(batch)
    assert (found.name, found.document_count) == ("windows from 7", 2)
    assert str(found).splitlines()[0] == "windows from 7: 2 documents"


def test_what_is_no_document_is_refused() -> None:
    with pytest.raises(DataError, match="text or a row of token ids"):
        batch_content([{"text": "x"}])
