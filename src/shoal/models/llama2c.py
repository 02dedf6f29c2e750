"""A llama2.c checkpoint (karpathy/llama2.c, ``export.py``, version 0): seven int32 and then float32 weights.

llama2.c turns neighbouring numbers of a query or key by one angle; ``LlamaForCausalLM`` turns number i with number
i + head size / 2. The rows of the query and key projections are put in that order, so that the scores stay the same
(Su et al. 2021, RoFormer, equation 34, up to the order of coordinates).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from shoal.errors import CorruptModelError, ModelError
from shoal.models.checks import check_file
from shoal.models.sources import Source
from shoal.models.transformers_io import build_model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    import torch
    from transformers import LlamaConfig, PreTrainedModel, PreTrainedTokenizerFast

_HEADER = struct.Struct("<7i")
# The letters "ak42" as a number, with which llama2.c opens later versions.
_LATER_VERSIONS = 0x616B3432
# Not in the file: run.c has it in its code.
_NORM_EPSILON = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The seven numbers that open a checkpoint."""

    width: int
    hidden: int
    layers: int
    heads: int
    key_heads: int
    vocabulary: int
    """The number of tokens; negative in the file where the head is not tied to the embeddings."""

    context: int
    tied: bool

    @property
    def head_size(self) -> int:
        """The width of a head."""
        return self.width // self.heads

    def shapes(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """The names and shapes of the arrays in the order of the file; L layers stand in one array."""
        L, D, H, K = self.layers, self.width, self.hidden, self.key_heads * self.head_size
        yield "model.embed_tokens.weight", (self.vocabulary, D)
        yield "input_layernorm", (L, D)
        yield "self_attn.q_proj", (L, D, D)
        yield "self_attn.k_proj", (L, K, D)
        yield "self_attn.v_proj", (L, K, D)
        yield "self_attn.o_proj", (L, D, D)
        yield "post_attention_layernorm", (L, D)
        yield "mlp.gate_proj", (L, H, D)
        yield "mlp.down_proj", (L, D, H)
        yield "mlp.up_proj", (L, H, D)
        yield "model.norm.weight", (D,)
        # Tables of cosines and sines, which are computed today; they are skipped.
        yield "rotary", (2, self.context, self.head_size // 2)
        if not self.tied:
            yield "lm_head.weight", (self.vocabulary, D)


class Llama2cSource(Source):
    """A checkpoint and the tokenizer file beside it."""

    def __init__(self, path: Path, tokenizer: Path | None = None) -> None:
        self.path = path
        self.origin = str(path)
        self.header = read_header(path)
        self._tokenizer = tokenizer
        if tokenizer is not None:
            check_file(tokenizer)

    def config(self) -> LlamaConfig:
        """The sizes of the header; the ids 1 and 2 begin and end a text."""
        from transformers.models.llama.configuration_llama import LlamaConfig

        header = self.header
        return LlamaConfig(
            architectures=["LlamaForCausalLM"],
            vocab_size=header.vocabulary,
            hidden_size=header.width,
            intermediate_size=header.hidden,
            num_hidden_layers=header.layers,
            num_attention_heads=header.heads,
            num_key_value_heads=header.key_heads,
            max_position_embeddings=header.context,
            rms_norm_eps=_NORM_EPSILON,
            tie_word_embeddings=header.tied,
            bos_token_id=1,
            eos_token_id=2,
        )

    def tokenizer(self) -> PreTrainedTokenizerFast:
        """From the file that was named, else from the one beside the checkpoint."""
        from shoal.text import load_sentencepiece_tokenizer

        return load_sentencepiece_tokenizer(self._tokenizer or find_tokenizer(self.path))

    def model(self, dtype: torch.dtype) -> PreTrainedModel:
        """A ``LlamaForCausalLM``."""
        import torch

        weights = {name: torch.from_numpy(array) for name, array in read_weights(self.path, self.header).items()}
        return build_model(self.config(), weights, dtype, str(self.path))


def read_header(path: Path) -> Header:
    """Read the header and check the file's size against it.

    Raises:
        ModelError: there is no such file.
        UnsafeModelError: it is a pickle.
        CorruptModelError: it is no llama2.c checkpoint, or not a whole one.
    """
    check_file(path)
    with path.open("rb") as file:
        head = file.read(_HEADER.size)
    if len(head) < _HEADER.size:
        raise CorruptModelError(f"{path} has {len(head)} bytes; a llama2.c header alone has {_HEADER.size}")
    width, hidden, layers, heads, key_heads, vocabulary, context = _HEADER.unpack(head)
    if width == _LATER_VERSIONS:
        raise CorruptModelError(f"{path} is a llama2.c checkpoint of version 1 or 2; export it with version 0")
    header = Header(
        width=width,
        hidden=hidden,
        layers=layers,
        heads=heads,
        key_heads=key_heads,
        vocabulary=abs(vocabulary),
        context=context,
        tied=vocabulary > 0,
    )
    _check_header(header, path)
    return header


def read_weights(path: Path, header: Header) -> dict[str, np.ndarray]:
    """The weights by their names in ``LlamaForCausalLM``, float32.

    Args:
        path: the checkpoint.
        header: of that file, as `read_header` gives it.
    """
    import numpy as np

    weights: dict[str, np.ndarray] = {}
    flat = np.fromfile(path, dtype="<f4", offset=_HEADER.size)
    start = 0
    for name, shape in header.shapes():
        array = flat[start : start + prod(shape)].reshape(shape)
        start += prod(shape)
        if name.startswith(("model.", "lm_head.")):
            weights[name] = array
        elif name != "rotary":
            rows = {"self_attn.q_proj": header.heads, "self_attn.k_proj": header.key_heads}.get(name)
            for layer in range(header.layers):
                value = array[layer] if rows is None else _split_pairs(array[layer], rows)
                weights[f"model.layers.{layer}.{name}.weight"] = value
    return weights


def find_tokenizer(checkpoint: Path) -> Path:
    """The only SentencePiece ``*.model`` beside a checkpoint, else the only ``tok*.bin``.

    Raises:
        ModelError: there is none, or more than one.
    """
    for pattern in ("*.model", "tok*.bin"):
        found = sorted(checkpoint.parent.glob(pattern))
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(path.name for path in found)
            raise ModelError(f"{checkpoint} lies beside several tokenizers ({names}); name one with ?tokenizer=FILE")
    raise ModelError(f"{checkpoint} has no *.model or tok*.bin beside it; name its tokenizer with ?tokenizer=FILE")


def _split_pairs(weight_OD: np.ndarray, heads: int) -> np.ndarray:
    """Rows 0 2 4 ... 1 3 5 ... of each head."""
    outputs, width = weight_OD.shape
    paired = weight_OD.reshape(heads, outputs // heads // 2, 2, width)
    return paired.swapaxes(1, 2).reshape(outputs, width)


def _check_header(header: Header, path: Path) -> None:
    sizes = (header.width, header.hidden, header.layers, header.heads, header.key_heads, header.vocabulary)
    whole = min(*sizes, header.context) > 0 and header.width % (2 * header.heads) == 0
    if not whole or header.heads % header.key_heads:
        raise CorruptModelError(f"{path} opens with sizes that no llama2.c checkpoint has: {header}")
    expected = _HEADER.size + 4 * sum(prod(shape) for _, shape in header.shapes())
    size = path.stat().st_size
    if size != expected:
        raise CorruptModelError(
            f"{path} has {size} bytes; its header states {expected}, so it is cut short or another file"
        )
