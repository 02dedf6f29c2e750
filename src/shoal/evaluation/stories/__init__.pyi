from .bits_per_byte import held_out_bits as held_out_bits
from .measures import Measure as Measure
from .memorization import CopyFinder as CopyFinder
from .minimal_pairs import (
    MinimalPair as MinimalPair,
    PairScores as PairScores,
    minimal_pairs as minimal_pairs,
    read_pairs as read_pairs,
)
from .plot_qa import (
    make_questions as make_questions,
    score_facts as score_facts,
)
from .prompts import (
    StoryPrompt as StoryPrompt,
    default_prompts as default_prompts,
    read_beginnings as read_beginnings,
    read_prompts as read_prompts,
)
from .rating import (
    Material as Material,
    Sampling as Sampling,
    StoryRating as StoryRating,
    rate_model as rate_model,
)
from .sampling import (
    Completion as Completion,
    complete_prompts as complete_prompts,
)
