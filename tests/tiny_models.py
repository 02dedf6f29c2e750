"""A throw-away Llama of a few thousand parameters and its tokenizer."""

from __future__ import annotations


def byte_tokenizer():
    """A byte-level tokenizer of 260 tokens: the bytes, an end, a pad, and two or four spaces as one."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {text: place for place, text in enumerate([*alphabet, "<end>", "<pad>", "ĠĠ", "ĠĠĠĠ"])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[("Ġ", "Ġ"), ("ĠĠ", "ĠĠ")]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<end>", pad_token="<pad>", clean_up_tokenization_spaces=False
    )


def tiny_llama(*, vocab_size: int = 260, tied: bool = False, seed: int = 0):
    """One layer, width 16, two heads of which one has keys."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=vocab_size,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=64,
        tie_word_embeddings=tied,
        bos_token_id=None,
        eos_token_id=256,
        pad_token_id=257,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaForCausalLM(config).eval()


def alternating_llama():
    """A model that writes ``<pad>`` and ``b`` in turns, whatever it has read, with its tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = byte_tokenizer()
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=260, hidden_size=4, intermediate_size=4, num_hidden_layers=1, num_attention_heads=1,
            max_position_embeddings=64, tie_word_embeddings=False, bos_token_id=None, eos_token_id=256,
            pad_token_id=257,
        )
    ).eval()  # fmt: skip
    pad, letter = tokenizer.pad_token_id, tokenizer("b")["input_ids"][0]
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.fill_(1.0 if "norm" in name else 0.0)
        model.model.embed_tokens.weight[:, 0] = 1
        model.model.embed_tokens.weight[pad] = torch.tensor([0.0, 1.0, 0.0, 0.0])
        model.lm_head.weight[pad, 0] = 1
        model.lm_head.weight[letter, 1] = 1
    return model, tokenizer
