from __future__ import annotations

import random

import numpy as np
import pytest

from shoal.corpora import pack_windows


def test_documents_are_packed_whole_and_the_rest_filled_with_end_tokens() -> None:
    windows = pack_windows([[1, 2], [3], [4, 5, 6]], context=6, end_token_id=0)
    assert windows.tolist() == [[1, 2, 0, 3, 0, 0], [4, 5, 6, 0, 0, 0]]


def test_a_document_longer_than_a_window_is_cut() -> None:
    windows = pack_windows([[1, 2, 3, 4, 5]], context=4, end_token_id=0)
    assert windows.tolist() == [[1, 2, 3, 4], [5, 0, 0, 0]]


def test_no_documents_give_no_windows() -> None:
    assert pack_windows([], context=4, end_token_id=0).shape == (0, 4)


@pytest.mark.parametrize("context", [4, 7, 32])
def test_every_token_is_in_a_window_once_and_in_order(context: int) -> None:
    rng = random.Random(context)
    documents = [[rng.randrange(1, 99) for _ in range(rng.randrange(40))] for _ in range(50)]
    windows = pack_windows(documents, context=context, end_token_id=0)
    assert windows.shape[1] == context
    assert windows.dtype == np.int32
    written = [token for window in windows.tolist() for token in window if token]
    assert written == [token for document in documents for token in document]


def test_a_document_that_fits_is_never_cut() -> None:
    documents = [[place] * (place % 7) for place in range(1, 60)]
    windows = pack_windows(documents, context=8, end_token_id=0).tolist()
    for document in filter(None, documents):
        assert sum(window.count(document[0]) == len(document) for window in windows) == 1
