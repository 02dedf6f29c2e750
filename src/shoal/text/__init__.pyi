from .choosing import (
    VocabularyChoice as VocabularyChoice,
    choose_vocabulary as choose_vocabulary,
)
from .encoding import encode_pairs as encode_pairs
from .training import (
    save_tokenizer as save_tokenizer,
    train_tokenizer as train_tokenizer,
)
