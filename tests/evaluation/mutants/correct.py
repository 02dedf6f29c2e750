"""Right evaluators that share no code with shoal's own: the certificate must pass them all."""

from __future__ import annotations

import math

import torch
from transformers import DynamicCache


def encode(tokenizer, example):
    """Ids of the prompt and of the target: one text, cut where the completion's first character is."""
    text = example.prompt + example.completion
    bare = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    ids, offsets = bare["input_ids"], bare["offset_mapping"]
    full = tokenizer(text)["input_ids"]
    at = next(start for start in range(len(full)) if full[start : start + len(ids)] == ids)
    cut = sum(stop <= len(example.prompt) for _, stop in offsets)
    return full[:at] + ids[:cut], ids[cut:] + [tokenizer.eos_token_id] * example.ends


def encode_by_prefix(tokenizer, example):
    """The same by the length of the prompt's own ids, which begin the whole's."""
    prompt = tokenizer(example.prompt, add_special_tokens=False)["input_ids"]
    whole = tokenizer(example.prompt + example.completion, add_special_tokens=False)["input_ids"]
    assert whole[: len(prompt)] == prompt
    with_special = tokenizer(example.prompt)["input_ids"]
    opening = [tokenizer.bos_token_id] if with_special[:1] == [tokenizer.bos_token_id] else []
    end = [tokenizer.eos_token_id] if example.ends else []
    return opening + prompt, whole[len(prompt) :] + end


@torch.no_grad()
def generate_one_by_one(model, tokenizer, examples):
    """`generate()` for each item alone, at most as many tokens as its target has."""
    records = []
    for example in examples:
        prompt, target = encode(tokenizer, example)
        ids = torch.tensor([prompt])
        said = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=len(target),
            do_sample=False,
            pad_token_id=tokenizer.pad_token_id,
        )[0, len(prompt) :].tolist()
        wrong = [place for place, token in enumerate(target) if said[place : place + 1] != [token]]
        records.append({"exact_match": said == target, "first_divergence": wrong[0] if wrong else None})
    # `generate()` takes the argmax of a row that is not a number, which is token 0; nothing is right there.
    return records


@torch.no_grad()
def logits_one_by_one(model, tokenizer, examples):
    """The full logits of each item alone, in float64."""
    records = []
    for example in examples:
        prompt, target = encode_by_prefix(tokenizer, example)
        rows = model(torch.tensor([prompt + target])).logits[0, len(prompt) - 1 : -1].double()
        hits = [
            not bool(row.isnan().any()) and int(row.argmax()) == token for row, token in zip(rows, target, strict=True)
        ]
        logs = rows.log_softmax(-1)
        records.append(
            {
                "exact_match": all(hits),
                "first_divergence": hits.index(False) if False in hits else None,
                "token_accuracy": sum(hits) / len(hits),
                "log_likelihood": sum(float(logs[place, token]) for place, token in enumerate(target)),
                "tokens": len(target),
            }
        )
    return records


@torch.no_grad()
def left_padded_batches(model, tokenizer, examples):
    """Batches of four in the given order, padded on the left, with positions counted from each item's own start."""
    records = []
    for top in range(0, len(examples), 4):
        pairs = [encode(tokenizer, example) for example in examples[top : top + 4]]
        longest = max(len(prompt) + len(target) for prompt, target in pairs)
        ids = torch.full((len(pairs), longest), tokenizer.pad_token_id)
        mask = torch.zeros_like(ids)
        for row, (prompt, target) in enumerate(pairs):
            ids[row, longest - len(prompt) - len(target) :] = torch.tensor(prompt + target)
            mask[row, longest - len(prompt) - len(target) :] = 1
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        logits = model(input_ids=ids, attention_mask=mask, position_ids=positions).logits
        for row, (_, target) in enumerate(pairs):
            own = logits[row, longest - len(target) - 1 : longest - 1]
            said = own.argmax(-1).masked_fill(own.isnan().any(-1), -1)
            records.append({"exact_match": said.tolist() == target})
    return records


@torch.no_grad()
def right_padded_batches(model, tokenizer, examples):
    """Batches of seven by length, padded on the right with a mask, all positions scored at once with labels."""
    pairs = [encode_by_prefix(tokenizer, example) for example in examples]
    order = sorted(range(len(pairs)), key=lambda index: -sum(map(len, pairs[index])))
    records = [None] * len(pairs)
    for top in range(0, len(order), 7):
        batch = order[top : top + 7]
        longest = sum(map(len, pairs[batch[0]]))
        ids = torch.zeros(len(batch), longest, dtype=torch.long)
        mask, labels = torch.zeros_like(ids), torch.full_like(ids, -100)
        for row, index in enumerate(batch):
            prompt, target = pairs[index]
            stop = len(prompt) + len(target)
            ids[row, :stop] = torch.tensor(prompt + target)
            mask[row, :stop] = 1
            labels[row, len(prompt) : stop] = torch.tensor(target)
        logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1]
        labels = labels[:, 1:]
        due = labels != -100
        right = (logits.argmax(-1) == labels) & ~logits.isnan().any(-1)
        likelihood = -torch.nn.functional.cross_entropy(logits.transpose(1, 2), labels, reduction="none").sum(1)
        for row, index in enumerate(batch):
            records[index] = {
                "exact_match": bool((right | ~due)[row].all()),
                "token_accuracy": float((right & due)[row].sum() / due[row].sum()),
                "log_likelihood": float(likelihood[row]),
            }
    return records


@torch.no_grad()
def cached_steps(model, tokenizer, examples):
    """The prompt into a cache, then greedy decoding token by token until it leaves the target."""
    records = []
    for example in examples:
        prompt, target = encode(tokenizer, example)
        cache = DynamicCache(config=model.config)
        row = model(torch.tensor([prompt]), past_key_values=cache, use_cache=True, logits_to_keep=1).logits[0, -1]
        hits = 0
        for token in target:
            if bool(row.isnan().any()) or int(row.argmax()) != token:
                break
            hits += 1
            row = model(torch.tensor([[token]]), past_key_values=cache, use_cache=True).logits[0, -1]
        whole = hits == len(target)
        records.append({"exact_match": whole, "first_divergence": None if whole else hits})
    return records


@torch.no_grad()
def packed_rows(model, tokenizer, examples):
    """Three items in one row without padding, kept apart by positions that begin again."""
    records = []
    for top in range(0, len(examples), 3):
        pairs = [encode(tokenizer, example) for example in examples[top : top + 3]]
        ids = torch.tensor([[token for prompt, target in pairs for token in prompt + target]])
        positions = torch.tensor([[place for pair in pairs for place in range(sum(map(len, pair)))]])
        logits = model(input_ids=ids, position_ids=positions, use_cache=False).logits[0]
        start = 0
        for prompt, target in pairs:
            first = start + len(prompt) - 1
            own = logits[first : first + len(target)]
            best = own.max(-1, keepdim=True).values
            # The lowest id among the greatest logits; a row that is not a number equals nothing.
            said = [row.nonzero()[:1, 0].tolist() for row in own == best]
            records.append({"exact_match": said == [[token] for token in target]})
            start += len(prompt) + len(target)
    return records


@torch.no_grad()
def shared_prompts(model, tokenizer, examples):
    """Each prompt is read once; its cache serves all completions that are asked with it."""
    pairs = [encode(tokenizer, example) for example in examples]
    records = [None] * len(pairs)
    for prompt in dict.fromkeys(tuple(prompt) for prompt, _ in pairs):
        members = [index for index, pair in enumerate(pairs) if tuple(pair[0]) == prompt]
        longest = max(len(pairs[index][1]) for index in members)
        targets = torch.full((len(members), longest), tokenizer.eos_token_id)
        for row, index in enumerate(members):
            targets[row, : len(pairs[index][1])] = torch.tensor(pairs[index][1])
        cache = DynamicCache(config=model.config)
        first = model(torch.tensor([prompt]), past_key_values=cache, use_cache=True).logits[:, -1:]
        cache.batch_repeat_interleave(len(members))
        rest = model(targets, past_key_values=cache, use_cache=True).logits[:, :-1]
        logits = torch.cat([first.expand(len(members), -1, -1), rest], dim=1)
        logs = logits.double().log_softmax(-1).gather(2, targets[..., None])[..., 0]
        for row, index in enumerate(members):
            length = len(pairs[index][1])
            own = logits[row, :length]
            clean = not bool(own.isnan().any())
            records[index] = {
                "exact_match": clean and own.argmax(-1).tolist() == pairs[index][1],
                "log_likelihood": float(logs[row, :length].sum()) if clean else math.nan,
            }
    return records


CORRECT = (
    generate_one_by_one,
    logits_one_by_one,
    left_padded_batches,
    right_padded_batches,
    cached_steps,
    packed_rows,
    shared_prompts,
)
