from .enumeration import Limits as Limits
from .library import ProgramLibrary as ProgramLibrary, build_library as build_library
from .program import Program as Program, ProgramShortcut as ProgramShortcut
from .result import (
    FoundProgram as FoundProgram,
    SearchResult as SearchResult,
    ShowingItem as ShowingItem,
)
from .search import search_programs as search_programs
