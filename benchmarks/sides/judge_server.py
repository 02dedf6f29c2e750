"""A local OpenAI-compatible endpoint whose judge sees one thing: how likely a model finds the story.

The mark for grammar and for consistency is the story's bits per byte under the model of the spec; the judge does not
look at what was asked for, and gives the same mark for the rest.

    python benchmarks/sides/judge_server.py SPEC PORT
"""

from __future__ import annotations

import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from shoal.evaluation.stories import held_out_bits
from shoal.models import load_for_scoring

_BEST_BITS, _WORST_BITS = 0.8, 2.8
"""Bits a byte of a plain child's story, and of one whose every sentence is broken, under a model of this size."""


class Surprisal:
    """How likely the model finds the story."""

    def __init__(self, spec: str) -> None:
        self.loaded = load_for_scoring(spec)

    def __call__(self, question: str) -> str:
        """The answer to a question."""
        _, story = re.findall(r"<<<\n(.*?)\n>>>", question, re.DOTALL)
        bits = held_out_bits(self.loaded.model, self.loaded.tokenizer, [story]).value
        mark = round(10 - 9 * (bits - _BEST_BITS) / (_WORST_BITS - _BEST_BITS))
        mark = min(10, max(1, mark))
        return json.dumps({"grammar": mark, "creativity": 5, "consistency": mark, "instruction": 5, "age": "B"})


def serve(spec: str, port: int) -> None:
    """Serve on loopback, one question at a time, until the process ends."""
    judge = Surprisal(spec)
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
    serve(sys.argv[1], int(sys.argv[2]))
