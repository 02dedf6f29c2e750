from .design import (
    DesignEffect as DesignEffect,
    DesignReport as DesignReport,
    HypothesisPlan as HypothesisPlan,
    describe_design as describe_design,
)
from .factors import (
    FACTORS as FACTORS,
    factor_kind as factor_kind,
)
from .hypotheses import Hypothesis as Hypothesis
from .loading import (
    crossed_from as crossed_from,
    load_crossed as load_crossed,
)
from .plan import (
    PLAN as PLAN,
    Cell as Cell,
    CrossedExperiment as CrossedExperiment,
)
from .records import (
    CellRecords as CellRecords,
    CrossedRun as CrossedRun,
    open_crossed as open_crossed,
)
from .result import (
    BlockEffect as BlockEffect,
    CellMean as CellMean,
    Confound as Confound,
    CrossedResult as CrossedResult,
    HypothesisResult as HypothesisResult,
    SecondView as SecondView,
)
from .runner import (
    plan_crossed as plan_crossed,
    run_crossed as run_crossed,
)
