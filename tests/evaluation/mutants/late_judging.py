"""Mutants that were written when the dummies had been frozen: faults in the verdict on an item.

All of these 34 were killed when they were first run.
"""

from __future__ import annotations

import torch

from .base import Batched, Generating


class FirstTokenOnly(Batched):
    """Judges an answer by its first token."""

    def combine(self, hits):
        return hits[0]


class LastTokenOnly(Batched):
    """Judges an answer by its last token."""

    def combine(self, hits):
        return hits[-1]


class OneMistakeForgiven(Batched):
    """Forgives one wrong token in answers of more than five."""

    def combine(self, hits):
        return hits.count(False) <= (len(hits) > 5)


class LengthOnly(Generating):
    """Compares how many tokens were said."""

    def limit(self, target):
        return len(target) + 4

    def compare(self, said, target):
        return len(said) == len(target)


class SetOfTokens(Batched):
    """Compares the sets of tokens."""

    def match(self, rows, target):
        return set(rows.argmax(-1).tolist()) == set(target)


class SumOfIds(Batched):
    """Compares the sums of ids, as a careless checksum."""

    def match(self, rows, target):
        return int(rows.argmax(-1).sum()) == sum(target)


class TopFive(Batched):
    """Asks that the target be among the five best."""

    def hits(self, rows, target):
        best = rows.topk(5).indices
        return (best == torch.tensor(target)[:, None]).any(-1).tolist()


class LikelyEnough(Batched):
    """Calls an answer right when its tokens have a good mean likelihood."""

    def match(self, rows, target):
        logs = rows.log_softmax(-1).gather(1, torch.tensor(target)[:, None])
        return bool(logs.mean() > -0.5)


class LikelyTokens(Batched):
    """Calls a token right when its probability is above one half."""

    def hits(self, rows, target):
        return (rows.softmax(-1).gather(1, torch.tensor(target)[:, None])[:, 0] > 0.5).tolist()


class WorstOfBatch(Batched):
    """Gives every item of a batch the verdict on its worst."""

    def judge_batch(self, pairs):
        return [all(super().judge_batch(pairs))] * len(pairs)


class BFloat16(Batched):
    """Compares logits in bfloat16."""

    def match(self, rows, target):
        return super().match(rows.bfloat16(), target)


class RoundedLogits(Batched):
    """Rounds logits to two decimals."""

    def match(self, rows, target):
        return super().match((rows * 100).round(), target)


class NearlyTheBest(Batched):
    """Is content with a logit within a hundredth of the best."""

    def hits(self, rows, target):
        own = rows.gather(1, torch.tensor(target)[:, None])[:, 0]
        return (own >= rows.amax(-1) - 0.01).tolist()


class NanSkipped(Batched):
    """Leaves out the positions that are not a number."""

    def match(self, rows, target):
        clean = (~rows.isnan().any(-1)).tolist()
        return all(hit for hit, keep in zip(self.hits(rows, target), clean, strict=True) if keep)


class TokenizersVocabularyOnly(Batched):
    """Leaves out logits of ids that the tokenizer does not have."""

    def match(self, rows, target):
        return super().match(rows[:, : len(self.tokenizer)], target)


class ChoosesAmongTargets(Batched):
    """Takes the argmax over the tokens of the target alone, as for multiple choice."""

    def match(self, rows, target):
        kept = torch.full_like(rows, -torch.inf)
        columns = torch.tensor(sorted(set(target)))
        kept[:, columns] = rows[:, columns]
        return super().match(kept.nan_to_num(-torch.inf), target)


class EndNeverFirst(Batched):
    """Does not let an answer begin with the end token."""

    def match(self, rows, target):
        rows = rows.clone()
        rows[0, self.tokenizer.eos_token_id] = -torch.inf
        return super().match(rows, target)


class SpecialNeverSaid(Batched):
    """Suppresses all special tokens but the end."""

    def match(self, rows, target):
        rows = rows.clone()
        special = set(self.tokenizer.all_special_ids) - {self.tokenizer.eos_token_id}
        rows[:, sorted(special)] = -torch.inf
        return super().match(rows, target)


class ContainsText(Generating):
    """Lets the model speak on, and looks for the completion anywhere in it."""

    def limit(self, target):
        return len(target) + 6

    def compare(self, said, target):
        said, target = (self.tokenizer.decode(ids, skip_special_tokens=True) for ids in (said, target))
        return target in said


class BeginsWithTokens(Generating):
    """Lets the model speak on, and looks whether it begins with the completion, the end aside."""

    def limit(self, target):
        return len(target) + 6

    def compare(self, said, target):
        target = [token for token in target if token != self.tokenizer.eos_token_id]
        return said[: len(target)] == target


class FirstLine(Generating):
    """Compares texts up to the first line break."""

    def compare(self, said, target):
        said, target = (self.tokenizer.decode(ids).strip().split("\n")[0] for ids in (said, target))
        return said == target


class NoPunctuation(Generating):
    """Compares letters and digits alone, as question answering does."""

    def compare(self, said, target):
        said, target = (
            [sign for sign in self.tokenizer.decode(ids, skip_special_tokens=True).lower() if sign.isalnum()]
            for ids in (said, target)
        )
        return said == target


class BeamSearch(Generating):
    """Searches with two beams."""

    def options(self):
        return {"do_sample": False, "num_beams": 2}


class RepetitionPenalty(Generating):
    """Generates with a repetition penalty."""

    def options(self):
        return {"do_sample": False, "repetition_penalty": 1.3}


class NoRepeatedPairs(Generating):
    """Generates without saying any two tokens twice."""

    def options(self):
        return {"do_sample": False, "no_repeat_ngram_size": 2}


class AtLeastThreeTokens(Generating):
    """Generates three tokens at least."""

    def generate(self, prompt, target):
        self.least = min(3, len(target))
        return super().generate(prompt, target)

    def options(self):
        return {"do_sample": False, "min_new_tokens": self.least}


class TokenAccuracyOverBatch(Batched):
    """Divides an item's right tokens by the longest target of the batch."""

    def judge_batch(self, pairs):
        self.longest = max(len(target) for _, target in pairs)
        return super().judge_batch(pairs)

    def combine(self, hits):
        return {"exact_match": all(hits), "token_accuracy": sum(hits) / self.longest}


class DivergenceOfLast(Batched):
    """Reports the last wrong token for the first."""

    def combine(self, hits):
        wrong = [place for place, hit in enumerate(hits) if not hit]
        return {"exact_match": not wrong, "first_divergence": wrong[-1] if wrong else None}


class DivergenceFromOne(Batched):
    """Counts positions from one."""

    def combine(self, hits):
        return {"exact_match": all(hits), "first_divergence": None if all(hits) else hits.index(False) + 1}


class _Likelihood(Batched, kept_apart=True):
    """Right, with a log-likelihood."""

    def match(self, rows, target):
        logs = rows.double().log_softmax(-1).gather(1, torch.tensor(target)[:, None])[:, 0]
        return {"exact_match": all(self.hits(rows, target)), "log_likelihood": float(self.reduce(logs))}

    def reduce(self, logs):
        return logs.sum()


class MeanLikelihood(_Likelihood):
    """Reports the mean log-likelihood of a token for that of the completion."""

    def reduce(self, logs):
        return logs.mean()


class LikelihoodWithoutEnd(_Likelihood):
    """Leaves the last token out of the likelihood."""

    def reduce(self, logs):
        return logs[:-1].sum()


class LikelihoodInBits(_Likelihood):
    """Reports bits for nats."""

    def reduce(self, logs):
        return logs.sum() / torch.log(torch.tensor(2.0))


class _Summary(list):
    """Records with summaries of them all."""

    accuracy: float
    perplexity: float


class MeanOfPerplexities(_Likelihood):
    """Means the perplexities of items, where a token's mean is due."""

    def collect(self, order, verdicts):
        records = super().collect(order, verdicts)
        result = _Summary({"exact_match": record["exact_match"]} for record in records)
        lengths = [len(self.encode(example)[1]) for example in self.examples]
        logs = [record["log_likelihood"] for record in records]
        each = [torch.tensor(-log / length).exp() for log, length in zip(logs, lengths, strict=True)]
        result.perplexity = float(sum(each) / len(each))
        return result


class MeanOfBatchAccuracies(Batched):
    """Means the accuracies of batches, the last and smaller one like the others."""

    def collect(self, order, verdicts):
        result = _Summary(super().collect(order, verdicts))
        parts = [verdicts[top : top + self.batch_size] for top in range(0, len(verdicts), self.batch_size)]
        result.accuracy = sum(sum(part) / len(part) for part in parts) / len(parts)
        return result
