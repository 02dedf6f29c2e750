"""How tokenizers cut a text, where two of them part, and what a corpus costs in tokens."""

from shoal.insight.tokens.corpus import TokenCounts, count_tokens
from shoal.insight.tokens.parting import Parting, where_they_part
from shoal.insight.tokens.reading import TokenPiece, TokenReading, read_tokens

__all__ = [
    "Parting",
    "TokenCounts",
    "TokenPiece",
    "TokenReading",
    "count_tokens",
    "read_tokens",
    "where_they_part",
]
