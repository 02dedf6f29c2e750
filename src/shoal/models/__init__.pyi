from .build import (
    GptNeoShape as GptNeoShape,
    LlamaShape as LlamaShape,
    build_gpt_neo as build_gpt_neo,
    build_llama as build_llama,
)
from .caching import cache_use as cache_use
from .decoding import decode_greedily as decode_greedily
from .digest import weight_digest as weight_digest
from .factorization import (
    FactoredModel as FactoredModel,
    factor_model as factor_model,
)
from .lengths import (
    ALL_AGREE as ALL_AGREE,
    Lengths as Lengths,
    stated_lengths as stated_lengths,
)
from .lm_head import LMHead as LMHead
from .load import (
    find_device as find_device,
    load_model as load_model,
    load_tokenizer as load_tokenizer,
)
from .loaded import LoadedModel as LoadedModel
from .probing import (
    context_of as context_of,
    forget as forget,
    hooks_present as hooks_present,
    logits_of_all as logits_of_all,
    same_numbers as same_numbers,
    spread_ids as spread_ids,
)
from .random_weights import shuffle_weights as shuffle_weights
from .reader import (
    ScoringModel as ScoringModel,
    load_for_scoring as load_for_scoring,
)
from .sampling import sample_continuations as sample_continuations
from .save import (
    check_saving as check_saving,
    save_model as save_model,
)
from .sentence_vectors import SentenceEncoder as SentenceEncoder
from .spec import (
    ModelSpec as ModelSpec,
    bundled_folder as bundled_folder,
    bundled_names as bundled_names,
    parse_spec as parse_spec,
)
