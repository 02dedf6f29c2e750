from .comparison import (
    PerplexityComparison as PerplexityComparison,
    PerplexityDifference as PerplexityDifference,
    compare_perplexities as compare_perplexities,
)
from .reading import perplexity as perplexity
from .report import (
    PerplexityReport as PerplexityReport,
    PerplexityUnit as PerplexityUnit,
    ScoredDocument as ScoredDocument,
    SurprisingToken as SurprisingToken,
)
