"""Rows in files and data sets: columns prompt and completion, tags beside them."""

from shoal.tasks.rows.dataset import to_dataset
from shoal.tasks.rows.reading import END_TOKEN, read_rows
from shoal.tasks.rows.writing import write_rows

__all__ = ["END_TOKEN", "read_rows", "to_dataset", "write_rows"]
