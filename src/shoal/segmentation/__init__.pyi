from .features import (
    Channel as Channel,
    Features as Features,
)
from .fit import sentence_fits as sentence_fits
from .kept import Kept as Kept
from .labels import (
    SegmentLabel as SegmentLabel,
    Trait as Trait,
    label_segments as label_segments,
)
from .result import (
    Cut as Cut,
    Segmentation as Segmentation,
)
from .segmenter import segment as segment
from .sentences import (
    as_sentences as as_sentences,
    find_overlong as find_overlong,
    read_lines as read_lines,
    split_sentences as split_sentences,
)
from .words import Words as Words
