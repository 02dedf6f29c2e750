from .dimension import (
    DimensionReport as DimensionReport,
    find_dimension as find_dimension,
)
from .geometry import (
    Geometry as Geometry,
    Projection as Projection,
    iso_score as iso_score,
    measure_geometry as measure_geometry,
    partition_ratio as partition_ratio,
    project as project,
    trustworthiness as trustworthiness,
)
from .model_embeddings import (
    TokenVectors as TokenVectors,
    embed_words as embed_words,
    read_vectors as read_vectors,
)
from .neighbours import (
    MEASURES as MEASURES,
    MeasureAgreement as MeasureAgreement,
    TokenNeighbours as TokenNeighbours,
    measure_agreement as measure_agreement,
    nearest_neighbours as nearest_neighbours,
)
from .report import (
    VectorReport as VectorReport,
    describe_vectors as describe_vectors,
)
from .vector_tasks import (
    Kind as Kind,
    LabelTask as LabelTask,
    PairTask as PairTask,
    VectorTask as VectorTask,
    read_label_task as read_label_task,
)
from .word_map import (
    WordMap as WordMap,
    map_words as map_words,
)
