"""GGUF files: every key and every tensor of one is used, is known to change nothing, or is an error that names it."""

from shoal.models.gguf.source import GgufSource, check_gguf, converted_folder

__all__ = ["GgufSource", "check_gguf", "converted_folder"]
