from __future__ import annotations

from shoal.corpora import pack_windows


def test_documents_are_packed_whole_and_the_rest_filled_with_end_tokens() -> None:
    windows = pack_windows([[1, 2], [3], [4, 5, 6]], context=6, end_token_id=0)
    assert windows.tolist() == [[1, 2, 0, 3, 0, 0], [4, 5, 6, 0, 0, 0]]


def test_a_document_longer_than_a_window_is_cut() -> None:
    windows = pack_windows([[1, 2, 3, 4, 5]], context=4, end_token_id=0)
    assert windows.tolist() == [[1, 2, 3, 4], [5, 0, 0, 0]]


def test_no_documents_give_no_windows() -> None:
    assert pack_windows([], context=4, end_token_id=0).shape == (0, 4)
