"""The page of an inspection."""

from __future__ import annotations

from every_page import inspection_page


def test_layers_are_counted_from_the_embedding() -> None:
    assert "layer from which the prediction stands (0: embedding)" in inspection_page()
