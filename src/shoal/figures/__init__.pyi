from .bars import (
    bar_style as bar_style,
    bar_table as bar_table,
)
from .curves import (
    CurveLine as CurveLine,
    curve_chart as curve_chart,
)
from .dots import (
    DotRow as DotRow,
    dot_chart as dot_chart,
)
from .effect import effect_chart as effect_chart
from .heads import (
    HeadPattern as HeadPattern,
    head_data as head_data,
    head_grid as head_grid,
    head_script as head_script,
    head_style as head_style,
    links_that_fit as links_that_fit,
)
from .lens import (
    LensCell as LensCell,
    lens_script as lens_script,
    lens_style as lens_style,
    lens_table as lens_table,
)
from .page import (
    figure as figure,
    page as page,
    table as table,
    templates as templates,
    text_of as text_of,
)
from .render import (
    to_png as to_png,
    to_svg as to_svg,
)
from .scaling import (
    ScalingLine as ScalingLine,
    scaling_chart as scaling_chart,
)
from .scatter import (
    ScatterPoint as ScatterPoint,
    scatter_svg as scatter_svg,
)
from .settings import (
    SettingPoint as SettingPoint,
    setting_chart as setting_chart,
)
from .stream import (
    STRETCHES as STRETCHES,
    StreamMark as StreamMark,
    StreamPiece as StreamPiece,
    stream_chart as stream_chart,
)
from .strips import (
    WORDS as WORDS,
    Cell as Cell,
    State as State,
    key_svg as key_svg,
    strip_svg as strip_svg,
)
from .textview import (
    ViewedBoundary as ViewedBoundary,
    ViewedSegment as ViewedSegment,
    ViewedSentence as ViewedSentence,
    text_view as text_view,
)
from .theme import (
    css_variables as css_variables,
    series_colour as series_colour,
    series_shape as series_shape,
)
from .tokens import (
    Measure as Measure,
    TokenBox as TokenBox,
    token_data as token_data,
    token_script as token_script,
    token_style as token_style,
    token_view as token_view,
    visible as visible,
)
