from .base import (
    INDIFFERENT_SETTINGS as INDIFFERENT_SETTINGS,
    FastModel as FastModel,
    fast_class as fast_class,
    wrap as wrap,
)
from .kv_cache import (
    KeyValues as KeyValues,
    KVCache as KVCache,
    PrefixCache as PrefixCache,
    StoredStates as StoredStates,
)
from .run_groups import TreeRun as TreeRun
from .tree_states import TreeStates as TreeStates
