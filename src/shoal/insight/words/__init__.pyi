from .counts import (
    LemmaCount as LemmaCount,
    WordCounts as WordCounts,
)
from .languages import stemmer_names as stemmer_names
from .reading import words as words
from .splitting import (
    WordSpan as WordSpan,
    split_text as split_text,
)
from .table import (
    WordRow as WordRow,
    WordTable as WordTable,
)
