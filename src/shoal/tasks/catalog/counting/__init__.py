"""The task of counting in unary or decimal, up or down."""

from shoal.tasks.catalog.counting.task import counting

__all__ = ["counting"]
