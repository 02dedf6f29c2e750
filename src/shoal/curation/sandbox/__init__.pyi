from .results import (
    FunctionTest as FunctionTest,
    Outcome as Outcome,
    ProgramResult as ProgramResult,
)
from .sandbox import (
    PROTECTIONS as PROTECTIONS,
    Sandbox as Sandbox,
    SandboxProgram as SandboxProgram,
)
