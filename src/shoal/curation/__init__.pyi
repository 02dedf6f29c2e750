from .document import DocumentText as DocumentText
from .filters import (
    LineFilter as LineFilter,
    QualityFilter as QualityFilter,
    filter_families as filter_families,
    find_filters as find_filters,
    known_filters as known_filters,
)
