from .cleaning import (
    Cleaning as Cleaning,
    clean_text as clean_text,
    repair_text as repair_text,
    strip_boilerplate as strip_boilerplate,
)
from .contamination import (
    Contamination as Contamination,
    find_contamination as find_contamination,
)
from .counting_filter import (
    check_never_counts_up as check_never_counts_up,
    drop_counting as drop_counting,
    find_ascending_run as find_ascending_run,
)
from .datacard import (
    SAMPLE_WORDS as SAMPLE_WORDS,
    DataCard as DataCard,
    describe_corpus as describe_corpus,
    distinct_n as distinct_n,
)
from .documents import (
    check_documents_file as check_documents_file,
    estimate_documents as estimate_documents,
    read_document_rows as read_document_rows,
    read_documents as read_documents,
    write_documents as write_documents,
    write_lines as write_lines,
    write_text as write_text,
)
from .duplicates import (
    Duplicate as Duplicate,
    DuplicateFinder as DuplicateFinder,
    find_duplicates as find_duplicates,
    find_pairs as find_pairs,
)
from .hub import (
    HUB as HUB,
    HubSet as HubSet,
    parse_hub as parse_hub,
    pin as pin,
)
from .induction_stories import (
    generate_stories as generate_stories,
    story_names as story_names,
)
from .public_sets import (
    EKMAN as EKMAN,
    Labelled as Labelled,
    read_brown as read_brown,
    read_easiest_books as read_easiest_books,
    read_ekman as read_ekman,
    read_masc as read_masc,
    read_onestop as read_onestop,
    read_stories as read_stories,
    read_zipped_stories as read_zipped_stories,
)
from .shingles import (
    Shingler as Shingler,
    jaccard as jaccard,
    words_of as words_of,
)
from .windows import pack_windows as pack_windows
