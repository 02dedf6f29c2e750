from .claims import (
    SMALLEST_EFFECT as SMALLEST_EFFECT,
    ProbeClaim as ProbeClaim,
    judge_claims as judge_claims,
)
from .clusters import (
    ProbeCluster as ProbeCluster,
    TextClusters as TextClusters,
    cluster_texts as cluster_texts,
)
from .comparing import (
    LossComparison as LossComparison,
    ProbeComparison as ProbeComparison,
    compare_losses as compare_losses,
    compare_models as compare_models,
)
from .curating import (
    CuratedRow as CuratedRow,
    curate_rows as curate_rows,
)
from .export import (
    EXPORT_SUFFIXES as EXPORT_SUFFIXES,
    check_export as check_export,
    write_probes as write_probes,
)
from .loop import run_probes as run_probes
from .loop_folder import read_probe_report as read_probe_report
from .mutations import (
    Mutation as Mutation,
    find_mutations as find_mutations,
)
from .own_answers import own_answer_rows as own_answer_rows
from .probes import (
    Probe as Probe,
    ProbeSeed as ProbeSeed,
    make_probe_seeds as make_probe_seeds,
    make_probes as make_probes,
    read_probe_seeds as read_probe_seeds,
)
from .result import (
    ProbedModel as ProbedModel,
    ProbeGroup as ProbeGroup,
    ProbeReport as ProbeReport,
)
from .settings import (
    ProbeSettings as ProbeSettings,
    default_training as default_training,
)
