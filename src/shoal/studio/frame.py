"""What stands around every page of the studio, and the scripts and styles that it gives."""

from __future__ import annotations

import hashlib
import threading
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures import PageFrame, templates, text_of

if TYPE_CHECKING:
    from shoal.studio.settings import StudioSettings

ROOM = "shoal.studio"
PLACES = (("runs", "Runs", "/runs"), ("start", "Start", "/start"), ("playground", "Playground", "/playground"),
          ("data", "Data", "/data"))  # fmt: skip
_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
_OWN = ("studio.css", "studio.js")
_MAX_SCRIPTS = 200


class Assets:
    """Scripts and styles by a name that holds the digest of their text, so that browsers may keep them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._texts: dict[str, str] = {}
        self.style, self.script = (self.add(text_of(ROOM, name), name.rpartition(".")[2]) for name in _OWN)

    def add(self, text: str, kind: str) -> str:
        """The address under which a text can be had.

        Args:
            text: of a script or a style sheet.
            kind: ``js`` or ``css``.
        """
        # By its content: a new version of shoal gives a new address, so that no cached script meets a newer page.
        name = f"{hashlib.sha256(text.encode()).hexdigest()[:24]}.{kind}"
        with self._lock:
            # Pages have a handful of scripts of their own; the bound holds should one ever be made from data.
            if len(self._texts) < _MAX_SCRIPTS:
                self._texts.setdefault(name, text)
        return f"/assets/{name}"

    def find(self, name: str) -> tuple[str, str] | None:
        """The text of a name and its media type; None where there is none."""
        text = self._texts.get(name)
        return None if text is None else (text, _TYPES[name.rpartition(".")[2]])


def make_frame(settings: StudioSettings, assets: Assets, place: str) -> PageFrame:
    """The frame of a page.

    Args:
        settings: of the studio.
        assets: its scripts and styles.
        place: which entry of the navigation the page belongs to; empty for none.
    """
    head = Markup(
        '<link rel="stylesheet" href="{}">\n<link rel="icon" href="data:,">\n<script src="{}" defer></script>'
    )
    return PageFrame(
        navigation=_navigation(place, read_only=settings.read_only),
        footer=f"shoal studio over {settings.folder}{', read only' if settings.read_only else ''}.",
        head=head.format(assets.style, assets.script),
        script_address=lambda script: assets.add(script, "js"),
    )


@cache
def _navigation(place: str, *, read_only: bool) -> Markup:
    places = [entry for entry in PLACES if not (read_only and entry[0] == "start")]
    return Markup(templates(ROOM).get_template("navigation.html.j2").render(places=places, current=place))
