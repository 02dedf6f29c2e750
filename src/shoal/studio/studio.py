"""What the pages of a studio share: its index, its processes, and what was drawn before."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shoal.errors import StoreError
from shoal.figures import framed_pages
from shoal.studio.frame import Assets, make_frame
from shoal.studio.item_files import ItemFiles
from shoal.studio.live_curves import LiveCurves
from shoal.studio.page_error import PageError
from shoal.studio.run_names import tree_signature
from shoal.wording import in_one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from shoal.studio.index import RunIndex
    from shoal.studio.settings import StudioSettings
    from shoal.studio.trainings import Trainings

# Pages with their drawings have up to a few megabytes each.
_MAX_DRAWN = 40


class DrawnPages:
    """Pages that were drawn before, by what they show and a signature of the files behind it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: OrderedDict[tuple[str, ...], tuple[object, str]] = OrderedDict()
        self._drawing: dict[tuple[str, ...], threading.Lock] = {}

    def get(self, key: tuple[str, ...], folder: Path, draw: Callable[[], str]) -> str:
        """A page as it was drawn last, or drawn again where a file has changed.

        Args:
            key: what it shows.
            folder: of the run that it shows.
            draw: draws it.
        """
        with self._lock:
            lock = self._drawing.setdefault(key, threading.Lock())
        # Of many who ask for one page at a time the first draws it, which takes a second or two.
        with lock:
            # Before drawing: a file that changes meanwhile makes the page stale, and not the signature too new.
            signature = tree_signature(folder)
            held = self._pages.get(key)
            if held is not None and held[0] == signature:
                return held[1]
            page = draw()
            with self._lock:
                self._pages[key] = (signature, page)
                self._pages.move_to_end(key)
                while len(self._pages) > _MAX_DRAWN:
                    gone, _ = self._pages.popitem(last=False)
                    self._drawing.pop(gone, None)
            return page


@dataclass(frozen=True, slots=True, kw_only=True)
class Studio:
    """Everything that a page is made from."""

    settings: StudioSettings
    index: RunIndex
    trainings: Trainings
    form_secret: str
    """What every form that changes something holds."""

    live: LiveCurves = field(default_factory=LiveCurves)
    items: ItemFiles = field(default_factory=ItemFiles)
    assets: Assets = field(default_factory=Assets)
    drawn: DrawnPages = field(default_factory=DrawnPages)

    @contextmanager
    def page(self, place: str = "") -> Iterator[None]:
        """Within it documents are drawn as pages of the studio, and damaged files become a clear page.

        Args:
            place: the entry of the navigation that the page belongs to.
        """
        try:
            with framed_pages(make_frame(self.settings, self.assets, place)):
                yield
        except StoreError as error:
            raise PageError(422, in_one_line(error)) from error
        except OSError as error:
            raise PageError(
                404, f"a file is gone or cannot be read: {in_one_line(error)}; load the page again"
            ) from error
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            # Records of another version, or written by hand: they lack what a page shows, or have it in another form.
            message = f"the records of this run are not of this version of shoal ({type(error).__name__}: {error})"
            raise PageError(422, f"{in_one_line(message)}; open the run with the version that wrote it") from error

    def check_writable(self) -> None:
        """Raise where the studio may change nothing.

        Raises:
            PageError: it is read only.
        """
        if self.settings.read_only:
            raise PageError(403, "this studio is read only; start it without --read-only to start, stop or resume runs")
