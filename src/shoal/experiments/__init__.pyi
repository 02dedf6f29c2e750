from .compare import (
    Comparison as Comparison,
    Difference as Difference,
    FlippedItem as FlippedItem,
    compare_runs as compare_runs,
    flipped_items as flipped_items,
)
from .controls import (
    ControlCheck as ControlCheck,
    Evidence as Evidence,
)
from .environment import (
    Environment as Environment,
    available_cores as available_cores,
)
from .experiment import Experiment as Experiment
from .installation import (
    Installation as Installation,
    inspect_installation as inspect_installation,
)
from .judging import (
    judge as judge,
    summarize as summarize,
)
from .leaving_out import leave_out_of_run as leave_out_of_run
from .loading import (
    experiment_from as experiment_from,
    has_factors as has_factors,
    load_experiment as load_experiment,
    shipped_experiments as shipped_experiments,
)
from .measures import (
    MEASURES as MEASURES,
    Measure as Measure,
    MeasureName as MeasureName,
    register_measure as register_measure,
)
from .monitoring import monitor_examples as monitor_examples
from .pretraining import (
    PretrainResult as PretrainResult,
    Recipe as Recipe,
    load_recipe as load_recipe,
    pretrain_run as pretrain_run,
)
from .records import (
    SPLITS as SPLITS,
    STAGES as STAGES,
    ArmRecord as ArmRecord,
    ItemRecord as ItemRecord,
    SeedRecords as SeedRecords,
    TrialRecord as TrialRecord,
    read_items as read_items,
)
from .resuming import (
    RESUMED as RESUMED,
    resume_run as resume_run,
)
from .run_folder import Run as Run, open_run as open_run
from .run_progress import (
    RunProgress as RunProgress,
    is_file_locked as is_file_locked,
    is_locked as is_locked,
    run_progress as run_progress,
)
from .runner import run_experiment as run_experiment
from .searching import search_run as search_run
from .self_test import (
    SelfTest as SelfTest,
    run_self_test as run_self_test,
)
from .shard_pool import run_shards as run_shards
from .storage import (
    disk_faults as disk_faults,
    read_json_rows as read_json_rows,
    write_text as write_text,
)
from .tasks import unresolved_shortcuts as unresolved_shortcuts
from .tuning_folds import (
    FoldChoices as FoldChoices,
    cross_validate_tuning as cross_validate_tuning,
)
from .verdict import (
    Control as Control,
    Effect as Effect,
    Verdict as Verdict,
    decide as decide,
)
from .workers import side_by_side as side_by_side
