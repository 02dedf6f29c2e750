"""A throw-away chat model: a small Llama over bytes, with a chat template in the style of ChatML."""

from __future__ import annotations

from architectures import tiny_model
from tiny_models import byte_tokenizer

TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['content'] == 'refuse' %}{{ raise_exception('no such message') }}{% endif %}"
    "<start>{{ message['role'] }}\n{{ message['content'] }}<stop>\n"
    "{% endfor %}{% if add_generation_prompt %}<start>assistant\n{% endif %}"
)
VOCABULARY = 264


def chat_tokenizer(*, template: bool = True):
    """Bytes, an end token, and two control tokens that begin and end a turn."""
    tokenizer = byte_tokenizer()
    tokenizer.add_special_tokens({"additional_special_tokens": ["<start>", "<stop>"]})
    if template:
        tokenizer.chat_template = TEMPLATE
    return tokenizer


def chat_model(architecture: str = "Llama", *, seed: int = 0):
    """A model that says many different things."""
    return tiny_model(architecture, vocab_size=VOCABULARY, seed=seed)


def save_chat_model(folder, *, template: bool = True):
    """Write such a model to a folder as `transformers` does, and give the folder."""
    model = chat_model()
    model.config.update({"eos_token_id": 256, "pad_token_id": 257})
    model.generation_config.update(eos_token_id=256, pad_token_id=257)
    model.save_pretrained(folder)
    chat_tokenizer(template=template).save_pretrained(folder)
    return folder
