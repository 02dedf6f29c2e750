from .architectures import (
    ModelShape as ModelShape,
    architecture_names as architecture_names,
    build_model as build_model,
    find_architecture as find_architecture,
)
from .decoding import (
    can_continue as can_continue,
    decode_greedily as decode_greedily,
)
from .digests import (
    model_digest as model_digest,
    tensor_bytes as tensor_bytes,
    tokenizer_digest as tokenizer_digest,
    vocabulary_digest as vocabulary_digest,
)
from .ensemble import (
    EnsembleForCausalLM as EnsembleForCausalLM,
    Mixture as Mixture,
)
from .ensemble_folder import (
    EnsembleMember as EnsembleMember,
    save_ensemble as save_ensemble,
    write_ensemble as write_ensemble,
)
from .ensemble_sampling import sample_ensemble as sample_ensemble
from .factorization import (
    FactoredModel as FactoredModel,
    factor_model as factor_model,
)
from .fast.base import LMHead as LMHead
from .lengths import (
    ALL_AGREE as ALL_AGREE,
    Lengths as Lengths,
    stated_lengths as stated_lengths,
)
from .load import (
    LoadedModel as LoadedModel,
    ScoringModel as ScoringModel,
    find_device as find_device,
    load_for_scoring as load_for_scoring,
    load_model as load_model,
    load_tokenizer as load_tokenizer,
)
from .probe_texts import PROBE_TEXTS as PROBE_TEXTS
from .probing import (
    context_of as context_of,
    forget as forget,
    hooks_present as hooks_present,
    logits_of_all as logits_of_all,
    same_numbers as same_numbers,
    spread_ids as spread_ids,
)
from .sampling import sample_continuations as sample_continuations
from .sentence_vectors import SentenceEncoder as SentenceEncoder
from .sources import jitter_weights as jitter_weights, shuffle_weights as shuffle_weights
from .spec import (
    ModelSpec as ModelSpec,
    bundled_folder as bundled_folder,
    bundled_names as bundled_names,
    parse_spec as parse_spec,
)
from .transformers_io import (
    check_saving as check_saving,
    quiet as quiet,
    save_model as save_model,
)
