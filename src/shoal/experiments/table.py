"""What every table of a file of settings is made of."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=60)]
"""A name that may stand in a path."""

Count = Annotated[int, Field(ge=1)]
Whole = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(gt=0, lt=1)]
ShareOrZero = Annotated[float, Field(ge=0, lt=1)]
"""A share that may be 0."""

Confidence = Annotated[float, Field(ge=0.5, lt=1)]
"""Of intervals: below one half whoever gives it means the level of a test."""

Positive = Annotated[float, Field(gt=0, lt=math.inf)]
NotNegative = Annotated[float, Field(ge=0, lt=math.inf)]


class Table(BaseModel):
    """A table of the file: frozen, without coercion, and with no key but those named."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
