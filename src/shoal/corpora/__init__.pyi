from .ascending import (
    check_never_counts_up as check_never_counts_up,
)
from .ascending import (
    find_ascending_run as find_ascending_run,
)
from .cleaning import (
    clean_text as clean_text,
)
from .cleaning import (
    drop_counting as drop_counting,
)
from .contamination import (
    Contamination as Contamination,
)
from .contamination import (
    find_contamination as find_contamination,
)
from .datacard import (
    DataCard as DataCard,
)
from .datacard import (
    describe_corpus as describe_corpus,
)
from .duplicates import (
    Duplicate as Duplicate,
)
from .duplicates import (
    DuplicateFinder as DuplicateFinder,
)
from .duplicates import (
    find_duplicates as find_duplicates,
)
from .duplicates import (
    find_pairs as find_pairs,
)
from .generate import (
    generate_stories as generate_stories,
)
from .generate import (
    story_names as story_names,
)
from .layout import lay_out as lay_out
from .loading import read_documents as read_documents
from .readers import (
    read_easiest_books as read_easiest_books,
)
from .readers import (
    read_stories as read_stories,
)
from .readers import (
    read_zipped_stories as read_zipped_stories,
)
from .repair import (
    Cleaning as Cleaning,
)
from .repair import (
    find_language as find_language,
)
from .repair import (
    repair_text as repair_text,
)
from .repair import (
    strip_boilerplate as strip_boilerplate,
)
from .writing import write_documents as write_documents
