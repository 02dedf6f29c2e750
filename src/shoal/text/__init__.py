"""Text: sentences, tokenizers trained and chosen, encoding, stems and lemmas, word vectors."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
