"""Right evaluators that generate and filter, and share no code with shoal's own: the certificate must pass them all."""

from __future__ import annotations

import re

import torch
from transformers import DynamicCache, StoppingCriteria, StoppingCriteriaList


def first_group(match):
    return next((group for group in match.groups() if group is not None), None) if match.groups() else match.group()


def find_answer(text, item):
    if item.pattern is None:
        return text.strip()
    matches = list(re.finditer(item.pattern, text))
    return first_group(matches[-1 if item.take == "last" else 0]) if matches else None


@torch.no_grad()
def generate_then_cut(model, tokenizer, items):
    """`generate()` for each prompt alone up to its limit; the text is cut afterwards."""
    records = []
    for item in items:
        ids = tokenizer(item.prompt, return_tensors="pt")["input_ids"]
        out = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=item.max_tokens,
            do_sample=False,
            pad_token_id=tokenizer.pad_token_id,
        )[0, ids.shape[1] :]
        text = tokenizer.decode(out, skip_special_tokens=True)
        for stop in item.until:
            text = text.split(stop)[0]
        answer = find_answer(text, item)
        records.append({"text": text, "answer": answer, "correct": answer == item.target})
    return records


class _Stops(StoppingCriteria):
    def __init__(self, tokenizer, until, length):
        self.tokenizer, self.until, self.length = tokenizer, until, length

    def __call__(self, input_ids, scores, **_):
        texts = self.tokenizer.batch_decode(input_ids[:, self.length :])
        return torch.tensor([any(stop in text for stop in self.until) for text in texts])


@torch.no_grad()
def as_lm_eval(model, tokenizer, items):
    """As lm-evaluation-harness: each generation ends where a stop string comes up, the text is split at each of them
    in turn, a regular expression takes a match, and "[invalid]" stands where there is none."""
    answers = []
    for item in items:
        ids = tokenizer(item.prompt, return_tensors="pt")["input_ids"]
        out = model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_length=ids.shape[1] + item.max_tokens,
            stopping_criteria=StoppingCriteriaList([_Stops(tokenizer, item.until, ids.shape[1])]),
            pad_token_id=tokenizer.pad_token_id,
            use_cache=True,
            do_sample=False,
        )
        text = tokenizer.decode(out[0].tolist()[ids.shape[1] :], skip_special_tokens=True)
        for stop in item.until:
            if stop:
                text = text.split(stop)[0]
        if item.pattern is None:
            answers.append(text.strip())
            continue
        match = re.compile(item.pattern).findall(text)
        if not match:
            answers.append("[invalid]")
            continue
        found = match[0 if item.take == "first" else -1]
        if isinstance(found, tuple):
            found = next(group for group in found if group)
        answers.append(found.strip())
    return answers


@torch.no_grad()
def left_padded_batches(model, tokenizer, items):
    """Batches of four, padded on the left, each up to its longest limit and cut to its own; verdicts alone."""
    opening = [tokenizer.bos_token_id] if tokenizer("a")["input_ids"][0] == tokenizer.bos_token_id else []
    verdicts = []
    for top in range(0, len(items), 4):
        batch = items[top : top + 4]
        prompts = [opening + tokenizer(item.prompt, add_special_tokens=False)["input_ids"] for item in batch]
        longest = max(map(len, prompts))
        ids = torch.full((len(batch), longest), tokenizer.pad_token_id)
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(prompts):
            ids[row, longest - len(prompt) :] = torch.tensor(prompt)
            mask[row, longest - len(prompt) :] = 1
        out = model.generate(
            ids,
            attention_mask=mask,
            max_new_tokens=max(item.max_tokens for item in batch),
            do_sample=False,
            pad_token_id=tokenizer.pad_token_id,
        )[:, longest:].tolist()
        for item, generated in zip(batch, out, strict=True):
            own = generated[: item.max_tokens]
            if tokenizer.eos_token_id in own:
                own = own[: own.index(tokenizer.eos_token_id)]
            text = tokenizer.decode(own, skip_special_tokens=True)
            cuts = [text.index(stop) for stop in item.until if stop in text]
            verdicts.append(find_answer(text[: min(cuts)] if cuts else text, item) == item.target)
    return verdicts


@torch.no_grad()
def token_by_token(model, tokenizer, items):
    """A cache of its own, a look at the text after each token, and None where nothing is found."""
    records = []
    for item in items:
        fed = tokenizer(item.prompt, return_tensors="pt")["input_ids"]
        cache, own, text = DynamicCache(config=model.config), [], ""
        while len(own) < item.max_tokens:
            row = model(fed, past_key_values=cache, use_cache=True).logits[0, -1]
            token = int(row.argmax())
            if token == tokenizer.eos_token_id:
                break
            own.append(token)
            text = tokenizer.decode(own, skip_special_tokens=True)
            if any(stop in text for stop in item.until):
                break
            fed = torch.tensor([[token]])
        cuts = [text.index(stop) for stop in item.until if stop in text]
        records.append({"answer": find_answer(text[: min(cuts)] if cuts else text, item)})
    return records


RIGHT_GENERATION = (generate_then_cut, as_lm_eval, left_padded_batches, token_by_token)
