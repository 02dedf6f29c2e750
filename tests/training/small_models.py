"""Throw-away models of a few thousand parameters, a tokenizer of bytes, and batches of random documents."""

from __future__ import annotations

import numpy as np
import torch

from shoal.training.batches import Batch, Document

VOCABULARY = 260
CONTEXT = 400


def byte_tokenizer():
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {text: place for place, text in enumerate([*alphabet, "<end>", "<pad>"])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<end>", pad_token="<pad>", clean_up_tokenization_spaces=False
    )


def llama(*, seed=0, keys=2, tied=True, **more):
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=keys,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=tied,
        **more,
    )
    return _with_odd_gains(LlamaForCausalLM, config, seed)


def gpt2(*, seed=0, dropout=0.0):
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=VOCABULARY,
        n_embd=32,
        n_layer=2,
        n_head=2,
        n_positions=CONTEXT,
        resid_pdrop=dropout,
        embd_pdrop=dropout,
        attn_pdrop=dropout,
    )
    return _with_odd_gains(GPT2LMHeadModel, config, seed)


def gpt_neo(*, seed=0):
    from transformers import GPTNeoConfig, GPTNeoForCausalLM

    config = GPTNeoConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        num_layers=2,
        num_heads=2,
        attention_types=[[["global", "local"], 1]],
        window_size=8,
        max_position_embeddings=CONTEXT,
        attention_dropout=0.0,
        embed_dropout=0.0,
        resid_dropout=0.0,
    )
    return _with_odd_gains(GPTNeoForCausalLM, config, seed)


def _with_odd_gains(kind, config, seed):
    """Gains of 1 and biases of 0 would hide a gradient that forgets them."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = kind(config).eval()
        with torch.no_grad():
            for weight in model.parameters():
                if weight.ndim == 1:
                    weight.add_(0.2 * torch.randn_like(weight))
    return model


def random_batch(lengths, *, seed=0):
    """Documents of these many tokens, a random part of each to be predicted."""
    rng = np.random.default_rng(seed)
    documents = [Document(rng.integers(0, 256, length), int(rng.integers(1, length))) for length in lengths]
    return Batch(tuple(documents), "a random batch")


def own_loss(model, batch, *, label_smoothing=0.0):
    """The mean loss by the model's own forward, a document at a time, differentiable."""
    total = 0.0
    for document in batch.documents:
        ids = torch.from_numpy(document.ids)
        logits = model(input_ids=ids[None, :-1], use_cache=False).logits[0, document.boundary - 1 :]
        total = total + torch.nn.functional.cross_entropy(
            logits, ids[document.boundary :], reduction="sum", label_smoothing=label_smoothing
        )
    return total / batch.targets
