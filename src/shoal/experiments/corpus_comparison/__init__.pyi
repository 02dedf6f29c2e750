from .forecast import (
    CorpusComparisonForecast as CorpusComparisonForecast,
    forecast_corpus_comparison as forecast_corpus_comparison,
)
from .gathering import (
    read_corpus_comparison as read_corpus_comparison,
)
from .plan import (
    MEAN as MEAN,
    CorpusComparisonPlan as CorpusComparisonPlan,
    TokenDesign as TokenDesign,
    corpus_comparison_from as corpus_comparison_from,
    load_corpus_comparison as load_corpus_comparison,
)
from .preparation import CorpusCounts as CorpusCounts
from .result import (
    CorpusComparison as CorpusComparison,
    CorpusDifference as CorpusDifference,
    CorpusScore as CorpusScore,
    SizeDecisions as SizeDecisions,
    format_size as format_size,
)
from .runner import compare_corpora as compare_corpora
from .trainings import (
    ComparedTraining as ComparedTraining,
    ComparedTrainingRecord as ComparedTrainingRecord,
)
