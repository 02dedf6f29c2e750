"""Data sets of the Hugging Face hub: what a name says, which revision it stands for, and its rows as a stream."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import MissingExtraError, UnavailableError, UsageError
from shoal.files import digest_of_files
from shoal.wording import in_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

HUB = "hub:"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_NAME = re.compile(r"(?P<set>[^@:]+)(?:@(?P<revision>[^@:]+))?(?::(?P<split>[^@:]+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSet:
    """A data set of the hub, or a folder that holds one."""

    name: str
    revision: str | None = None
    """A branch, tag or commit; None for the newest."""

    split: str = "train"

    @property
    def folder(self) -> Path | None:
        """The folder, where the name is one."""
        folder = Path(self.name)
        return folder if folder.is_dir() else None

    def __str__(self) -> str:
        """As it is written."""
        return f"{HUB}{self.name}{f'@{self.revision}' if self.revision else ''}:{self.split}"


def parse_hub(source: str) -> HubSet:
    """The data set that ``hub:org/name[@revision][:split]`` names.

    Raises:
        UsageError: it is not of that form.
    """
    found = _NAME.fullmatch(source.removeprefix(HUB))
    if found is None:
        raise UsageError(f"{source!r} names no data set of the hub; give {HUB}org/name[@revision][:split]")
    return HubSet(name=found["set"], revision=found["revision"], split=found["split"] or "train")


def pin(wanted: HubSet) -> HubSet:
    """The same data set with the commit that its revision stands for now; that of a folder is a digest of its files.

    Raises:
        UsageError: the hub has no such data set or revision.
        MissingExtraError: the hub's client is not installed.
        UnavailableError: the hub cannot be reached.
    """
    if wanted.folder is not None:
        return replace(wanted, revision=digest_of_files(wanted.folder))
    # A whole commit means itself; the hub need not be reached.
    if wanted.revision is not None and _COMMIT.fullmatch(wanted.revision):
        return wanted
    return replace(wanted, revision=_commit(wanted))


def read_hub_rows(wanted: HubSet) -> Iterator[Any]:
    """The rows of a data set, streamed.

    Raises:
        MissingExtraError: the ``datasets`` package is not installed.
        UnavailableError: the hub cannot be reached, or has no such data set.
    """
    try:
        import datasets
    except ImportError as error:
        raise MissingExtraError("hub", "reading a data set of the hub") from error
    revision = None if wanted.folder is not None else wanted.revision  # of a folder it is our digest, no commit
    try:
        rows = datasets.load_dataset(wanted.name, revision=revision, split=wanted.split, streaming=True)
    except Exception as error:
        raise _unavailable(wanted, error) from error
    yield from rows


def _commit(wanted: HubSet) -> str:
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError, RevisionNotFoundError
    except ImportError as error:
        raise MissingExtraError("hub", "reading a data set of the hub") from error
    try:
        return str(HfApi().dataset_info(wanted.name, revision=wanted.revision).sha)
    except (HFValidationError, RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise UsageError(
            f"the hub has no data set {wanted}, or it is private ({in_one_line(error, limit=160)})"
        ) from error
    except Exception as error:  # httpx, requests and the hub's client each have exceptions of their own for no network
        raise _unavailable(wanted, error) from error


def _unavailable(wanted: HubSet, error: Exception) -> UnavailableError:
    reason = in_one_line(error, limit=160)
    return UnavailableError(
        f"cannot read the hub data set {wanted.name!r} ({reason}); check its name, its split and the network, "
        "or download it and give the file"
    )
