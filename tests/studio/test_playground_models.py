"""The models that the playground holds are those that lie on the disk."""

from __future__ import annotations

from pathlib import Path

from chat_models import save_chat_model
from shoal.studio.playground_models import HeldModels


def test_a_model_is_read_again_where_its_files_have_changed(tmp_path: Path) -> None:
    folder = save_chat_model(tmp_path / "model")
    with HeldModels() as held:
        first = held.get(str(folder))
        assert held.get(str(folder)) is first
        (folder / "model.safetensors").touch()
        second = held.get(str(folder))
        assert second is not first
        assert held.get(str(folder)) is second
