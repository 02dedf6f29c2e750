from .attribution import (
    Explanation as Explanation,
    ItemExplanation as ItemExplanation,
    TrainingsExplanation as TrainingsExplanation,
    explain as explain,
    explain_trainings as explain_trainings,
)
from .changes import (
    Change as Change,
    Changes as Changes,
    change_points as change_points,
    known_number as known_number,
    single_change_point as single_change_point,
)
from .corpora import (
    Contamination as Contamination,
    DataCard as DataCard,
    Duplicate as Duplicate,
    clean_text as clean_text,
    describe_corpus as describe_corpus,
    find_contamination as find_contamination,
    find_duplicates as find_duplicates,
    read_documents as read_documents,
)
from .corpora.grammar import (
    Story as Story,
    tell_stories as tell_stories,
)
from .curation import (
    CurationCard as CurationCard,
    curate as curate,
)
from .curation.augmentation import (
    Augmentation as Augmentation,
    augment as augment,
)
from .evaluation import (
    Certificate as Certificate,
    ItemScore as ItemScore,
    Scores as Scores,
    TextScores as TextScores,
    certify as certify,
    evaluate as evaluate,
    evaluate_by_generation as evaluate_by_generation,
    score_texts as score_texts,
)
from .evaluation.benchmarks import (
    BenchmarkResults as BenchmarkResults,
    evaluate_benchmarks as evaluate_benchmarks,
)
from .evaluation.judging import (
    JudgeCertificate as JudgeCertificate,
    certify_judge as certify_judge,
)
from .evaluation.perplexity import (
    PerplexityComparison as PerplexityComparison,
    PerplexityReport as PerplexityReport,
    compare_perplexities as compare_perplexities,
    perplexity as perplexity,
)
from .evaluation.sharding import (
    MergeResult as MergeResult,
    ShardPlan as ShardPlan,
    ShardResult as ShardResult,
    merge_shards as merge_shards,
    open_plan as open_plan,
)
from .evaluation.stories import (
    StoryRating as StoryRating,
    rate_model as rate_model,
)
from .experiments import (
    Comparison as Comparison,
    Experiment as Experiment,
    FoldChoices as FoldChoices,
    Installation as Installation,
    PretrainResult as PretrainResult,
    Recipe as Recipe,
    SelfTest as SelfTest,
    Verdict as Verdict,
    compare_runs as compare_runs,
    cross_validate_tuning as cross_validate_tuning,
    inspect_installation as inspect_installation,
    load_experiment as load_experiment,
    load_recipe as load_recipe,
    pretrain_run as pretrain_run,
    run_experiment as run_experiment,
    run_self_test as run_self_test,
    run_shards as run_shards,
)
from .experiments.corpus_comparison import (
    CorpusComparison as CorpusComparison,
    compare_corpora as compare_corpora,
    load_corpus_comparison as load_corpus_comparison,
)
from .experiments.exploration import (
    Exploration as Exploration,
    PredictionOutcome as PredictionOutcome,
    open_exploration as open_exploration,
    write_exploration as write_exploration,
)
from .experiments.overfitting import (
    OverfitResult as OverfitResult,
    load_overfit as load_overfit,
    run_overfit as run_overfit,
)
from .experiments.sweeps import (
    SweepResult as SweepResult,
    load_sweep as load_sweep,
    run_sweep as run_sweep,
)
from .insight import (
    AnalysisOptions as AnalysisOptions,
    Inspection as Inspection,
    TextQuery as TextQuery,
    TokenCounts as TokenCounts,
    TokenizationDiff as TokenizationDiff,
    TokenReading as TokenReading,
    compare_tokenizations as compare_tokenizations,
    count_tokens as count_tokens,
    inspect_text as inspect_text,
    read_tokens as read_tokens,
)
from .insight.layers import (
    AttentionReport as AttentionReport,
    LayerRow as LayerRow,
    compare_attention as compare_attention,
    layer_table as layer_table,
)
from .insight.vectors import (
    DimensionReport as DimensionReport,
    VectorReport as VectorReport,
    WordMap as WordMap,
    describe_vectors as describe_vectors,
    find_dimension as find_dimension,
    map_words as map_words,
)
from .insight.words import (
    WordCounts as WordCounts,
    WordTable as WordTable,
    words as words,
)
from .models import (
    LoadedModel as LoadedModel,
    load_model as load_model,
    load_tokenizer as load_tokenizer,
    save_model as save_model,
)
from .reports import (
    write_report as write_report,
)
from .safety import (
    RefusalRating as RefusalRating,
    rate_refusals as rate_refusals,
)
from .segmentation import (
    Cut as Cut,
    Segmentation as Segmentation,
    segment as segment,
)
from .serving import (
    ChatAnswer as ChatAnswer,
    Generations as Generations,
    GenerationSettings as GenerationSettings,
    chat as chat,
    generate as generate,
    load_for_generation as load_for_generation,
)
from .serving.export import (
    ModelExport as ModelExport,
    export_model as export_model,
)
from .serving.server import serve as serve
from .statistics import (
    CrossValidation as CrossValidation,
    PowerPlan as PowerPlan,
    plan_power as plan_power,
)
from .studio import (
    StudioSettings as StudioSettings,
    make_settings as make_settings,
    serve_studio as serve_studio,
)
from .tasks import (
    Example as Example,
    NarrownessReport as NarrownessReport,
    Task as Task,
    make_task as make_task,
    narrowness as narrowness,
    read_rows as read_rows,
    task_from_rows as task_from_rows,
    write_rows as write_rows,
)
from .text import (
    VocabularyChoice as VocabularyChoice,
    choose_vocabulary as choose_vocabulary,
    train_tokenizer as train_tokenizer,
)
from .text.vectors import (
    SimilarityScore as SimilarityScore,
    WordVectors as WordVectors,
    judge_similarity as judge_similarity,
    nearest_words as nearest_words,
    solve_analogy as solve_analogy,
)
from .training import (
    TrainPlan as TrainPlan,
    TrainResult as TrainResult,
    TrainSettings as TrainSettings,
    plan_training as plan_training,
    train as train,
)
from .training.watch import (
    LogEvents as LogEvents,
    Watch as Watch,
    WatchEvent as WatchEvent,
    find_training_logs as find_training_logs,
    watch_log as watch_log,
)

__version__: str
