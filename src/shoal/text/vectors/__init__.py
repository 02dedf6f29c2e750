"""Word vectors: a corpus as numbers, GloVe, Word2Vec and FastText, files, and judging by similarity and analogies."""

from shoal.text.vectors.analogies import Analogies, AnalogyScore, judge_analogies, read_analogies
from shoal.text.vectors.cooccurrence import count_cooccurrences
from shoal.text.vectors.corpus import WordCorpus, build_corpus, read_sentences, split_words
from shoal.text.vectors.files import read_vector_file, write_vector_file
from shoal.text.vectors.gensim_models import GensimSettings, train_gensim
from shoal.text.vectors.glove import GloveSettings, fit_glove, train_glove
from shoal.text.vectors.similarity import SimilarityScore, WordPairs, judge_similarity, read_pairs
from shoal.text.vectors.wordvectors import WordVectors

__all__ = [
    "Analogies",
    "AnalogyScore",
    "GensimSettings",
    "GloveSettings",
    "SimilarityScore",
    "WordCorpus",
    "WordPairs",
    "WordVectors",
    "build_corpus",
    "count_cooccurrences",
    "fit_glove",
    "judge_analogies",
    "judge_similarity",
    "read_analogies",
    "read_pairs",
    "read_sentences",
    "read_vector_file",
    "split_words",
    "train_gensim",
    "train_glove",
    "write_vector_file",
]
