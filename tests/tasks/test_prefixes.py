"""Prefix leakage against a program that looks at every seen completion at every position."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from shoal.tasks.narrowing.measurements import END, EncodedExample
from shoal.tasks.narrowing.repeats import prefix_leakage

completions = st.lists(st.integers(0, 2), min_size=1, max_size=6).map(tuple)
part = st.lists(st.builds(EncodedExample, prompt=st.just(()), completion=completions, ends=st.booleans()),
                min_size=1, max_size=6)  # fmt: skip


def kinds(seen: list[EncodedExample], target: tuple[int, ...]) -> list[str]:
    """What the seen completions say at each position of the target, by looking at all of them each time."""
    found = []
    for place, token in enumerate(target):
        following = {item.target[place] for item in seen if item.target[:place] == target[:place] and
                     len(item.target) > place}  # fmt: skip
        if not following:
            found.append("unseen")
        elif following == {token}:
            found.append("determined")
        else:
            found.append("contradicted" if len(following) == 1 else "ambiguous")
    return found


@settings(max_examples=200, deadline=None)
@given(seen=part, held_out=part)
def test_the_walk_finds_what_looking_at_all_of_them_finds(
    seen: list[EncodedExample], held_out: list[EncodedExample]
) -> None:
    found = prefix_leakage(seen, held_out)
    all_kinds = [kind for item in held_out for kind in kinds(seen, item.target)]
    for name in ("determined", "contradicted", "ambiguous", "unseen"):
        assert getattr(found, name) == pytest.approx(all_kinds.count(name) / len(all_kinds)), name
    assert found.positions == len(all_kinds)
    assert found.tested == pytest.approx(1 - found.determined)


@settings(max_examples=200, deadline=None)
@given(seen=part, held_out=part)
def test_known_completions_prefixes_and_ends_are_counted_by_comparing_pairs(
    seen: list[EncodedExample], held_out: list[EncodedExample]
) -> None:
    found = prefix_leakage(seen, held_out)
    known = [any(other.target[: len(item.target)] == item.target for other in seen) for item in held_out]
    starts = [any(other.completion[: len(item.completion)] == item.completion for other in seen) for item in held_out]
    ends = [any(other.completion[-len(item.completion) :] == item.completion for other in seen) for item in held_out]
    assert found.known == sum(known)
    assert found.prefixes == sum(start and not one for start, one in zip(starts, known, strict=True))
    assert found.suffixes == sum(end and not one for end, one in zip(ends, known, strict=True))
    vocabulary = {token for item in seen for token in item.completion}
    tokens = [token for item in held_out for token in item.completion]
    assert found.new_tokens == pytest.approx(sum(token not in vocabulary for token in tokens) / len(tokens))


def test_the_end_token_is_a_position_of_its_own() -> None:
    found = prefix_leakage([EncodedExample((), (1, 2), True)], [EncodedExample((), (1, 2), True)])
    assert (found.positions, found.determined, found.known) == (3, 1.0, 1)
    assert EncodedExample((), (1, 2), True).target[-1] == END
