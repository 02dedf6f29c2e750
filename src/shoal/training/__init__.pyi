from .crew import (
    Crew as Crew,
)
from .crew import (
    crew_of_processes as crew_of_processes,
)
from .documents import (
    PackedDocuments as PackedDocuments,
)
from .documents import (
    Portion as Portion,
)
from .settings import (
    CurvePoint as CurvePoint,
)
from .settings import (
    TrainResult as TrainResult,
)
from .settings import (
    TrainSettings as TrainSettings,
)
from .tokenfile import (
    TokenFile as TokenFile,
)
from .tokenfile import (
    open_token_file as open_token_file,
)
from .tokenfile import (
    tokens_in_memory as tokens_in_memory,
)
from .tokenfile import (
    write_token_file as write_token_file,
)
from .tuning import (
    pretrain as pretrain,
)
from .tuning import (
    pretrain_documents as pretrain_documents,
)
from .tuning import (
    train as train,
)
