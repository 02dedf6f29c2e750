"""The story grammar: stories in a young child's words whose plot is known, so that it can be asked about.

A story is a list of *events* (`world`), each a kind and the values of its slots. `generate` draws words, features and a
plot; the functions of `plots` add the events of that plot, and the `realizer` writes each of them in one of the
sentence templates of `forms` (``forms.txt``) with the words of the `lexicon`. From the text alone the `parser` gets the
events back by the same forms; over events `features` finds what a story has, `questions` asks and answers, and `rows`
makes rows for a file.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
