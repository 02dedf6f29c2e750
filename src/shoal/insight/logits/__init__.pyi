from .attribution import (
    Attribution as Attribution,
    direct_attribution as direct_attribution,
    linearize_norm as linearize_norm,
)
from .lens import (
    LensReading as LensReading,
    Unembedding as Unembedding,
    find_unembedding as find_unembedding,
    lens_readings as lens_readings,
    surprisal as surprisal,
)
from .tuned_lens import (
    TunedLens as TunedLens,
    train_tuned_lens as train_tuned_lens,
)
