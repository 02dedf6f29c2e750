"""The models of the playground: which there are, and those that are held in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.studio.page_error import PageError
from shoal.studio.run_names import tree_signature

if TYPE_CHECKING:
    from shoal.models import LoadedModel, ModelSpec
    from shoal.studio.queries import Query
    from shoal.studio.studio import Studio

# Less than the guard's limit of a request, so that the reason is given and no bare timeout.
_WAIT_SECONDS = 60.0
# To go back and forth between a model and its fine-tuned version; each may take a gigabyte.
_MAX_LOADED = 2
_MAX_TRAINED = 200


class HeldModels:
    """The last two models that were used; one text is worked on at a time."""

    def __init__(self) -> None:
        self._loaded: OrderedDict[str, tuple[object, LoadedModel]] = OrderedDict()
        self._turn = threading.Lock()

    def __enter__(self) -> HeldModels:
        # One at a time: hooks are attached to the model itself, and torch uses all cores for one text already.
        if not self._turn.acquire(timeout=_WAIT_SECONDS):
            raise PageError(503, "the models are busy with other texts; try again in a moment")
        return self

    def __exit__(self, *_: object) -> None:
        self._turn.release()

    def get(self, spec: str) -> LoadedModel:
        """A model, read where it is not held as it is now."""
        from shoal.models import load_model, parse_spec

        # The files may be others than when they were read: a model is pretrained again, or further.
        stamp = _stamp(parse_spec(spec))
        if spec not in self._loaded or self._loaded[spec][0] != stamp:
            self._loaded.pop(spec, None)
            loaded = load_model(spec, device="auto")
            loaded.model.eval()
            self._loaded[spec] = stamp, loaded
        self._loaded.move_to_end(spec)
        while len(self._loaded) > _MAX_LOADED:
            self._loaded.popitem(last=False)
        return self._loaded[spec][1]


MODELS = HeldModels()


def _stamp(spec: ModelSpec) -> object:
    """What changes with the files of a model that lies here; None of others, which stay as they are."""
    named = spec.inner or spec
    path = Path(named.name).expanduser()
    if named.kind in ("bundled", "hub", "dummy") or not path.exists():
        return None
    if path.is_dir():
        return tree_signature(path)
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def model_specs(studio: Studio) -> tuple[str, ...]:
    """The models of the playground: those that come with shoal, those of the settings, and those pretrained here."""
    from shoal.models import bundled_names

    bundled = tuple(f"bundled:{name}" for name in bundled_names())
    folder = studio.settings.folder
    trained = sorted(
        path.parent
        for pattern in ("*/model/config.json", "*/*/model/config.json")
        for path in folder.glob(pattern)
        if not any(part.is_symlink() for part in (path, *path.parents) if part != folder and folder in part.parents)
    )
    return (*bundled, *studio.settings.models, *(str(path) for path in trained[:_MAX_TRAINED]))


def model_options(studio: Studio) -> list[tuple[str, str]]:
    """The models as a form has them: spec and text."""
    folder = f"{studio.settings.folder}/"
    return [(spec, spec.replace(folder, "")) for spec in model_specs(studio)]


def chosen_model(studio: Studio, form: Query) -> str:
    """The model of a form.

    Raises:
        PageError: the playground does not have it.
    """
    models = model_specs(studio)
    chosen = form.choice("model", models)
    if not chosen:
        raise PageError(404, f"the playground has the models {', '.join(models)}; choose one of them")
    return chosen
