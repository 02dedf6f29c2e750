from .choosing import (
    VocabularyChoice as VocabularyChoice,
    choose_vocabulary as choose_vocabulary,
)
from .encoding import encode_pairs as encode_pairs
from .sentences import (
    sentence_spans as sentence_spans,
    split_sentences as split_sentences,
)
from .training import (
    save_tokenizer as save_tokenizer,
    train_tokenizer as train_tokenizer,
)
