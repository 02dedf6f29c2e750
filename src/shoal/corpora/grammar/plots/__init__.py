"""Plots: each adds the events of the middle of a story, from a wish or a mishap to its outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.corpora.grammar.plots.adventures import plot_fear, plot_forbidden, plot_race, plot_rescue
from shoal.corpora.grammar.plots.friends import plot_breakage, plot_gift, plot_loneliness, plot_one_toy
from shoal.corpora.grammar.plots.quests import plot_loss, plot_making, plot_picnic, plot_trades, plot_wish

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shoal.corpora.grammar.realizer import Realizer

PLOTS: Mapping[str, Callable[[Realizer], str]] = {
    "loss": plot_loss,
    "wish": plot_wish,
    "making": plot_making,
    "trades": plot_trades,
    "picnic": plot_picnic,
    "one toy": plot_one_toy,
    "gift": plot_gift,
    "breakage": plot_breakage,
    "loneliness": plot_loneliness,
    "rescue": plot_rescue,
    "forbidden": plot_forbidden,
    "fear": plot_fear,
    "race": plot_race,
}
"""Plots by name; each returns the moral that fits it. A new one goes to the end: a plot is drawn by its place."""

__all__ = ["PLOTS"]
