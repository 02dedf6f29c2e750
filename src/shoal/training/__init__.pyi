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
from .distributed import (
    ProcessGroup as ProcessGroup,
    current_process_group as current_process_group,
    join_process_group as join_process_group,
)
from .documents import (
    CorpusShare as CorpusShare,
    DocumentSource as DocumentSource,
    cut_pieces as cut_pieces,
)
from .flat_parameters import FlatParameters as FlatParameters
from .loop import (
    Callbacks as Callbacks,
    choose_gradient as choose_gradient,
    run_training as run_training,
)
from .optimizers import (
    default_beta2 as default_beta2,
    optimizer_names as optimizer_names,
)
from .precision import Dtype as Dtype
from .proximal import add_elastic_net as add_elastic_net
from .settings import (
    RANGES as RANGES,
    CurvePoint as CurvePoint,
    Precision as Precision,
    Schedule as Schedule,
    TrainResult as TrainResult,
    TrainSettings as TrainSettings,
)
from .token_file import (
    TokenFile as TokenFile,
    open_token_file as open_token_file,
    tokens_in_memory as tokens_in_memory,
    write_token_file as write_token_file,
)
