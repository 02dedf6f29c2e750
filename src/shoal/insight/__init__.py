"""What is inside a model: its tokens, so far."""

from shoal.insight.tokens import (
    Parting,
    TokenCounts,
    TokenPiece,
    TokenReading,
    count_tokens,
    read_tokens,
    where_they_part,
)

__all__ = [
    "Parting",
    "TokenCounts",
    "TokenPiece",
    "TokenReading",
    "count_tokens",
    "read_tokens",
    "where_they_part",
]
