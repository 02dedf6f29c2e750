from .completing import (
    Completion as Completion,
)
from .completing import (
    complete_prompts as complete_prompts,
)
from .copying import CopyFinder as CopyFinder
from .facts import (
    make_questions as make_questions,
)
from .facts import (
    score_facts as score_facts,
)
from .heldout import held_out_bits as held_out_bits
from .measures import Measure as Measure
from .minimal import (
    PairScores as PairScores,
)
from .minimal import (
    minimal_pairs as minimal_pairs,
)
from .pairs import (
    MinimalPair as MinimalPair,
)
from .pairs import (
    read_pairs as read_pairs,
)
from .prompts import (
    StoryPrompt as StoryPrompt,
)
from .prompts import (
    default_prompts as default_prompts,
)
from .prompts import (
    read_beginnings as read_beginnings,
)
from .prompts import (
    read_prompts as read_prompts,
)
from .rating import (
    Material as Material,
)
from .rating import (
    Sampling as Sampling,
)
from .rating import (
    StoryRating as StoryRating,
)
from .rating import (
    rate_model as rate_model,
)
