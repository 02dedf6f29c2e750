"""The card of an exported model, ``README.md`` in its folder, as the hub shows it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shoal.wording import quoted

if TYPE_CHECKING:
    from shoal.serving.export.result import ModelExport

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?", re.ASCII)

_LIBRARIES = {"safetensors": "transformers", "gguf": "gguf", "onnx": "onnx"}
"""By format: the library that the hub names for it."""

_TOKENS_DIFFER = (
    "The source's tokenizer splits text by a rule that {format} has no name for; the nearest, `{rule}`, gives other "
    "tokens for these texts. Where that matters, give the model the ids of the tokenizer in this folder:"
)


def model_card(export: ModelExport, name: str, usage: str, *, is_hub_id: bool) -> str:
    """The card of an export.

    Args:
        export: what was written and measured.
        name: of the model.
        usage: how to run it, as Markdown.
        is_hub_id: whether the source is named by its id on the hub, which the card then links.
    """
    parts = [
        _front_matter(export, is_hub_id=is_hub_id),
        f"# {name}",
        _summary(export),
        "## How to run it",
        usage,
        "## What was verified",
        _verified(export),
        "## Files",
        _files(export),
    ]
    return "\n\n".join(parts) + "\n"


def _summary(export: ModelExport) -> str:
    return (
        f"A `{export.architecture}` of {export.parameters:,} parameters, exported by `shoal export` to {export.format} "
        f"in {export.dtype} from `{export.source}`. Its licence is that of its source."
    )


def _front_matter(export: ModelExport, *, is_hub_id: bool) -> str:
    """The YAML that the hub reads."""
    lines = [
        "---",
        f"library_name: {_LIBRARIES[export.format]}",
        "pipeline_tag: text-generation",
        "tags:",
        f"- {export.format}",
        "- shoal",
    ]
    # The hub rejects a card whose base model is no name of a repository, as a path or a spec of ours would be.
    if is_hub_id and _HUB_ID.fullmatch(export.source):
        lines += [f"base_model: {export.source.partition('@')[0]}"]
    return "\n".join([*lines, "---"])


def _verified(export: ModelExport) -> str:
    """What the comparison with the source found, as a table and lists."""
    found = export.verification
    equal = found.prompts - len(found.greedy_differences)
    tolerance = f"tolerance {found.tolerance:.3g}, {found.relative_tolerance:g} of the largest logit"
    lines = [
        "The files were read back and compared with the source, which computes in float32:",
        "",
        "| | |",
        "|---|---|",
        f"| largest difference of a logit | {found.max_difference:.3g} ({tolerance}, {found.max_logit:.3g}) |",
        f"| compared on | {found.prompts} prompts, {found.positions:,} tokens |",
        f"| greedy text of {found.new_tokens} tokens | equal on {equal} of {found.prompts} prompts |",
        f"| tokens | equal on {found.texts - len(found.token_differences)} of {found.texts} texts |",
    ]
    if found.greedy_differences:
        lines += ["", "Where the greedy text first differs, with the logits by which the source prefers its token:", ""]
        lines += [
            f"- `{quoted(one.prompt)}`, after {one.place} tokens: {one.found!r}, not {one.expected!r}, {one.margin:.3g}"
            for one in found.greedy_differences
        ]
    if found.token_differences:
        lines += ["", _TOKENS_DIFFER.format(format=export.format, rule=export.details.get("splitting rule", "")), ""]
        lines += [f"- `{quoted(text)}`" for text in found.token_differences]
    return "\n".join(lines)


def _files(export: ModelExport) -> str:
    rows = [f"| {file.name} | {file.size:,} | `{file.sha256}` |" for file in export.files]
    source = f"The source, its settings and weights: `{export.source_digest}` (`shoal.models.model_digest`)."
    return "\n".join(["| file | bytes | SHA-256 |", "|---|---|---|", *rows, "", source])
