from __future__ import annotations

import json

import numpy as np
import pytest

from shoal.errors import DataError, StoreError
from shoal.training import open_token_file, tokens_in_memory, write_token_file

DOCUMENTS = [[3, 1, 4], [], [1], [5, 9, 2, 6]]


@pytest.mark.parametrize(("vocabulary", "width"), [(10, 2), (2**16, 2), (2**16 + 1, 4)])
def test_documents_come_back_from_disk_as_they_were(tmp_path, vocabulary, width):
    write_token_file(tmp_path / "tokens", iter(DOCUMENTS), vocabulary=vocabulary)
    file = open_token_file(tmp_path / "tokens")
    assert [file.document(place).tolist() for place in range(len(file))] == [[3, 1, 4], [1], [5, 9, 2, 6]]
    assert file.lengths.tolist() == [3, 1, 4]
    assert file.tokens.dtype.itemsize == width
    assert (tmp_path / "tokens" / "tokens.bin").stat().st_size == 8 * width
    assert isinstance(file.tokens, np.memmap)
    assert file.digest == tokens_in_memory(DOCUMENTS, vocabulary=vocabulary).digest
    assert file.digest != tokens_in_memory([[3, 1], [4, 1, 5, 9, 2, 6]], vocabulary=vocabulary).digest


def test_ids_beyond_the_vocabulary_are_refused_and_nothing_is_left(tmp_path):
    with pytest.raises(DataError, match="document 1 has ids from 0 to 10; the vocabulary knows 0 to 9"):
        write_token_file(tmp_path / "tokens", [[1], [0, 10]], vocabulary=10)
    with pytest.raises(DataError, match="no documents with tokens"):
        write_token_file(tmp_path / "tokens", [[]], vocabulary=10)
    assert list(tmp_path.iterdir()) == []


def test_what_stands_is_not_written_over(tmp_path):
    write_token_file(tmp_path / "tokens", DOCUMENTS, vocabulary=10)
    with pytest.raises(StoreError, match="exists"):
        write_token_file(tmp_path / "tokens", DOCUMENTS, vocabulary=10)
    assert len(open_token_file(tmp_path / "tokens")) == 3


@pytest.mark.parametrize("damage", ["cut", "gone", "text", "other"])
def test_a_damaged_file_is_named(tmp_path, damage):
    folder = tmp_path / "tokens"
    write_token_file(folder, DOCUMENTS, vocabulary=10)
    if damage == "cut":
        (folder / "tokens.bin").write_bytes(b"\0" * 10)
    elif damage == "gone":
        (folder / "ends.bin").unlink()
    elif damage == "text":
        (folder / "tokens.json").write_text("{")
    else:
        (folder / "tokens.json").write_text(json.dumps({"documents": 3}))
    with pytest.raises(DataError, match="write it again"):
        open_token_file(folder)
