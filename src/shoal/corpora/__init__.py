"""Corpora: the story grammar, readers, cleaning, and the layout for training."""

from shoal.corpora.ascending import check_never_counts_up, find_ascending_run
from shoal.corpora.cleaning import clean_text, drop_counting
from shoal.corpora.contamination import Contamination, find_contamination
from shoal.corpora.datacard import DataCard, describe_corpus
from shoal.corpora.duplicates import Duplicate, DuplicateFinder, find_duplicates, find_pairs
from shoal.corpora.generate import generate_stories, story_names
from shoal.corpora.layout import lay_out
from shoal.corpora.loading import read_documents
from shoal.corpora.readers import read_easiest_books, read_stories, read_zipped_stories
from shoal.corpora.repair import Cleaning, find_language, repair_text, strip_boilerplate
from shoal.corpora.writing import write_documents

__all__ = [
    "Cleaning",
    "Contamination",
    "DataCard",
    "Duplicate",
    "DuplicateFinder",
    "check_never_counts_up",
    "clean_text",
    "describe_corpus",
    "drop_counting",
    "find_ascending_run",
    "find_contamination",
    "find_duplicates",
    "find_language",
    "find_pairs",
    "generate_stories",
    "lay_out",
    "read_documents",
    "read_easiest_books",
    "read_stories",
    "read_zipped_stories",
    "repair_text",
    "story_names",
    "strip_boilerplate",
    "write_documents",
]
