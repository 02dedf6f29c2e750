"""Narrowness: how far the held-out part of a task can be answered from the seen part."""

from shoal.tasks.narrowing.report import Narrowness, narrowness
from shoal.tasks.narrowing.wording import narrowness_text

__all__ = ["Narrowness", "narrowness", "narrowness_text"]
