from .input import (
    DIFFERENT as DIFFERENT,
    Stream as Stream,
    as_stream as as_stream,
    joined as joined,
)
from .listing import (
    distance as distance,
    list_estimator as list_estimator,
)
from .points import (
    change_points as change_points,
    known_number as known_number,
    single_change_point as single_change_point,
)
from .preparing import prepared as prepared
from .result import (
    Change as Change,
    Changes as Changes,
    Moved as Moved,
)
from .settings import check_settings as check_settings
from .telling import (
    headline as headline,
    label_of as label_of,
    pieces_of as pieces_of,
    pieces_table as pieces_table,
    said_of as said_of,
    table_of as table_of,
)
