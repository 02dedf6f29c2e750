from .custom import task_from_rows as task_from_rows
from .dataset import to_dataset as to_dataset
from .declared import with_shortcuts as with_shortcuts
from .folds import (
    example_folds as example_folds,
    example_groups as example_groups,
)
from .narrowing import (
    NarrownessReport as NarrownessReport,
    narrowness as narrowness,
)
from .parts import (
    Part as Part,
    rows_by_part as rows_by_part,
    rows_of_part as rows_of_part,
)
from .registry import (
    TaskEntry as TaskEntry,
    known_tasks as known_tasks,
    make_by_name as make_by_name,
    make_task as make_task,
    register_task as register_task,
)
from .rows import (
    END_TOKEN as END_TOKEN,
    read_rows as read_rows,
    row_to_example as row_to_example,
    write_rows as write_rows,
)
from .shortcuts import copies_a_neighbour as copies_a_neighbour
from .splits import (
    Splitter as Splitter,
    make_split as make_split,
)
from .taggers import (
    WORD_CLASSES as WORD_CLASSES,
    Tagger as Tagger,
    TaggerCheck as TaggerCheck,
    WordClass as WordClass,
    check_word_classes as check_word_classes,
    classes_of_examples as classes_of_examples,
)
from .task import (
    Divergence as Divergence,
    Draw as Draw,
    Example as Example,
    Rule as Rule,
    Shortcut as Shortcut,
    Split as Split,
    Tag as Tag,
    Task as Task,
    TaskMeasure as TaskMeasure,
    Variant as Variant,
    VariantKind as VariantKind,
    Variants as Variants,
    rule_answer as rule_answer,
    shortcut_answer as shortcut_answer,
)
from .task_check import (
    ShortcutAgreement as ShortcutAgreement,
    TaskCheck as TaskCheck,
    check_task as check_task,
)
