from .example import (
    Example as Example,
)
from .example import (
    Tag as Tag,
)
from .narrowing import (
    Narrowness as Narrowness,
)
from .narrowing import (
    narrowness as narrowness,
)
from .narrowing import (
    narrowness_text as narrowness_text,
)
from .own import task_from_rows as task_from_rows
from .registry import make_task as make_task
from .rows import (
    read_rows as read_rows,
)
from .rows import (
    to_dataset as to_dataset,
)
from .rows import (
    write_rows as write_rows,
)
from .splits import (
    Splitter as Splitter,
)
from .splits import (
    make_split as make_split,
)
from .task import (
    Rule as Rule,
)
from .task import (
    Shortcut as Shortcut,
)
from .task import (
    Split as Split,
)
from .task import (
    Task as Task,
)
