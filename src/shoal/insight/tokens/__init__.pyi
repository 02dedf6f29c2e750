from .corpus import (
    TokenCounts as TokenCounts,
    count_tokens as count_tokens,
)
from .parting import (
    Parting as Parting,
    where_they_part as where_they_part,
)
from .reading import (
    TokenPiece as TokenPiece,
    TokenReading as TokenReading,
    read_tokens as read_tokens,
)
