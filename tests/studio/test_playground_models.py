"""The models that the playground holds are those that lie on the disk."""

from __future__ import annotations

import shutil
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


def test_a_model_in_one_file_is_read_again_where_it_has_changed(tmp_path: Path, data_folder: Path) -> None:
    for name in ("stories260K.bin", "tok512.model"):
        shutil.copy(data_folder / "stories260K" / name, tmp_path)
    path = tmp_path / "stories260K.bin"
    with HeldModels() as held:
        first = held.get(str(path))
        assert held.get(str(path)) is first
        path.touch()
        assert held.get(str(path)) is not first
