from .ascending import (
    check_never_counts_up as check_never_counts_up,
    find_ascending_run as find_ascending_run,
)
from .cleaning import (
    clean_text as clean_text,
    drop_counting as drop_counting,
)
from .contamination import (
    Contamination as Contamination,
    find_contamination as find_contamination,
)
from .datacard import (
    DataCard as DataCard,
    describe_corpus as describe_corpus,
)
from .duplicates import (
    Duplicate as Duplicate,
    DuplicateFinder as DuplicateFinder,
    find_duplicates as find_duplicates,
    find_pairs as find_pairs,
)
from .generate import (
    generate_stories as generate_stories,
    story_names as story_names,
)
from .hub import (
    HUB as HUB,
    parse_hub as parse_hub,
    pin as pin,
)
from .layout import lay_out as lay_out
from .loading import (
    holds_rows as holds_rows,
    read_documents as read_documents,
)
from .readers import (
    read_easiest_books as read_easiest_books,
    read_stories as read_stories,
    read_zipped_stories as read_zipped_stories,
)
from .repair import (
    Cleaning as Cleaning,
    find_language as find_language,
    repair_text as repair_text,
    strip_boilerplate as strip_boilerplate,
)
from .shingles import words_of as words_of
from .writing import (
    write_documents as write_documents,
    write_lines as write_lines,
    write_text as write_text,
)
