"""The figure for print."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest

from shoal.changes import change_points
from shoal.changes.display import display
from shoal.errors import DataError, MissingExtraError

SHIFT = np.concatenate([np.random.default_rng(0).normal(size=200), np.random.default_rng(1).normal(size=200) + 4.0])


def test_a_figure_has_a_line_a_piece_and_saves() -> None:
    pytest.importorskip("matplotlib")
    found = change_points(SHIFT)
    drawing = display(SHIFT, found, title="a shift")
    (panel,) = drawing.axes
    assert len(panel.get_lines()) == 2 + len(found.changes)  # two pieces, and a rule for each place
    assert len(panel.collections) == 4  # the mean of each piece, and a band around it
    file = io.BytesIO()
    drawing.savefig(file, format="png")
    assert file.getvalue().startswith(b"\x89PNG")


def test_dates_symbols_and_tables_are_drawn() -> None:
    pytest.importorskip("matplotlib")
    pandas = pytest.importorskip("pandas")
    dated = pandas.Series(SHIFT, index=pandas.date_range("2020-01-01", periods=400))
    assert len(display(dated, change_points(dated)).axes) == 1
    assert len(display("ab" * 100, change_points("ab" * 100)).axes) == 1
    table = np.column_stack([SHIFT, SHIFT])
    assert len(display(table, change_points(table)).axes) == 2


def test_another_stream_than_the_searched_one_is_refused() -> None:
    pytest.importorskip("matplotlib")
    with pytest.raises(DataError, match="400"):
        display(SHIFT[:100], change_points(SHIFT))


def test_without_matplotlib_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"shoal\[plot\]"):
        display(SHIFT, change_points(SHIFT))
