"""A local OpenAI-compatible endpoint around a model of shoal's loader, which answers the judge's question in JSON.

As servers with grammar-constrained decoding do, it lets the model choose only where the form leaves a choice: the
marks and the age. Two ways to choose:

marks: the model reads the question as a chat and says the likeliest mark at each place.
surprisal: the mark for grammar and for consistency is how likely the model finds the story, in bits a byte; the model
does not look at what was asked for.

    python benchmarks/sides/judge_server.py SPEC PORT marks|surprisal
"""

from __future__ import annotations

import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import torch

from shoal.evaluation.judging import AGES, DIMENSIONS
from shoal.evaluation.stories import held_out_bits
from shoal.models import load_reader
from shoal.models.anatomy import split_model
from shoal.models.bodies.past import Memory

_CHAT = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
_BEST_BITS, _WORST_BITS = 0.8, 2.8
"""Bits a byte of a plain child's story, and of one whose every sentence is broken, under a model of this size."""


class Marks:
    """The likeliest mark at each place of the form."""

    def __init__(self, spec: str) -> None:
        loaded = load_reader(spec)
        self.tokenizer: Any = loaded.tokenizer
        body = split_model(loaded.model).own  # type: ignore[arg-type]
        assert body is not None, "the model has no body of shoal's own"
        self.body = body

    @torch.inference_mode()
    def __call__(self, question: str) -> str:
        """The answer to a question."""
        ids = self._encode(_CHAT.format(question) + "{")
        self._memory = Memory(torch.tensor([len(ids)]), len(ids) + 120)
        self._last = self.body.hidden(torch.tensor([ids]), self._memory)[:, -1]
        self._memory.advance()
        said = "{"
        for place, name in enumerate(DIMENSIONS):
            said += self._force(f'{", " if place else ""}"{name}": ') + self._mark()
        return said + self._force(', "age": "') + self._choose(list(AGES)) + '"}'

    def _encode(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _read(self, token: int) -> None:
        self._last = self.body.hidden(torch.tensor([[token]]), self._memory)[:, 0]
        self._memory.advance()

    def _force(self, text: str) -> str:
        for token in self._encode(text):
            self._read(token)
        return text

    def _choose(self, texts: list[str]) -> str:
        """The likeliest of texts of one token, which is read."""
        tokens = [self._encode(text)[0] for text in texts]
        best = int(self.body.head.logits(self._last)[0, tokens].argmax())
        self._read(tokens[best])
        return texts[best]

    def _mark(self) -> str:
        mark = self._choose([str(digit) for digit in range(1, 10)])
        if mark != "1":
            return mark
        zero, end = self._encode("0")[0], self._encode(",")[0]
        logits = self.body.head.logits(self._last)[0]
        if logits[zero] <= logits[end]:
            return mark
        self._read(zero)
        return "10"


class Surprisal:
    """How likely the model finds the story."""

    def __init__(self, spec: str) -> None:
        self.loaded = load_reader(spec)

    def __call__(self, question: str) -> str:
        """The answer to a question."""
        _, story = re.findall(r"<<<\n(.*?)\n>>>", question, re.DOTALL)
        bits = held_out_bits(self.loaded.model, self.loaded.tokenizer, [story]).value
        mark = round(10 - 9 * (bits - _BEST_BITS) / (_WORST_BITS - _BEST_BITS))
        mark = min(10, max(1, mark))
        return json.dumps({"grammar": mark, "creativity": 5, "consistency": mark, "instruction": 5, "age": "B"})


def serve(spec: str, port: int, way: str) -> None:
    """Serve on loopback, one question at a time, until the process ends."""
    judge = {"marks": Marks, "surprisal": Surprisal}[way](spec)
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                text = judge(body["messages"][0]["content"])
            message = {"role": "assistant", "content": text}
            choice = {"index": 0, "finish_reason": "stop", "message": message}
            whole = {"id": "1", "object": "chat.completion", "created": 0, "model": spec, "choices": [choice]}
            raw = json.dumps(whole).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    print(f"http://127.0.0.1:{server.server_port}/v1", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), sys.argv[3])
