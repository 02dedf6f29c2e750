from .analogies import (
    Analogies as Analogies,
    AnalogyScore as AnalogyScore,
    judge_analogies as judge_analogies,
    read_analogies as read_analogies,
)
from .corpus import (
    WordCorpus as WordCorpus,
    build_corpus as build_corpus,
    read_sentences as read_sentences,
    sentences_of as sentences_of,
    split_words as split_words,
)
from .evaluation import (
    RankCorrelation as RankCorrelation,
    SimilarityScore as SimilarityScore,
    WordPairs as WordPairs,
    judge_similarity as judge_similarity,
    rank_correlation as rank_correlation,
    read_word_pairs as read_word_pairs,
)
from .gensim_models import (
    GensimSettings as GensimSettings,
    train_gensim as train_gensim,
)
from .glove import (
    GloveSettings as GloveSettings,
    count_cooccurrences as count_cooccurrences,
    fit_glove as fit_glove,
    train_glove as train_glove,
)
from .queries import (
    AnalogyAnswer as AnalogyAnswer,
    WordNeighbours as WordNeighbours,
    find_word as find_word,
    nearest_words as nearest_words,
    parse_analogy as parse_analogy,
    solve_analogy as solve_analogy,
)
from .wordvectors import (
    WordVectors as WordVectors,
    read_vector_file as read_vector_file,
    write_vector_file as write_vector_file,
)
