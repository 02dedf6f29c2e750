"""Which documents are held out: by their numbers alone, or by a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from shoal.errors import DataError
from shoal.experiments.pretraining.recipe import recipe_from
from shoal.experiments.pretraining.split import read_list, split_documents

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.experiments.pretraining import Recipe

TOP = 2**64


def recipe(shares: dict[str, float], listed: Path | None = None) -> Recipe:
    table: dict[str, Any] = {
        "name": "small",
        "corpus": [{"name": name, "source": "a.txt", "held_out": share} for name, share in shares.items()],
        "tokenizer": {"vocabulary": 280},
        "model": {"width": 16, "layers": 1, "heads": 2, "context": 32},
        "training": {"batch_tokens": 256},
    }
    return recipe_from(table | ({"evaluation": {"held_out_ids": str(listed)}} if listed else {}), "small.toml")


def ids(*numbers: int) -> Any:
    return np.array(numbers, dtype=np.uint64)


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, TOP - 1), min_size=2, max_size=30), st.sampled_from([0.1, 0.25, 0.5]))
def test_the_lowest_share_is_held_out(numbers: set[int], share: float) -> None:
    drawn = ids(*numbers)
    below = {number for number in numbers if number < share * TOP} or {min(numbers)}
    if below == numbers:
        with pytest.raises(DataError, match="every document of the corpus 'a' is held out"):
            split_documents({"a": drawn}, recipe({"a": share}))
        return
    found = split_documents({"a": drawn}, recipe({"a": share}))
    assert set(drawn[found.held_out["a"]].tolist()) == below
    assert (found.seen["a"] == ~found.held_out["a"]).all()
    assert found.ids({"a": drawn}) == [f"{number:016x}" for number in drawn[found.held_out["a"]].tolist()]
    assert found.missing == 0


def test_the_choice_does_not_hang_on_order_or_on_other_documents() -> None:
    few, more = ids(5, TOP // 2, 9), ids(TOP - 1, 9, TOP // 2, 5, TOP // 3)
    one = split_documents({"a": few}, recipe({"a": 0.1}))
    two = split_documents({"a": more}, recipe({"a": 0.1}))
    assert sorted(one.ids({"a": few})) == sorted(two.ids({"a": more})) == [f"{5:016x}", f"{9:016x}"]


def test_what_one_corpus_holds_out_is_read_in_none() -> None:
    drawn = {"a": ids(1, TOP - 1, TOP - 2), "b": ids(1, TOP - 5, TOP - 6)}
    found = split_documents(drawn, recipe({"a": 0.1, "b": 0.0}))
    assert found.held_out["a"].tolist() == [True, False, False]
    assert found.held_out["b"].tolist() == [False, False, False]
    # The copy in b is neither read nor held out there.
    assert found.seen["b"].tolist() == [False, True, True]


def test_two_copies_are_on_the_same_side() -> None:
    found = split_documents({"a": ids(7, TOP - 1, 7)}, recipe({"a": 0.1}))
    assert found.held_out["a"].tolist() == [True, False, True]


@pytest.mark.parametrize("numbers", [(4,), (4, 4, 4)])
def test_one_document_cannot_be_parted(numbers: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="the corpus 'a' holds one document, so that none can be held out"):
        split_documents({"a": ids(*numbers)}, recipe({"a": 0.5}))
    found = split_documents({"a": ids(*numbers)}, recipe({"a": 0.0}))
    assert found.seen["a"].all()


def test_a_list_decides_and_what_it_lacks_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "ids.txt"
    path.write_text(f"# ours\n\n{3:016x}\n  {TOP - 1:016X}  \n{77:016x}\n{3:016x}\n", encoding="utf-8")
    drawn = {"a": ids(1, 3, TOP - 1), "b": ids(3, 4)}
    found = split_documents(drawn, recipe({"a": 0.9, "b": 0.0}, path))
    assert found.held_out["a"].tolist() == [False, True, True]
    assert found.held_out["b"].tolist() == [True, False]
    assert found.seen["b"].tolist() == [False, True]
    assert found.missing == 1


def test_a_list_of_other_corpora_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ids.txt"
    path.write_text(f"{9:016x}\n{8:016x}\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"none of the 2 ids of .*ids\.txt is in the corpora"):
        split_documents({"a": ids(1, 2)}, recipe({"a": 0.1}, path))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, TOP - 1), min_size=1, max_size=20))
def test_a_list_is_read_back(tmp_path_factory: pytest.TempPathFactory, numbers: list[int]) -> None:
    path = tmp_path_factory.getbasetemp() / "held-out-ids.txt"
    path.write_text("".join(f"{number:016x}\n" for number in numbers), encoding="utf-8")
    assert read_list(path).tolist() == sorted(set(numbers))


@pytest.mark.parametrize(
    "line",
    [
        "abc",
        f"{1:017x}",
        f"{1:015x}",
        "g" * 16,
        "-000000000000001",
        "+000000000000001",
        "0x00000000000001",
        "0000_0000_0000_1",
        "0000000000000001 0000000000000002",
        "\u0661" * 16,
    ],
)
def test_a_line_that_is_no_id_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "ids.txt"
    path.write_text(f"{1:016x}\n{line}\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"ids\.txt:2 is .*; give 16 hexadecimal characters per line"):
        read_list(path)
