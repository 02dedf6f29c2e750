from .curves import (
    CurveLine as CurveLine,
    curve_chart as curve_chart,
)
from .dot_whisker import (
    DotRow as DotRow,
    dot_chart as dot_chart,
    effect_chart as effect_chart,
)
from .effects import (
    EffectRow as EffectRow,
    effects_chart as effects_chart,
)
from .hyperparameter_plot import (
    HyperparameterPoint as HyperparameterPoint,
    hyperparameter_chart as hyperparameter_chart,
)
from .inspection_blocks import (
    BarRow as BarRow,
    HeadPattern as HeadPattern,
    LensCell as LensCell,
    TokenBox as TokenBox,
    TokenMeasure as TokenMeasure,
    bar_style as bar_style,
    bar_table as bar_table,
    head_data as head_data,
    head_grid as head_grid,
    head_script as head_script,
    head_style as head_style,
    lens_script as lens_script,
    lens_style as lens_style,
    lens_table as lens_table,
    links_that_fit as links_that_fit,
    token_data as token_data,
    token_script as token_script,
    token_style as token_style,
    token_view as token_view,
    visible as visible,
)
from .item_grid import (
    ITEM_STATES as ITEM_STATES,
    GridItem as GridItem,
    ItemState as ItemState,
    item_grid_svg as item_grid_svg,
    item_key_svg as item_key_svg,
)
from .loss_gap import (
    LossPair as LossPair,
    loss_gap_chart as loss_gap_chart,
)
from .page import (
    PageContent as PageContent,
    PageFrame as PageFrame,
    Section as Section,
    css_variables as css_variables,
    document as document,
    figure as figure,
    framed_pages as framed_pages,
    page as page,
    table as table,
    templates as templates,
    text_of as text_of,
)
from .scaling import (
    ScalingLine as ScalingLine,
    scaling_chart as scaling_chart,
)
from .scatter import (
    ScatterPoint as ScatterPoint,
    scatter_svg as scatter_svg,
)
from .stream import (
    MAX_POINTS as MAX_POINTS,
    StreamMark as StreamMark,
    StreamPiece as StreamPiece,
    stream_chart as stream_chart,
)
from .theme import (
    responsive as responsive,
    series_colour as series_colour,
    series_shape as series_shape,
    to_png as to_png,
    to_svg as to_svg,
)
