from .digest import weight_digest as weight_digest
from .load import (
    load_model as load_model,
    load_tokenizer as load_tokenizer,
)
from .loaded import LoadedModel as LoadedModel
from .reader import (
    Reader as Reader,
    load_reader as load_reader,
)
from .save import (
    check_saving as check_saving,
    save_model as save_model,
)
from .spec import (
    ModelSpec as ModelSpec,
    parse_spec as parse_spec,
)
