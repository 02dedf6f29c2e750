"""Every error that shoal raises on purpose.

```
ShoalError
├── UsageError              a value that a person gave cannot be used
│   ├── UnknownNameError    a name that is not in a registry; names the nearest one
│   └── ExperimentFileError a TOML file that is broken or has a wrong key
├── DataError               rows or text that cannot be used
│   ├── BoundaryError       one token covers the end of the prompt and the start of the completion
│   └── TooLongError        an example does not fit into the model's context
├── ModelError              a model that cannot be loaded or used
│   ├── UnavailableError    a hub id that is neither cached nor reachable
│   ├── UnsafeModelError    a pickle, or a model that brings code of its own
│   └── CorruptModelError   a checkpoint that is cut short or not what it says
├── CertificationError      an evaluator failed its certificate, so its scores are not used
├── TrainingError           training met a loss that is not a number
├── StoreError              a run folder cannot be read or written (disk full, other experiment)
├── WorkerError             a worker process of a run died in the middle of its work
├── SandboxError            a program cannot be confined on this machine, so that it is not run
├── EndpointError           a model server that is gone, too slow, or answers nothing usable
└── MissingExtraError       an optional part of shoal is not installed
```

A message says what was given, what was expected and what to do, in one line. The command line prints that line
and ends with exit code 2.
"""

from __future__ import annotations

import copyreg
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


class ShoalError(Exception):
    """The root of the tree: a fault with a one-line message for a person."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Let it travel to another process, also where a class is made from more than its message."""
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class UsageError(ShoalError):
    """A value that a person gave cannot be used."""


class UnknownNameError(UsageError):
    """A name that is not known; the message names the nearest one."""

    def __init__(self, kind: str, given: str, known: Iterable[str]) -> None:
        import difflib  # a fault may cost the time, every start may not

        names = sorted(known)
        near = difflib.get_close_matches(given, names, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"
        super().__init__(f"unknown {kind} {given!r}; {hint}")
        self.kind = kind
        self.given = given


class ExperimentFileError(UsageError):
    """An experiment or settings file that is broken or has a wrong key."""


class DataError(ShoalError):
    """Rows or text that cannot be used."""


class BoundaryError(DataError):
    """One token covers the end of the prompt and the start of the completion."""


class TooLongError(DataError):
    """An example does not fit into the model's context."""


class ModelError(ShoalError):
    """A model that cannot be loaded or used."""


class UnavailableError(ModelError):
    """A hub id that is neither cached nor reachable."""


class UnsafeModelError(ModelError):
    """A pickle, or a model that brings code of its own."""


class CorruptModelError(ModelError):
    """A checkpoint that is cut short or is not what it says."""


class CertificationError(ShoalError):
    """An evaluator failed its certificate."""


class TrainingError(ShoalError):
    """Training met a loss or a gradient that is not a number."""


class StoreError(ShoalError):
    """A run folder cannot be read or written."""


class WorkerError(ShoalError):
    """A worker process of a run died in the middle of its work."""


class SandboxError(ShoalError):
    """A program cannot be confined on this machine, or the sandbox failed."""


class EndpointError(ShoalError):
    """A model server that is gone, too slow, or answers nothing usable."""


class MissingExtraError(ShoalError):
    """An optional part of shoal is not installed."""

    def __init__(self, extra: str, what: str) -> None:
        super().__init__(f"{what} needs an optional part of shoal; install it with: pip install 'shoal[{extra}]'")
        self.extra = extra
