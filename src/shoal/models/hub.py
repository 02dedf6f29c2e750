"""A model on the Hugging Face hub: downloaded where there is a network, else taken from the cache."""

from __future__ import annotations

import difflib
from pathlib import Path

from shoal.errors import ModelError, UnavailableError
from shoal.models.spec import bundled_names
from shoal.wording import in_one_line

_WANTED = ("*.json", "*.safetensors", "*.txt", "tokenizer.model", "spiece.model")


def hub_folder(name: str, revision: str | None) -> Path:
    """The cached folder of a hub id; its name is the commit.

    Only configuration, tokenizer and safetensors files are fetched.

    Raises:
        UnavailableError: it is neither cached nor reachable, or needs a login.
        ModelError: the hub has no such model or revision, or the cache cannot be written.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=list(_WANTED)))
    except GatedRepoError as error:
        raise UnavailableError(
            f"{name} asks for a login; accept its terms on the hub, then run: hf auth login"
        ) from error
    except RevisionNotFoundError as error:
        raise ModelError(f"the hub has no revision {revision!r} of {name}; give a branch, a tag or a commit") from error
    except RepositoryNotFoundError as error:
        raise ModelError(
            f"the hub has no model {name!r}, or it is private; see its name, or run: hf auth login{_also_meant(name)}"
        ) from error
    except HFValidationError as error:
        raise ModelError(f"{name!r} cannot be a hub id: {in_one_line(error)}") from error
    except (LocalEntryNotFoundError, HfHubHTTPError) as error:
        raise UnavailableError(_unavailable(name, revision)) from error
    except OSError as error:
        raise ModelError(f"{name} cannot be written to the hub's cache: {in_one_line(error)}") from error


def _unavailable(name: str, revision: str | None) -> str:
    label, option = (f"{name}@{revision}", f" --revision {revision}") if revision else (name, "")
    return (
        f"{label} is not in the cache and the hub cannot be reached; run: hf download {name}{option} "
        f"where there is a network, or give a folder that holds the model{_also_meant(name)}"
    )


def _also_meant(name: str) -> str:
    """Of a name without an owner: that nothing here has it, and the nearest of what shoal brings with it."""
    if "/" in name:
        return ""
    from shoal.models.dummies import dummy_names

    known = {bundled: f"bundled:{bundled}" for bundled in bundled_names()} | {dummy: dummy for dummy in dummy_names()}
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f" (there is no folder {name} here" + (f"; or did you mean {known[near[0]]}?)" if near else ")")
