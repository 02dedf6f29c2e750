from .augmenter import (
    Augmenter as Augmenter,
    AugmenterSpec as AugmenterSpec,
    TextAugmenter as TextAugmenter,
    known_augmenters as known_augmenters,
    make_augmenter as make_augmenter,
)
from .corpus import CorpusAugmentation as CorpusAugmentation
from .examples import (
    augment as augment,
    augment_examples as augment_examples,
)
from .result import (
    Augmentation as Augmentation,
    MethodCount as MethodCount,
)
