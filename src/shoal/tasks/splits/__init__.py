"""Splits: which examples are held out. A new split is one file with one subclass of Splitter, imported here."""

from shoal.tasks.splits.block import Block
from shoal.tasks.splits.by_part import ByPart
from shoal.tasks.splits.last_digit import LastDigit
from shoal.tasks.splits.length import Length
from shoal.tasks.splits.making import SplitGiven, bind_split, make_split
from shoal.tasks.splits.random_share import RandomShare
from shoal.tasks.splits.splitter import Splitter
from shoal.tasks.splits.token_cycle import TokenCycle

__all__ = [
    "Block",
    "ByPart",
    "LastDigit",
    "Length",
    "RandomShare",
    "SplitGiven",
    "Splitter",
    "TokenCycle",
    "bind_split",
    "make_split",
]
