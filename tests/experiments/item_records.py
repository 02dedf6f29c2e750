"""Item records for tests, with plain values where a test does not care."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shoal.experiments import ItemRecord

PLAIN = ItemRecord(
    split="held_out",
    prompt="to 1:",
    completion=" 1",
    ends=True,
    tags={},
    index=0,
    exact_match=True,
    string_match=True,
    first_divergence=None,
    divergence=None,
    margin=1.5,
    token_margins=(1.5, 2.0),
    tokens=10,
    token_accuracy=0.9,
    log_likelihood=-1.0,
    bits_per_byte=1.0,
    greedy_text=" 1",
    greedy_ends=True,
    status="clear",
    tokens_text=(" 1", "<end>"),
)


def item_record(**values: Any) -> ItemRecord:
    return replace(PLAIN, **values)
