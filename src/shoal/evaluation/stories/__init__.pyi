from .bits_per_byte import held_out_bits as held_out_bits
from .measures import StoryMeasure as StoryMeasure
from .memorization import CopyFinder as CopyFinder
from .minimal_pairs import (
    MinimalPair as MinimalPair,
    PairScores as PairScores,
    read_minimal_pairs as read_minimal_pairs,
    score_minimal_pairs as score_minimal_pairs,
)
from .plot_qa import (
    make_questions as make_questions,
    score_facts as score_facts,
)
from .prompts import (
    StoryPrompt as StoryPrompt,
    default_prompts as default_prompts,
    read_beginnings as read_beginnings,
    read_story_prompts as read_story_prompts,
)
from .rating import (
    Material as Material,
    StoryRating as StoryRating,
    rate_model as rate_model,
)
from .sampling import (
    Completion as Completion,
    Sampling as Sampling,
    complete_prompts as complete_prompts,
)
