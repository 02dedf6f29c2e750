"""Plot skeletons: each tells the middle of a story through a teller, from a wish or a mishap to its outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.corpora.grammar.plots.adventures import tell_fear, tell_forbidden, tell_race, tell_rescue
from shoal.corpora.grammar.plots.friends import tell_breakage, tell_gift, tell_loneliness, tell_one_toy
from shoal.corpora.grammar.plots.quests import tell_loss, tell_making, tell_picnic, tell_trades, tell_wish

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shoal.corpora.grammar.telling import Teller

PLOTS: Mapping[str, Callable[[Teller], str]] = {
    "loss": tell_loss,
    "wish": tell_wish,
    "making": tell_making,
    "trades": tell_trades,
    "picnic": tell_picnic,
    "one toy": tell_one_toy,
    "gift": tell_gift,
    "breakage": tell_breakage,
    "loneliness": tell_loneliness,
    "rescue": tell_rescue,
    "forbidden": tell_forbidden,
    "fear": tell_fear,
    "race": tell_race,
}
"""Plots by name; each returns the moral that fits it."""

__all__ = ["PLOTS"]
