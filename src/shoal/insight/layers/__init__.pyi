from .attention import (
    AttentionReport as AttentionReport,
    compare_attention as compare_attention,
)
from .greedy import (
    GreedyChange as GreedyChange,
    greedy_changes as greedy_changes,
)
from .kinds import (
    KINDS as KINDS,
    Size as Size,
    build_layer as build_layer,
)
from .precision import (
    Format as Format,
    measure_formats as measure_formats,
)
from .sweeps import (
    Ranges as Ranges,
    Sweep as Sweep,
    sweep_layers as sweep_layers,
)
from .table import (
    LayerRow as LayerRow,
    layer_table as layer_table,
)
