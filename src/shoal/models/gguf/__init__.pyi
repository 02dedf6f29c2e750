from .architectures import writable_model_types as writable_model_types
from .convert import read_gguf as read_gguf
from .source import (
    GgufSource as GgufSource,
    check_gguf as check_gguf,
    converted_folder as converted_folder,
)
from .vocabulary import GgufVocabulary as GgufVocabulary
from .write import (
    GGUF_TYPES as GGUF_TYPES,
    write_gguf as write_gguf,
)
