from __future__ import annotations

import pytest

from shoal.corpora import check_never_counts_up, drop_counting, find_ascending_run
from shoal.errors import DataError


@pytest.mark.parametrize(
    "text",
    [
        "1 11 111",
        "He saw 1111. Then he went home, ate, slept and saw 11111 in a very long dream about the sea. 111111!",
        "the rooms 4, 5, 6",
        "One, two, three, go!",
        "nine ten eleven",
        "It is 7 and 3 4 5.",
        "\u017fix \u017feven eight",  # the long s of old prints
    ],
)
def test_a_text_that_counts_up_is_found(text: str) -> None:
    assert find_ascending_run(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "111 11 1",
        "1 11 1111",
        "11 111 11 111",
        "the rooms 4, 5, 7",
        "three two one",
        "One bear met two foxes, and they walked for a very long time until three ducks came.",
        "in 1234 and 456",
        "someone, twofold, threepence",
    ],
)
def test_a_text_that_does_not_count_up_passes(text: str) -> None:
    assert find_ascending_run(text) is None


def test_the_run_that_was_found_is_the_first_one_and_nothing_more() -> None:
    assert find_ascending_run("a 9 1 2 3 4 b 7 8 9") == "1 2 3"


def test_checking_many_texts_counts_them_and_shows_the_fault() -> None:
    assert check_never_counts_up(["a", "1 2"]) == 2
    with pytest.raises(DataError, match=r"text 2 counts up: '1 2 3'"):
        check_never_counts_up(["a", "b 1 2 3"])


def test_only_the_paragraph_that_counts_up_is_dropped() -> None:
    kept, dropped = drop_counting(["One day.\nOne, two, three!\nThe end.", "A dog."])
    assert kept == ["One day.\nThe end.", "A dog."]
    assert dropped == 1


def test_a_text_that_counts_up_across_paragraphs_is_dropped_whole() -> None:
    assert drop_counting(["1.\n2.\n3."]) == ([], 3)
