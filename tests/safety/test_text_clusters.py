"""Failures clustered by meaning: vectors whose groups are known, counts by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from shoal.safety.probing.clusters import cluster_texts, failure_clusters
from shoal.statistics import ErrorRates, correct_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

RIGHT = ErrorRates(sensitivity=1.0, specificity=1.0, positives=1e6, negatives=1e6)
PLACES = {"fire": (1.0, 0.0, 0.0), "knife": (0.0, 1.0, 0.0), "lock": (0.0, 0.0, 1.0)}


class Planted:
    """A text lies at the place of the topic that stands in it."""

    name = "planted"

    def encode(self, texts: Sequence[str], progress: Any = None) -> NDArray[np.float32]:
        rows = []
        for text in texts:
            own = next((place for topic, place in PLACES.items() if topic in text), (0.0, 0.0, 0.0))
            # A little apart, by the length, so that no two vectors are equal.
            rows.append([value + 0.01 * (len(text) % 7) / 7 for value in own])
        return np.asarray(rows, dtype=np.float32).reshape(len(rows), 3)


def share(values: Sequence[bool], seeds: Sequence[str]) -> Any:
    return correct_share(values, RIGHT, clusters=seeds)


TEXTS = [
    "How do I set a fire in winter?",
    "Which fire spreads with oil?",
    "Who puts out a fire at night?",
    "Where is a knife sharpened?",
    "When may a knife be carried outside?",
    "Which knife is longest?",
    "How does a lock open?",
    "Whose lock is oldest of them all?",
]


def test_texts_of_one_topic_are_one_cluster() -> None:
    found = cluster_texts(TEXTS, Planted())  # type: ignore[arg-type]
    assert len(found.names) == 3
    groups = [{found.numbers[place] for place in places} for places in ((0, 1, 2), (3, 4, 5), (6, 7))]
    assert [len(group) for group in groups] == [1, 1, 1]
    assert len(set.union(*groups)) == 3


def test_a_cluster_is_named_by_the_words_that_set_it_apart() -> None:
    found = cluster_texts(TEXTS, Planted())  # type: ignore[arg-type]
    for topic, place in (("fire", 0), ("knife", 3), ("lock", 6)):
        name = found.names[found.numbers[place]]
        assert name.split(", ")[0] == topic
        assert len(name.split(", ")) <= 3
        assert not {"the", "how", "does", "which"} & set(name.split(", "))


def test_words_that_name_a_cluster_have_their_marks() -> None:
    found = cluster_texts([f"{text} ताला" if "lock" in text else text for text in TEXTS], Planted())  # type: ignore[arg-type]
    assert "ताला" in found.names[found.numbers[6]].split(", ")


def test_the_middle_of_a_cluster_is_one_of_its_texts() -> None:
    found = cluster_texts(TEXTS, Planted())  # type: ignore[arg-type]
    assert [found.numbers[place] for place in found.middles] == [0, 1, 2]


def test_another_text_lies_where_its_like_do() -> None:
    found = cluster_texts(TEXTS, Planted())  # type: ignore[arg-type]
    others = ["A lock of hair", "Open fire!", "knife, fork and spoon"]
    expected = [found.numbers[place] for place in (6, 0, 3)]
    assert found.nearest(np.asarray(Planted().encode(others))) == expected
    # The texts themselves lie in their own clusters.
    assert tuple(found.nearest(np.asarray(Planted().encode(TEXTS)))) == found.numbers


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_few_texts_are_one_cluster(count: int) -> None:
    found = cluster_texts(TEXTS[:count], Planted())  # type: ignore[arg-type]
    assert found.numbers == (0,) * count
    assert len(found.names) == len(found.middles) == 1


@pytest.mark.parametrize("texts", [["a"], ["?!", "12 34"], ["I am", "we go"]])
def test_texts_without_a_word_that_counts_get_a_number(texts: list[str]) -> None:
    assert cluster_texts(texts, Planted()).names == ("cluster 1",)  # type: ignore[arg-type]


def test_words_of_other_alphabets_name_a_cluster() -> None:
    names = cluster_texts(["Пожар fire дома", "Ещё пожар fire"], Planted()).names  # type: ignore[arg-type]
    assert set(names[0].split(", ")) >= {"пожар", "fire"}


def test_failures_are_counted_over_all_probes_of_their_cluster() -> None:
    probed: dict[str, list[bool]] = {text: [True, False] for text in TEXTS}
    probed[TEXTS[0]] = [True, True, True, False]
    # A seed that never failed shapes no cluster, and counts where it lies.
    probed["The fire brigade?"] = [False, False, False, False]
    failed = {text: sum(values) for text, values in probed.items() if any(values)}
    clusters, of_seed = failure_clusters(failed, probed, Planted(), share)  # type: ignore[arg-type]
    assert [(one.name.split(", ")[0], one.seeds, one.probes, one.failures) for one in clusters] == [
        ("fire", 3, 12, 5),
        ("knife", 3, 6, 3),
        ("lock", 2, 4, 2),
    ]
    assert [one.failed.corrected for one in clusters] == pytest.approx([5 / 12, 1 / 2, 1 / 2])
    assert set(of_seed) == set(failed)
    assert {of_seed[text] for text in TEXTS[:3]} == {clusters[0].name}
    assert sum(one.failures for one in clusters) == sum(failed.values())
    assert clusters[0].example in TEXTS[:3]
    assert clusters[0].to_dict()["failures"] == 5


def test_without_failures_there_are_no_clusters() -> None:
    assert failure_clusters({}, {"a": [False]}, Planted(), share) == ((), {})  # type: ignore[arg-type]


def test_one_failure_is_one_cluster_of_everything() -> None:
    probed = {"fire?": [True], "knife?": [False], "lock?": [False, False]}
    (only,), of_seed = failure_clusters({"fire?": 1}, probed, Planted(), share)  # type: ignore[arg-type]
    assert (only.name, only.example, only.seeds, only.probes, only.failures) == ("fire", "fire?", 1, 4, 1)
    assert of_seed == {"fire?": "fire"}


def test_texts_without_a_known_word_lie_apart() -> None:
    class Centred(Planted):
        """The mean of the vectors is 0, and so is the vector of a text without a topic."""

        def encode(self, texts: Sequence[str], progress: Any = None) -> NDArray[np.float32]:
            places = {"fire": (1.0, 0.0), "knife": (-1.0, 1.0), "lock": (0.0, -1.0), "": (0.0, 0.0)}
            return np.array([next(one for topic, one in places.items() if topic in text) for text in texts], np.float32)

    texts = [f"{topic} {number}" for topic in ("fire", "knife", "lock", "strange") for number in range(3)]
    assert cluster_texts(texts, Centred()).numbers == (0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3)  # type: ignore[arg-type]
    alike = cluster_texts(["strange one", *("another strange one " + "!" * k for k in range(6))], Centred())  # type: ignore[arg-type]
    assert set(alike.numbers) == {0}
