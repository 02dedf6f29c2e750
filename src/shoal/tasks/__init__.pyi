from .example import (
    Example as Example,
    Tag as Tag,
)
from .narrowing import (
    Narrowness as Narrowness,
    narrowness as narrowness,
    narrowness_text as narrowness_text,
)
from .own import task_from_rows as task_from_rows
from .parts import (
    Part as Part,
    rows_by_part as rows_by_part,
    rows_of_part as rows_of_part,
)
from .registry import make_task as make_task
from .rows import (
    END_TOKEN as END_TOKEN,
    read_rows as read_rows,
    to_dataset as to_dataset,
    write_rows as write_rows,
)
from .splits import (
    Splitter as Splitter,
    make_split as make_split,
)
from .task import (
    Rule as Rule,
    Shortcut as Shortcut,
    Split as Split,
    Task as Task,
)
