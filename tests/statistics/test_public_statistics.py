"""The room's public names are functions and classes, never the modules that hold them."""

from __future__ import annotations

from types import ModuleType

import shoal.statistics


def test_every_public_name_is_what_it_says() -> None:
    for name in shoal.statistics.__all__:
        assert not isinstance(getattr(shoal.statistics, name), ModuleType), name
