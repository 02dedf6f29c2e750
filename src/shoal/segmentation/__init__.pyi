from .features import (
    Channel as Channel,
)
from .features import (
    Features as Features,
)
from .result import (
    Cut as Cut,
)
from .result import (
    Segmentation as Segmentation,
)
from .segmenter import segment as segment
from .sentences import (
    read_lines as read_lines,
)
from .sentences import (
    split_sentences as split_sentences,
)
from .words import Words as Words
