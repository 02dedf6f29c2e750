"""Right choice evaluators that share no code with shoal's own: the certificate must pass them all."""

from __future__ import annotations

import math

import torch
from transformers import DynamicCache


def encode(tokenizer, context, choice):
    """Ids of what is read and of the choice: one text, cut where the choice's first character is."""
    text = context + choice
    bare = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    ids = bare["input_ids"]
    full = tokenizer(text)["input_ids"]
    at = next(start for start in range(len(full)) if full[start : start + len(ids)] == ids)
    cut = sum(stop <= len(context) for _, stop in bare["offset_mapping"]) if context else 0
    return full[:at] + ids[:cut], ids[cut:]


@torch.no_grad()
def one_by_one(model, tokenizer, items):
    """The full logits of each choice alone, in float64; nothing but numbers."""
    rows = []
    for item in items:
        row = []
        for choice in item.choices:
            before, ids = encode(tokenizer, item.context, choice)
            logits = model(torch.tensor([before + ids])).logits[0, len(before) - 1 : -1].double()
            row.append(float(logits.log_softmax(-1).gather(1, torch.tensor(ids)[:, None]).sum()))
        rows.append(row)
    return rows


def ties_are_wrong(model, tokenizer, items):
    """Right where the answer is more likely than each other choice."""
    verdicts = []
    for item, row in zip(items, one_by_one(model, tokenizer, items), strict=True):
        others = [value for place, value in enumerate(row) if place != item.answer]
        verdicts.append({"correct": all(row[item.answer] > value for value in others)})
    return verdicts


@torch.no_grad()
def as_lm_eval(model, tokenizer, items):
    """As lm-evaluation-harness scores: spaces at a context's end go to the choice, which is cut off by the number of
    the context's tokens; the argmax of sums and of sums per character, the first one at a tie."""
    requests = []
    for item in items:
        for choice in item.choices:
            context, continuation = item.context, choice
            spaces = len(context) - len(context.rstrip())
            if spaces and context.rstrip():
                continuation, context = context[-spaces:] + continuation, context[:-spaces]
            if not context:
                ids = [tokenizer.bos_token_id], tokenizer(continuation, add_special_tokens=False)["input_ids"]
            else:
                whole = tokenizer(context + continuation, add_special_tokens=False)["input_ids"]
                own = tokenizer(context, add_special_tokens=False)["input_ids"]
                ids = own, whole[len(own) :]
            requests.append(ids)
    order = sorted(range(len(requests)), key=lambda place: -len(requests[place][0]) - len(requests[place][1]))
    found = [0.0] * len(requests)
    for top in range(0, len(order), 8):
        places = order[top : top + 8]
        longest = max(len(requests[place][0]) + len(requests[place][1]) - 1 for place in places)
        batch = torch.zeros(len(places), longest, dtype=torch.long)
        for row, place in enumerate(places):
            fed = (requests[place][0] + requests[place][1])[:-1]
            batch[row, : len(fed)] = torch.tensor(fed)
        logs = model(batch).logits.log_softmax(-1)
        for row, place in enumerate(places):
            before, ids = requests[place]
            own = logs[row, len(before) - 1 : len(before) - 1 + len(ids)]
            found[place] = float(own.gather(1, torch.tensor(ids)[:, None]).sum())
    records, nats = [], iter(found)
    for item in items:
        row = [next(nats) for _ in item.choices]
        normed = [value / len(choice) for value, choice in zip(row, item.choices, strict=True)]
        records.append(
            {
                "log_likelihoods": row,
                "choice": row.index(max(row)),
                "choice_per_character": normed.index(max(normed)),
            }
        )
    return records


@torch.no_grad()
def left_padded_losses(model, tokenizer, items):
    """Batches of five, padded on the left; the loss of labels by the library, unreduced; None at a tie."""
    requests = [(item, choice, encode(tokenizer, item.context, choice)) for item in items for choice in item.choices]
    nats = []
    for top in range(0, len(requests), 5):
        batch = requests[top : top + 5]
        longest = max(len(before) + len(ids) for _, _, (before, ids) in batch)
        ids_BL = torch.full((len(batch), longest), tokenizer.pad_token_id)
        mask_BL = torch.zeros_like(ids_BL)
        labels_BL = torch.full_like(ids_BL, -100)
        for row, (_, _, (before, ids)) in enumerate(batch):
            ids_BL[row, longest - len(before) - len(ids) :] = torch.tensor(before + ids)
            mask_BL[row, longest - len(before) - len(ids) :] = 1
            labels_BL[row, longest - len(ids) :] = torch.tensor(ids)
        positions_BL = (mask_BL.cumsum(1) - 1).clamp(min=0)
        logits = model(input_ids=ids_BL, attention_mask=mask_BL, position_ids=positions_BL).logits[:, :-1]
        losses = torch.nn.functional.cross_entropy(logits.transpose(1, 2), labels_BL[:, 1:], reduction="none")
        nats += (-losses.sum(1)).tolist()
    records, left = [], iter(zip(requests, nats, strict=True))
    for item in items:
        rows = [next(left) for _ in item.choices]
        per_byte = [value / len(choice.encode()) for (_, choice, _), value in rows]
        per_token = [value / len(ids) for (_, _, (_, ids)), value in rows]
        plain = [value for _, value in rows]
        records.append(
            {"choice": greatest(plain), "choice_per_byte": greatest(per_byte), "choice_per_token": greatest(per_token)}
        )
    return records


def greatest(values):
    best = max(values)
    close = [place for place, value in enumerate(values) if math.isclose(value, best, abs_tol=1e-6)]
    return close[0] if len(close) == 1 else None


@torch.no_grad()
def cached_contexts(model, tokenizer, items):
    """Each context is read once; its cache serves all of its choices. A bare index each, the last one at a tie."""
    chosen = []
    for item in items:
        pairs = [encode(tokenizer, item.context, choice) for choice in item.choices]
        before = pairs[0][0]
        assert all(pair[0] == before for pair in pairs)
        longest = max(len(ids) for _, ids in pairs)
        targets = torch.full((len(pairs), longest), tokenizer.eos_token_id)
        for row, (_, ids) in enumerate(pairs):
            targets[row, : len(ids)] = torch.tensor(ids)
        cache = DynamicCache(config=model.config)
        first = model(torch.tensor([before]), past_key_values=cache, use_cache=True).logits[:, -1:]
        cache.batch_repeat_interleave(len(pairs))
        rest = model(targets, past_key_values=cache, use_cache=True).logits[:, :-1]
        logs = torch.cat([first.expand(len(pairs), -1, -1), rest], dim=1).double().log_softmax(-1)
        logs = logs.gather(2, targets[..., None])[..., 0]
        sums = [float(logs[row, : len(ids)].sum()) for row, (_, ids) in enumerate(pairs)]
        chosen.append(max(range(len(sums)), key=lambda place: (round(sums[place], 5), place)))
    return chosen


RIGHT_CHOICES = (one_by_one, ties_are_wrong, as_lm_eval, left_padded_losses, cached_contexts)
