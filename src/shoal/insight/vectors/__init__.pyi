from .dimension import (
    DimensionReport as DimensionReport,
    find_dimension as find_dimension,
)
from .geometry import (
    Geometry as Geometry,
    iso_score as iso_score,
    measure_geometry as measure_geometry,
    partition_ratio as partition_ratio,
)
from .labelled import (
    Kind as Kind,
    PairTask as PairTask,
    VectorTask as VectorTask,
    read_labelled as read_labelled,
)
from .neighbours import (
    MEASURES as MEASURES,
    Agreement as Agreement,
    Neighbours as Neighbours,
    measure_agreement as measure_agreement,
    nearest_neighbours as nearest_neighbours,
)
from .own import own_vectors as own_vectors
from .projection import (
    Projection as Projection,
    project as project,
)
from .reading import (
    TokenVectors as TokenVectors,
    read_vectors as read_vectors,
)
from .report import (
    VectorReport as VectorReport,
    describe_vectors as describe_vectors,
)
