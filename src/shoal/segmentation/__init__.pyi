from .features import (
    Channel as Channel,
    Features as Features,
)
from .result import (
    Cut as Cut,
    Segmentation as Segmentation,
)
from .segmenter import segment as segment
from .sentences import (
    read_lines as read_lines,
    split_sentences as split_sentences,
)
from .words import Words as Words
