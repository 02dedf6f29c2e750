"""Narrowness: how far the held-out part of a task can be answered from the seen part."""

from shoal.tasks.narrowing.report import NarrownessReport, narrowness

__all__ = ["NarrownessReport", "narrowness"]
