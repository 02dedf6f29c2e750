from .features import (
    FEATURES as FEATURES,
    find_features as find_features,
    missing_words as missing_words,
)
from .generate import (
    tell_stories as tell_stories,
    tell_story as tell_story,
    word_classes as word_classes,
)
from .lexicon import (
    VERBS as VERBS,
    child_words as child_words,
)
from .parser import read_events as read_events
from .questions import (
    StoryQuestion as StoryQuestion,
    answer_question as answer_question,
    ask_questions as ask_questions,
)
from .rows import (
    instruct as instruct,
    row_schema as row_schema,
    story_row as story_row,
    summarize as summarize,
)
from .short_stories import (
    entity_words as entity_words,
    write_short_story as write_short_story,
)
from .world import (
    Event as Event,
    RequiredWords as RequiredWords,
    Story as Story,
)
