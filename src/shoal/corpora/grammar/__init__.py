"""The story grammar: stories in a young child's words whose plot is known, so that it can be asked about."""

from shoal.corpora.grammar.features import FEATURES, find_features, missing_words
from shoal.corpora.grammar.generate import tell_stories, tell_story, word_classes
from shoal.corpora.grammar.instructions import instruct, summarize
from shoal.corpora.grammar.lexicon import child_words
from shoal.corpora.grammar.questions import Question, answer_question, ask_questions
from shoal.corpora.grammar.reading import read_events
from shoal.corpora.grammar.rows import row_schema, story_row
from shoal.corpora.grammar.world import Event, Story, Words

__all__ = [
    "FEATURES",
    "Event",
    "Question",
    "Story",
    "Words",
    "answer_question",
    "ask_questions",
    "child_words",
    "find_features",
    "instruct",
    "missing_words",
    "read_events",
    "row_schema",
    "story_row",
    "summarize",
    "tell_stories",
    "tell_story",
    "word_classes",
]
