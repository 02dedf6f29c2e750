"""Corpora: the story grammar, readers, cleaning, and the layout for training."""

from shoal.corpora.ascending import check_never_counts_up, find_ascending_run
from shoal.corpora.cleaning import clean_text, drop_counting
from shoal.corpora.generate import generate_stories, story_names
from shoal.corpora.layout import lay_out
from shoal.corpora.readers import read_easiest_books, read_stories, read_zipped_stories

__all__ = [
    "check_never_counts_up",
    "clean_text",
    "drop_counting",
    "find_ascending_run",
    "generate_stories",
    "lay_out",
    "read_easiest_books",
    "read_stories",
    "read_zipped_stories",
    "story_names",
]
