"""One throw-away chat model for all tests of the room."""

from __future__ import annotations

import pytest

from chat_models import save_chat_model


@pytest.fixture(scope="session")
def chat_folder(tmp_path_factory):
    """A folder that holds a small chat model."""
    return save_chat_model(tmp_path_factory.mktemp("chat") / "model")


@pytest.fixture(scope="session")
def live(chat_folder):
    """The model, ready to generate."""
    from shoal.serving import load_for_generation

    return load_for_generation(str(chat_folder), rows=4)
