from .coverage import (
    check_coverage as check_coverage,
    lost_character_finder as lost_character_finder,
)
from .encoding import (
    EncodedPair as EncodedPair,
    control_tokens as control_tokens,
    decode_continuation as decode_continuation,
    describe_policy as describe_policy,
    encode_pairs as encode_pairs,
    end_token_id as end_token_id,
    opening_ids as opening_ids,
    plain_ids as plain_ids,
    plain_spans as plain_spans,
)
from .letters import COMBINING_MARKS as COMBINING_MARKS, LETTER_RUN as LETTER_RUN
from .plain_tokenizer import (
    PlainTokenizer as PlainTokenizer,
    read_plain_tokenizer as read_plain_tokenizer,
)
from .sentencepiece_model import (
    PieceVocabulary as PieceVocabulary,
    Role as Role,
    VocabularyPiece as VocabularyPiece,
    build_tokenizer as build_tokenizer,
    load_sentencepiece_tokenizer as load_sentencepiece_tokenizer,
)
from .sentences import (
    find_language as find_language,
    known_languages as known_languages,
    rank_languages as rank_languages,
    sentence_spans as sentence_spans,
    split_sentences as split_sentences,
)
from .tagging import (
    TAGGED_LANGUAGES as TAGGED_LANGUAGES,
    TaggedWord as TaggedWord,
    load_hanta as load_hanta,
    tag_alone as tag_alone,
    tag_sentence as tag_sentence,
)
from .training import (
    save_tokenizer as save_tokenizer,
    train_tokenizer as train_tokenizer,
)
from .typos import misspell as misspell
from .vocabulary_size import (
    VocabularyChoice as VocabularyChoice,
    choose_vocabulary as choose_vocabulary,
)
from .word_forms import (
    lemma_languages as lemma_languages,
    lemmatize as lemmatize,
    lemmatize_all as lemmatize_all,
    stem as stem,
    stem_all as stem_all,
)
