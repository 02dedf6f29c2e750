from .choosing import (
    VocabularyChoice as VocabularyChoice,
)
from .choosing import (
    choose_vocabulary as choose_vocabulary,
)
from .encoding import encode_pairs as encode_pairs
from .training import (
    save_tokenizer as save_tokenizer,
)
from .training import (
    train_tokenizer as train_tokenizer,
)
