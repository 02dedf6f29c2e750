"""Tables fitted to the answers of a model: for each value of a feature, the answer that is commonest there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shoal.attribution.programs.copying import AnswerTable, row_bits
from shoal.attribution.programs.program import keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shoal.attribution.programs.context import Context, PromptBatch
    from shoal.attribution.programs.expressions import Expression

MAX_ROWS = 30
"""Rows of a table: enough for the letters of an alphabet; what needs more of them is memorised rather than computed."""


_MAX_KEYS = 4000
"""Ways to divide the prompts of which tables are made, those of the shortest features."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableKeys:
    """Features with few values, one per way to divide the prompts."""

    features: tuple[Expression, ...]
    bits: NDArray[np.float64]
    """Of each way to divide the prompts minus log2 of the prior of all features that do so."""

    values: tuple[tuple[object, ...], ...]
    """Of each feature, the value that each number in `codes` stands for."""

    codes: NDArray[np.int8]
    """Features by prompts: the number of the value, -1 where it is undefined."""


def table_keys(batch: PromptBatch, features: Sequence[Expression]) -> TableKeys:
    """The features of which tables can be made, the shortest of those that divide the prompts alike.

    Args:
        batch: the prompts.
        features: candidates, by code length.
    """
    found: dict[bytes, tuple[Expression, tuple[object, ...]]] = {}
    priors: dict[bytes, float] = {}
    for feature in features:
        numbers: dict[object, int] = {None: -1}
        # Numbered by where a value comes first, so that features which divide alike have equal codes.
        codes = [numbers.setdefault(value, len(numbers) - 1) for value in keys(batch, feature)]
        if len(found) < _MAX_KEYS and 2 <= len(numbers) - 1 <= MAX_ROWS:
            row = np.array(codes, np.int8).tobytes()
            found.setdefault(row, (feature, tuple(numbers)[1:]))
            priors[row] = priors.get(row, 0.0) + 2.0 ** -batch.context.bits(feature)
    return TableKeys(
        features=tuple(feature for feature, _ in found.values()),
        bits=np.array([-math.log2(priors[row]) for row in found]),
        values=tuple(values for _, values in found.values()),
        codes=np.array([np.frombuffer(row, np.int8) for row in found], np.int8).reshape(len(found), len(batch)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedTables:
    """A table per feature, with its answers."""

    table_keys: TableKeys
    labels: tuple[str, ...]
    chosen: NDArray[np.intp]
    """Features by values: the number of the label; -1 where no answer with the value is a label."""

    outputs: NDArray[np.int32]
    """Features by prompts: the number of the label, -1 for none."""

    def program(self, place: int) -> AnswerTable:
        """The table of a feature as a program.

        Args:
            place: of the feature.
        """
        values = zip(self.table_keys.values[place], self.chosen[place], strict=False)
        entries = tuple(sorted(((value, self.labels[label]) for value, label in values if label >= 0), key=str))
        return AnswerTable(self.table_keys.features[place], entries)

    def bits(self, context: Context) -> NDArray[np.float64]:
        """The code length of each table.

        Args:
            context: the seen examples.
        """
        counts = (self.chosen[:, :, None] == np.arange(len(self.labels))).sum(axis=1)
        kind = AnswerTable.kind_bits(context)
        return np.asarray(1 + kind + self.table_keys.bits + row_bits(counts, len(self.labels)))


def fit_tables(table_keys: TableKeys, labels: Sequence[str], answers: NDArray[np.int32]) -> FittedTables:
    """For each feature and value, the label that is commonest among the answers.

    Args:
        table_keys: the features.
        labels: the different seen completions.
        answers: the number of each prompt's answer among the labels; -1 for another answer, or one that is left out.
    """
    count = len(table_keys.features)
    one_hot = (answers[:, None] == np.arange(len(labels))[None, :]).astype(np.float32)
    chosen = np.full((count, MAX_ROWS), -1)
    sizes = table_keys.codes.max(axis=1, initial=-1) + 1
    for value in range(sizes.max(initial=0)):
        # Most features have few values.
        rows = np.flatnonzero(sizes > value)
        counts = (table_keys.codes[rows] == value).astype(np.float32) @ one_hot
        chosen[rows, value] = np.where(counts.max(axis=1, initial=0) > 0, counts.argmax(axis=1), -1)
    outputs = np.take_along_axis(chosen, np.maximum(table_keys.codes, 0).astype(np.intp), axis=1)
    outputs[table_keys.codes < 0] = -1
    return FittedTables(table_keys=table_keys, labels=tuple(labels), chosen=chosen, outputs=outputs.astype(np.int32))
