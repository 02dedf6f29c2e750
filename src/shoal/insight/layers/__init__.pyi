from .attention import (
    AttentionCost as AttentionCost,
    AttentionReport as AttentionReport,
    compare_attention as compare_attention,
)
from .layer_kinds import (
    KINDS as KINDS,
    LayerKind as LayerKind,
    Size as Size,
    Theory as Theory,
    build_layer as build_layer,
)
from .number_formats import (
    NumberFormat as NumberFormat,
    measure_formats as measure_formats,
)
from .precision_drift import (
    PrecisionDrift as PrecisionDrift,
    measure_precision_drift as measure_precision_drift,
)
from .table import (
    LayerRow as LayerRow,
    LayerSweep as LayerSweep,
    Ranges as Ranges,
    layer_table as layer_table,
    layers_frame as layers_frame,
    sweep_layers as sweep_layers,
)
