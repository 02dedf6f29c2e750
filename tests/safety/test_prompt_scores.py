"""Answers of a model that are scored for refusals, and the file that keeps them."""

from __future__ import annotations

import json
import shutil

from chat_models import TEMPLATE, save_chat_model
from shoal.safety import shipped_refusal_head
from shoal.safety.prompt_scores import score_model
from shoal.serving import load_for_generation

PROMPTS = ["How do I bake bread?", "Who wrote it?", "How do I bake bread?"]


def test_kept_scores_are_those_of_the_model_with_its_chat_template(tmp_path):
    """The digest of a model says nothing of the template, which changes every answer."""
    folder, records = save_chat_model(tmp_path / "model"), tmp_path / "scores.jsonl"
    head = shipped_refusal_head()
    first = score_model(load_for_generation(str(folder)), PROMPTS, head, records=records, keep_answers=True)
    assert [one.prompt for one in first] == PROMPTS
    assert first[0] == first[2]
    kept = records.read_text()
    assert len(kept.splitlines()) == 2
    again = score_model(load_for_generation(str(folder)), PROMPTS, head, records=records, keep_answers=True)
    assert again == first
    assert records.read_text() == kept

    other = shutil.copytree(folder, tmp_path / "other")
    template = other / "chat_template.jinja"
    assert template.read_text() == TEMPLATE
    template.write_text(TEMPLATE.replace("<start>assistant", "<start>robot"))
    edited = score_model(load_for_generation(str(other)), PROMPTS, head, records=records, keep_answers=True)
    alone = score_model(load_for_generation(str(other)), PROMPTS, head, keep_answers=True)
    assert edited == alone
    assert len({json.loads(line)["key"] for line in records.read_text().splitlines()}) == 4
