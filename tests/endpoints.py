"""A scripted OpenAI-compatible endpoint on loopback: a real HTTP server that a test tells what to do."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NEVER = object()
"""The step of a server that does not answer as long as it lives."""


class Script:
    """What the server does with each request in turn; the last instruction goes on for ever."""

    def __init__(self, *steps):
        self.steps = list(steps)
        self.requests = []
        self.lock = threading.Lock()
        self.over = threading.Event()

    def next(self, body):
        with self.lock:
            self.requests.append(body)
            return self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]


@contextmanager
def serving(*steps):
    """The address of a server that does each step in turn, the last one for ever, and its script.

    A step is a status, `NEVER`, the raw bytes of a reply, a text to answer with, ``echo``, or a function from the
    prompt to the text.
    """
    script = Script(*steps)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            step = script.next(body)
            if step is NEVER:
                script.over.wait()
            elif isinstance(step, int):
                self.reply(step, b'{"error": {"message": "no"}}')
            elif isinstance(step, bytes):
                self.reply(200, step)
            else:
                asked = body["messages"][0]["content"]
                text = step(asked) if callable(step) else asked if step == "echo" else step
                message = {"role": "assistant", "content": text}
                usage = {"prompt_tokens": 60, "completion_tokens": 7, "total_tokens": 67}
                choice = {"index": 0, "finish_reason": "stop", "message": message}
                whole = {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
                self.reply(200, json.dumps({**whole, "usage": usage}).encode())

        def reply(self, status, raw):
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)
            except BrokenPipeError:
                pass

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", script
    finally:
        script.over.set()
        server.shutdown()
        server.server_close()
