from .attribution import (
    Attribution as Attribution,
    direct_attribution as direct_attribution,
)
from .lens import (
    LensReading as LensReading,
    lens_readings as lens_readings,
)
from .tuned_lens import (
    TunedLens as TunedLens,
    train_tuned_lens as train_tuned_lens,
)
from .unembedding import (
    Unembedding as Unembedding,
    find_unembedding as find_unembedding,
    linearize_norm as linearize_norm,
    surprisal as surprisal,
)
