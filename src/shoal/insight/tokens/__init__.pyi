from .corpus import (
    TokenCounts as TokenCounts,
    count_tokens as count_tokens,
)
from .diff import (
    TokenizationDiff as TokenizationDiff,
    compare_tokenizations as compare_tokenizations,
)
from .reading import (
    TokenPiece as TokenPiece,
    TokenReading as TokenReading,
    read_tokens as read_tokens,
)
