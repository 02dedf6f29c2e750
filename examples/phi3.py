"""What happens when a chat model is asked a question: the template, the tokens, the vectors in and out, the answer.

    python examples/phi3.py                                            Phi-3-mini from the hub, 7.6 GB in bfloat16
    python examples/phi3.py --model gguf:SmolLM2-135M-Instruct.gguf    any other instruct model

Phi-3-mini (Abdin et al. 2024, arXiv:2404.14219) reads a token as a vector of 3,072 numbers. 32 layers turn it into
another vector of as many numbers, and the product of that with one vector per token of the vocabulary determines how
likely each token is to come next. In bfloat16 a number has 8 bits of exponent, as float32 has, and 8 bits of precision
in place of 24.
"""

from __future__ import annotations

import argparse

import torch

from shoal.models import factor_model
from shoal.models.generation import TokenSampling, render_chat
from shoal.serving import GenerationModel, GenerationSettings, chat, load_for_generation

QUESTION = "Tell me a fun fact about dinosaurs."


def main() -> None:
    """Show one question from its text to its answer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="microsoft/Phi-3-mini-4k-instruct")
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--question", default=QUESTION)
    parser.add_argument("--max-tokens", type=int, default=80)
    parser.add_argument("--temperature", type=float, default=0.0)
    options = parser.parse_args()

    print("1. What it takes")
    live = load_for_generation(options.model, dtype=options.dtype, rows=1, on_estimate=print)
    ids = show_tokens(live, options.question)
    show_vectors(live, ids)
    show_number_format(getattr(torch, options.dtype))

    print("\n6. The answer")
    sampling = TokenSampling(temperature=options.temperature)
    settings = GenerationSettings(max_tokens=options.max_tokens, sampling=sampling)
    answer = chat(live, options.question, settings, on_text=lambda text: print(text, end="", flush=True))
    print(f"\n({len(answer.generated.ids)} tokens, {answer.tokens_per_second:.1f} per second, {answer.decoding})")


def show_tokens(live: GenerationModel, question: str) -> list[int]:
    """The question as the model's template writes it, and its tokens."""
    messages = [{"role": "user", "content": question}]
    print(f"\n2. The question in the model's chat template\n{render_chat(live.tokenizer, messages)!r}")
    ids = live.encode_messages(messages)
    print(f"\n3. Its {len(ids)} tokens")
    print(" ".join(f"{id_}:{live.tokenizer.decode([id_])!r}" for id_ in ids))
    return ids


@torch.inference_mode()
def show_vectors(live: GenerationModel, ids: list[int]) -> None:
    """The vectors that go in and come out, their distances, and the tokens that are likely to come next."""
    model = live.loaded.model
    row = torch.tensor([ids], device=model.device)
    into = model.get_input_embeddings()(row)[0].float()
    factored = factor_model(model)
    out = factored.hidden(row)[0]
    logits = factored.full_logits(row)[0, -1].float()
    out = out.float()
    print(f"\n4. Vectors: {len(ids)} go in and {len(ids)} come out, each of {into.shape[1]:,} numbers")
    print(f"{'token':>14} {'length in':>10} {'length out':>10} {'distance':>9} {'cosine':>7}  first numbers in")
    for place in range(max(0, len(ids) - 8), len(ids)):
        first, last = into[place], out[place]
        numbers = " ".join(f"{number:+.4f}" for number in first[:4].tolist())
        print(
            f"{live.tokenizer.decode([ids[place]])!r:>14} {first.norm():>10.3f} {last.norm():>10.3f} "
            f"{(first - last).norm():>9.3f} {torch.cosine_similarity(first, last, dim=0):>7.3f}  {numbers}"
        )
    print("\n5. The last vector that comes out, compared with the vector of each token: what comes next?")
    heads = model.get_output_embeddings().weight
    share = logits.softmax(-1)
    for id_ in share.topk(5).indices.tolist():
        cosine = torch.cosine_similarity(out[-1], heads[id_].float(), dim=0)
        figures = f"probability {share[id_]:.3f}  logit {logits[id_]:.3f}  cosine {cosine:.3f}"
        print(f"{live.tokenizer.decode([id_])!r:>14}  {figures}")


def show_number_format(dtype: torch.dtype) -> None:
    """How fine the numbers of the weights are."""
    fine, third = torch.finfo(dtype), torch.tensor(1 / 3, dtype=dtype).item()
    print(
        f"\nIn {str(dtype).removeprefix('torch.')} ({fine.bits} bits) the number after 1 is {1 + fine.eps:.9g},",
        end=" ",
    )
    print(f"the largest is {fine.max:.3g}, and a third is {third:.9g}.")


if __name__ == "__main__":
    main()
