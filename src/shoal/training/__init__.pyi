from .adapters import (
    load_adapters as load_adapters,
    merge_adapters as merge_adapters,
    save_adapters as save_adapters,
)
from .api import (
    TrainPlan as TrainPlan,
    plan_training as plan_training,
    pretrain as pretrain,
    pretrain_documents as pretrain_documents,
    train as train,
)
from .batches import (
    Batch as Batch,
    BatchSource as BatchSource,
    Document as Document,
)
from .boosting import (
    MAX_WEIGHT as MAX_WEIGHT,
    Boosted as Boosted,
    TokenWeights as TokenWeights,
    samme as samme,
    token_weights as token_weights,
)
from .companions import check_monitoring as check_monitoring
from .distillation import Teacher as Teacher
from .distributed import (
    ProcessGroup as ProcessGroup,
    current_process_group as current_process_group,
    join_process_group as join_process_group,
)
from .documents import (
    CorpusShare as CorpusShare,
    DocumentOrder as DocumentOrder,
    DocumentSource as DocumentSource,
    cut_pieces as cut_pieces,
)
from .early_stopping import EarlyStopping as EarlyStopping
from .flat_parameters import FlatParameters as FlatParameters
from .gradients import Dtype as Dtype
from .held_out import (
    HeldOutCurve as HeldOutCurve,
    HeldOutPoint as HeldOutPoint,
    MonitoredDocuments as MonitoredDocuments,
    held_out_curve_from as held_out_curve_from,
)
from .loop import (
    Callbacks as Callbacks,
    run_training as run_training,
)
from .monitoring import (
    Monitoring as Monitoring,
    evaluation_steps as evaluation_steps,
)
from .optimizers import (
    default_beta2 as default_beta2,
    optimizer_names as optimizer_names,
)
from .overfitting import (
    OverfittingOnset as OverfittingOnset,
    find_overfitting as find_overfitting,
)
from .preparation import (
    choose_gradient as choose_gradient,
    measure_precision as measure_precision,
)
from .proximal import add_elastic_net as add_elastic_net
from .resampling import bootstrap_counts as bootstrap_counts
from .settings import (
    RANGES as RANGES,
    ChangesActsOn as ChangesActsOn,
    CurvePoint as CurvePoint,
    Precision as Precision,
    Schedule as Schedule,
    TrainedParameters as TrainedParameters,
    TrainResult as TrainResult,
    TrainSettings as TrainSettings,
)
from .token_file import (
    TokenFile as TokenFile,
    open_token_file as open_token_file,
    tokens_in_memory as tokens_in_memory,
    write_token_file as write_token_file,
)
