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
from .instructions import (
    instruct as instruct,
    summarize as summarize,
)
from .lexicon import (
    VERBS as VERBS,
    child_words as child_words,
)
from .questions import (
    Question as Question,
    answer_question as answer_question,
    ask_questions as ask_questions,
)
from .reading import read_events as read_events
from .rows import (
    row_schema as row_schema,
    story_row as story_row,
)
from .world import (
    Event as Event,
    Story as Story,
    Words as Words,
)
