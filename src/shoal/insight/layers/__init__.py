"""What layers cost and reach: the table of layer types measured, attention in two ways, and number formats."""

from shoal.insight.layers.attention import AttentionReport, compare_attention
from shoal.insight.layers.greedy import GreedyChange, greedy_changes
from shoal.insight.layers.kinds import KINDS, Size, build_layer
from shoal.insight.layers.precision import Format, measure_formats
from shoal.insight.layers.sweeps import Ranges, Sweep, sweep_layers
from shoal.insight.layers.table import LayerRow, layer_table

__all__ = [
    "KINDS",
    "AttentionReport",
    "Format",
    "GreedyChange",
    "LayerRow",
    "Ranges",
    "Size",
    "Sweep",
    "build_layer",
    "compare_attention",
    "greedy_changes",
    "layer_table",
    "measure_formats",
    "sweep_layers",
]
