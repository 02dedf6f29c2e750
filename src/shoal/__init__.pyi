from .changes import (
    Change as Change,
)
from .changes import (
    Changes as Changes,
)
from .changes import (
    change_points as change_points,
)
from .changes import (
    known_number as known_number,
)
from .changes import (
    single_change_point as single_change_point,
)
from .corpora import (
    Contamination as Contamination,
)
from .corpora import (
    DataCard as DataCard,
)
from .corpora import (
    Duplicate as Duplicate,
)
from .corpora import (
    clean_text as clean_text,
)
from .corpora import (
    describe_corpus as describe_corpus,
)
from .corpora import (
    find_contamination as find_contamination,
)
from .corpora import (
    find_duplicates as find_duplicates,
)
from .corpora import (
    read_documents as read_documents,
)
from .corpora.grammar import (
    Story as Story,
)
from .corpora.grammar import (
    tell_stories as tell_stories,
)
from .evaluation import (
    Certificate as Certificate,
)
from .evaluation import (
    ItemScore as ItemScore,
)
from .evaluation import (
    Scores as Scores,
)
from .evaluation import (
    certify as certify,
)
from .evaluation import (
    evaluate as evaluate,
)
from .evaluation import (
    evaluate_by_generation as evaluate_by_generation,
)
from .evaluation.judging import (
    JudgeCertificate as JudgeCertificate,
)
from .evaluation.judging import (
    certify_judge as certify_judge,
)
from .evaluation.stories import (
    StoryRating as StoryRating,
)
from .evaluation.stories import (
    rate_model as rate_model,
)
from .experiments import (
    Comparison as Comparison,
)
from .experiments import (
    Experiment as Experiment,
)
from .experiments import (
    PretrainResult as PretrainResult,
)
from .experiments import (
    Recipe as Recipe,
)
from .experiments import (
    Verdict as Verdict,
)
from .experiments import (
    compare_runs as compare_runs,
)
from .experiments import (
    load_experiment as load_experiment,
)
from .experiments import (
    load_recipe as load_recipe,
)
from .experiments import (
    pretrain_run as pretrain_run,
)
from .experiments import (
    run_experiment as run_experiment,
)
from .experiments.sweeps import (
    SweepResult as SweepResult,
)
from .experiments.sweeps import (
    load_sweep as load_sweep,
)
from .experiments.sweeps import (
    run_sweep as run_sweep,
)
from .insight import (
    Inspection as Inspection,
)
from .insight import (
    Parting as Parting,
)
from .insight import (
    TokenCounts as TokenCounts,
)
from .insight import (
    TokenReading as TokenReading,
)
from .insight import (
    count_tokens as count_tokens,
)
from .insight import (
    inspect_text as inspect_text,
)
from .insight import (
    read_tokens as read_tokens,
)
from .insight import (
    where_they_part as where_they_part,
)
from .insight.layers import (
    AttentionReport as AttentionReport,
)
from .insight.layers import (
    LayerRow as LayerRow,
)
from .insight.layers import (
    compare_attention as compare_attention,
)
from .insight.layers import (
    layer_table as layer_table,
)
from .insight.vectors import (
    VectorReport as VectorReport,
)
from .insight.vectors import (
    describe_vectors as describe_vectors,
)
from .insight.vectors.dimension import (
    DimensionReport as DimensionReport,
)
from .insight.vectors.dimension import (
    find_dimension as find_dimension,
)
from .models import (
    LoadedModel as LoadedModel,
)
from .models import (
    load_model as load_model,
)
from .models import (
    load_tokenizer as load_tokenizer,
)
from .models import (
    save_model as save_model,
)
from .reports import (
    write_report as write_report,
)
from .reports import (
    write_sweep_report as write_sweep_report,
)
from .segmentation import (
    Cut as Cut,
)
from .segmentation import (
    Segmentation as Segmentation,
)
from .segmentation import (
    segment as segment,
)
from .statistics import (
    PowerPlan as PowerPlan,
)
from .statistics import (
    plan_power as plan_power,
)
from .tasks import (
    Example as Example,
)
from .tasks import (
    Narrowness as Narrowness,
)
from .tasks import (
    Task as Task,
)
from .tasks import (
    make_task as make_task,
)
from .tasks import (
    narrowness as narrowness,
)
from .tasks import (
    read_rows as read_rows,
)
from .tasks import (
    task_from_rows as task_from_rows,
)
from .tasks import (
    write_rows as write_rows,
)
from .text import (
    VocabularyChoice as VocabularyChoice,
)
from .text import (
    choose_vocabulary as choose_vocabulary,
)
from .text import (
    train_tokenizer as train_tokenizer,
)
from .text.vectors import (
    SimilarityScore as SimilarityScore,
)
from .text.vectors import (
    WordVectors as WordVectors,
)
from .text.vectors import (
    judge_similarity as judge_similarity,
)
from .training import (
    TrainResult as TrainResult,
)
from .training import (
    TrainSettings as TrainSettings,
)
from .training import (
    train as train,
)

__version__: str
