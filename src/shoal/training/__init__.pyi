from .batches import (
    Batch as Batch,
    Document as Document,
)
from .crew import (
    Crew as Crew,
    crew_of_processes as crew_of_processes,
    current_crew as current_crew,
)
from .documents import (
    CorpusShare as CorpusShare,
    DocumentSource as DocumentSource,
    cut_pieces as cut_pieces,
)
from .loop import (
    Watchers as Watchers,
    run_training as run_training,
)
from .plan import (
    TrainPlan as TrainPlan,
    plan_training as plan_training,
)
from .precision import Dtype as Dtype
from .settings import (
    CurvePoint as CurvePoint,
    Optimizer as Optimizer,
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
from .tuning import (
    pretrain as pretrain,
    pretrain_documents as pretrain_documents,
    train as train,
)
