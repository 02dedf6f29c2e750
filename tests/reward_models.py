"""Throw-away sequence-classification models: a small Llama over bytes with one output, two, or more."""

from __future__ import annotations

from architectures import tiny_model
from chat_models import VOCABULARY, chat_tokenizer


def save_reward_model(folder, *, names=("LABEL_0",), template=True, max_tokens=512):
    """Write such a model to a folder as `transformers` does, and give the folder."""
    import torch
    from transformers import LlamaForSequenceClassification

    config = tiny_model("Llama", vocab_size=VOCABULARY).config
    config.update({"pad_token_id": 257, "max_position_embeddings": max_tokens, "num_labels": len(names)})
    config.id2label = dict(enumerate(names))
    config.label2id = {name: place for place, name in enumerate(names)}
    torch.manual_seed(0)
    LlamaForSequenceClassification(config).save_pretrained(folder)
    chat_tokenizer(template=template).save_pretrained(folder)
    return folder
