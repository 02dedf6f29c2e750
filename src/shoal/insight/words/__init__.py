"""The words of a text side by side: tokens, stems, lemmas, parts of speech, frequencies."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
