from .card import (
    CorpusSize as CorpusSize,
    CurationCard as CurationCard,
    FilterFinding as FilterFinding,
    LineFinding as LineFinding,
)
from .cover import Cover as Cover, farthest_first as farthest_first, find_cover as find_cover
from .curator import DEFAULT_FILTERS as DEFAULT_FILTERS, curate as curate
from .document import DocumentText as DocumentText
from .filter_specs import find_filters as find_filters, split_specs as split_specs
from .filters import (
    LineFilter as LineFilter,
    QualityFilter as QualityFilter,
    filter_families as filter_families,
    known_filters as known_filters,
)
from .tally import RemovedExample as RemovedExample, ScoreSpread as ScoreSpread
