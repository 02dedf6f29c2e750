"""A model spec: one string that names a model.

```
org/name@revision        the hub; a name alone too (gpt2), where no folder, dummy or bundled model has it
path/to/folder           config.json, *.safetensors and a tokenizer, as transformers writes them
path/to/model.gguf       a GGUF file; gguf:FILE where the name does not end so
path/to/model.bin        a llama2.c checkpoint; ?tokenizer=FILE where the tokenizer does not lie beside it
bundled:stories          what shoal brings with it, as bundled:searches
ensemble:FOLDER          several models as one mixture; a folder with ensemble.json alone too
random:SPEC              the same architecture and tokenizer, fresh weights
oracle?p=0.3             a dummy of known scores
```
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shoal.errors import UnknownNameError, UsageError
from shoal.wording import in_one_line

BUNDLED = Path(__file__).parent / "bundled"
"""The folder of the models that come with shoal."""

Kind = Literal["hub", "folder", "gguf", "llama2c", "bundled", "ensemble", "random", "dummy"]

Options = tuple[tuple[str, str], ...]

_PREFIXES: dict[str, Kind] = {"gguf": "gguf", "bundled": "bundled", "ensemble": "ensemble", "random": "random"}
_SUFFIXES: dict[str, Kind] = {".gguf": "gguf", ".bin": "llama2c"}
_OPTIONS: dict[Kind, tuple[str, ...]] = {"llama2c": ("tokenizer",)}
_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)
_FORMS = (
    "org/name",
    "gpt2",
    "./folder",
    "./model.gguf",
    "./model.bin",
    "bundled:NAME",
    "ensemble:FOLDER",
    "random:SPEC",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """A parsed model spec."""

    text: str
    """As it was given."""

    kind: Kind

    name: str
    """What the kind loads: a hub id, a path, the name of a bundled model or a dummy, or the spec inside ``random:``."""

    revision: str | None = None
    """The branch, tag or commit of a hub id; None is the newest."""

    options: Options = ()
    """The (key, value) pairs that stood behind the question mark."""

    inner: ModelSpec | None = None
    """What ``random:`` takes the architecture and the tokenizer from."""

    def __str__(self) -> str:
        return self.text


def parse_spec(text: str) -> ModelSpec:
    """Parse a model spec. No model is opened; of the disk it is only seen whether ``a/b`` or ``gpt2`` is a folder here.

    Raises:
        UnknownNameError: a kind, a dummy or an option that does not exist; the message names the nearest one.
        UsageError: an empty spec, or a part of it is missing.
    """
    given = text.strip()
    prefix, colon, rest = given.partition(":")
    if colon and prefix in _PREFIXES:
        return _parse_prefixed(given, _PREFIXES[prefix], rest)
    # Two letters at least: one is a drive of Windows.
    if colon and re.fullmatch(r"[a-z0-9]{2,}", prefix):
        raise UnknownNameError("kind of model", prefix, _PREFIXES)
    return _parse_bare(given)


def _parse_prefixed(given: str, kind: Kind, rest: str) -> ModelSpec:
    if kind == "random":
        inner = parse_spec(rest)
        if inner.kind in ("random", "dummy", "ensemble"):
            raise UsageError(f"{given!r} has no architecture to draw fresh weights for; random: takes a model's spec")
        return ModelSpec(text=given, kind=kind, name=rest, inner=inner)
    name, options = _split_options(given, rest, kind)
    return ModelSpec(text=given, kind=kind, name=name, options=options)


def _parse_bare(given: str) -> ModelSpec:
    name = given.partition("?")[0]
    path = _path(given, name)
    kind = _SUFFIXES.get(path.suffix.lower())
    if kind is None:
        kind = _kind_by_form(given, name, path)
    name, options = _split_options(given, given, kind)
    if kind == "dummy":
        _check_dummy(name, options)
    if kind != "hub":
        return ModelSpec(text=given, kind=kind, name=name, options=options)
    name, at, revision = name.partition("@")
    if at and not revision:
        raise UsageError(f"{given!r} names no revision behind '@'; expected a branch, a tag or a commit")
    return ModelSpec(text=given, kind=kind, name=name, revision=revision or None, options=options)


def _path(given: str, name: str) -> Path:
    """A name as a path, which need not exist."""
    try:
        path = Path(name).expanduser()
        path.exists()
    # There is no such user, the name is too long, or a folder may not be looked into.
    except (RuntimeError, OSError) as error:
        raise UsageError(
            f"the model spec {given[:80]!r} cannot be looked up: {in_one_line(error, limit=80)}"
        ) from error
    return path


def _kind_by_form(given: str, name: str, path: Path) -> Kind:
    """What a spec without prefix and suffix means: what is here, a dummy, else the form of the name."""
    from shoal.models.dummies import dummy_names

    # A folder first: what lies here is nearer than what is known by the same name.
    if path.is_dir():
        return "ensemble" if (path / "ensemble.json").is_file() else "folder"
    if "?" in given or name in dummy_names():
        return "dummy"
    if _HUB_ID.fullmatch(name.partition("@")[0]) and not name.startswith(".") and not _is_file(path):
        return "hub"
    if path.exists() or "/" in name or name.startswith(("~", ".")):
        return "folder"
    return "dummy"


def _is_file(path: Path) -> bool:
    """Whether a file here is meant, and not a name of the hub: ``weights.safetensors``, but not a file ``gpt2``."""
    return path.is_file() and (bool(path.suffix) or len(path.parts) > 1)


def _check_dummy(name: str, options: Options) -> None:
    """Raise for a name that is no dummy's, and for an option that the dummy does not take."""
    from shoal.models.dummies import dummy_names
    from shoal.models.dummies.base import dummy_by_name

    if name not in dummy_names():
        known = [*dummy_names(), *(f"bundled:{bundled}" for bundled in bundled_names())]
        raise UnknownNameError("model (no path, no hub id such as org/name or gpt2, no dummy)", name, known)
    dummy_by_name(name, dict(options))


def _split_options(given: str, rest: str, kind: Kind) -> tuple[str, Options]:
    """The name, and the options behind the question mark."""
    name, _, query = rest.partition("?")
    if not name:
        raise UsageError(f"the model spec {given!r} names no model; expected one of {', '.join(_FORMS)}")
    options = tuple((key, value) for key, _, value in (part.partition("=") for part in query.split("&") if part))
    if kind != "dummy":
        _check_options(given, name, options, _OPTIONS.get(kind, ()))
    return name, options


def _check_options(given: str, name: str, options: Options, known: tuple[str, ...]) -> None:
    """Raise for an option that the kind does not take, or that has no value."""
    for key, value in options:
        if not known:
            raise UsageError(f"the model spec {given!r} has the option {key!r}, but {name!r} takes none")
        if key not in known:
            raise UnknownNameError(f"option of {name!r}", key, known)
        if not value:
            raise UsageError(f"the option {key!r} of the model spec {given!r} has no value; expected {key}=VALUE")


def bundled_names() -> list[str]:
    """The names that may follow ``bundled:``."""
    if not BUNDLED.is_dir():
        return []
    return sorted(path.name for path in BUNDLED.iterdir() if (path / "config.json").is_file())


def bundled_folder(name: str) -> Path:
    """The folder of a bundled model.

    Raises:
        UnknownNameError: there is none of that name.
    """
    names = bundled_names()
    if name not in names:
        raise UnknownNameError("bundled model", name, names)
    return BUNDLED / name
