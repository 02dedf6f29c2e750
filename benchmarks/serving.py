"""The server under load: is every answer the one that the request gets alone, and how long do clients wait?

Connections send requests drawn from a fixed set (greedy and sampled, completions and chats where the model has a
template, streamed or whole, with log-probabilities) for some time. Each answer is compared, to the last bit of its
log-probabilities, with the one that was computed alone before. Meanwhile other clients misbehave: some send half a
request and wait, some never read their stream, some hang up in the middle. At the end the server must be idle and
answer as before, and SIGTERM must let a running request finish.

    python -m benchmarks.serving [--model bundled:stories] [--connections 64] [--seconds 60] [--requests 96]

Figures go to bench-out/serving.json.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from benchmarks.processes import ROOT, write_result
from shoal.models.generation import TokenSampling
from shoal.serving import GenerationSettings, generate, load_for_generation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shoal.serving import GenerationModel

BEGINNINGS = ("Once upon a time", "The little dog", "Tom and his mother", "One day a girl", "There was a red ball")
MISBEHAVING = 8
"""Clients of each kind that do not do as they should."""


def main() -> None:
    """Compute the answers alone, load the server, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="bundled:stories")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--requests", type=int, default=96)
    parser.add_argument("--slots", type=int, default=16)
    options = parser.parse_args()
    live = load_for_generation(options.model, rows=1)
    started = time.perf_counter()
    wanted = [expect(live, number) for number in range(options.requests)]
    alone = time.perf_counter() - started
    tokens = sum(one["tokens"] for one in wanted)
    print(f"{len(wanted)} answers computed alone in {alone:.0f} s, {tokens / alone:.1f} tokens per second", flush=True)
    with server(options.model, options.slots) as (url, process):
        load = Load(url, wanted, options.seconds)
        load.run(options.connections)
        idle = wait_until_idle(url)
        after = sum(ask(url, one, stream=False)[0] == one["answer"] for one in wanted[:8])
        finished = stops_gracefully(url, process, wanted[0])
    figures = load.figures() | {"alone tokens per second": tokens / alone, "slots free afterwards": idle}
    figures |= {"right afterwards": f"{after} of 8", "answered during SIGTERM": finished}
    for name, value in figures.items():
        print(f"{name:28} {value:.3f}" if isinstance(value, float) else f"{name:28} {value}")
    write_result("serving", {**vars(options), **figures})
    right = not (load.counts["wrong"] or load.counts["lost"] or load.counts["mixed"])
    sys.exit(0 if right and idle and after == 8 and finished else 1)


def expect(live: GenerationModel, number: int) -> dict[str, Any]:
    """A request, with the answer that it gets alone."""
    drawn = random.Random(number)
    text = f"{drawn.choice(BEGINNINGS)} number {number}"
    chat = live.can_chat and number % 2 == 1
    fields: dict[str, Any] = {"max_tokens": drawn.randint(4, 32), "temperature": drawn.choice((0, 0.7, 1.0))}
    fields |= {"top_p": drawn.choice((1.0, 0.9)), "seed": number, "stop": drawn.choice(([], ["."], ["\n\n"]))}
    messages = [{"role": "user", "content": text}]
    settings = GenerationSettings(
        max_tokens=fields["max_tokens"],
        sampling=TokenSampling(temperature=fields["temperature"], top_p=fields["top_p"], seed=number),
        stop=tuple(fields["stop"]),
        logprobs=0,
    )
    found = generate(live, [messages if chat else text], settings).texts[0]
    asked = {"messages": messages, "logprobs": True} if chat else {"prompt": text, "logprobs": 0}
    return {
        "path": "/v1/chat/completions" if chat else "/v1/completions",
        "body": {**fields, **asked},
        "answer": (found.text, [token.logprob for token in found.logprobs]),
        "tokens": len(found.ids),
    }


@contextmanager
def server(model: str, slots: int) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server in a process of its own, and its address."""
    command = [sys.executable, "-m", "shoal", "serve", "--model", model, "--port", "0", "--slots", str(slots), "--json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines: list[str] = []
            while not lines or lines[-1].rstrip() != "}":
                lines.append(process.stdout.readline())
                if not lines[-1]:
                    raise RuntimeError("the server did not start")
            yield json.loads("".join(lines))["url"], process
        finally:
            process.kill()


def ask(url: str, one: dict[str, Any], *, stream: bool) -> tuple[tuple[str, list[float]], float]:
    """The answer to a request, and the seconds until its first byte of text."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=300)
    started = time.perf_counter()
    try:
        connection.request("POST", one["path"], json.dumps({**one["body"], "stream": stream}), {
            "Content-Type": "application/json"
        })  # fmt: skip
        response = connection.getresponse()
        if response.status != 200:
            raise http.client.HTTPException(f"status {response.status}: {response.read()[:200]!r}")
        if not stream:
            found = json.loads(response.read())
            return _answer(found["choices"]), time.perf_counter() - started
        choices, first = [], 0.0
        for line in response:
            if line.startswith(b"data: {"):
                choices += json.loads(line[6:])["choices"]
                first = first or time.perf_counter() - started
        return _answer(choices), first
    finally:
        connection.close()


def _answer(choices: list[dict[str, Any]]) -> tuple[str, list[float]]:
    """The text and the log-probabilities of one choice, whole or in pieces."""
    texts, logprobs = [], []
    for choice in choices:
        message = choice.get("message") or choice.get("delta") or {}
        texts.append(choice.get("text") or message.get("content") or "")
        found = choice["logprobs"] or {}
        logprobs += [token["logprob"] for token in found.get("content") or []]
        logprobs += found.get("token_logprobs") or []
    return "".join(texts), logprobs


class Load:
    """Connections that send requests for some time."""

    def __init__(self, url: str, wanted: list[dict[str, Any]], seconds: float) -> None:
        self.url, self.wanted, self.seconds = url, wanted, seconds
        self.counts: Counter[str] = Counter()
        self.times: list[float] = []
        self.firsts: list[float] = []
        self.tokens = 0
        self._lock = threading.Lock()
        self._over = threading.Event()

    def run(self, connections: int) -> None:
        """Send until the time is over."""
        kinds = (self._half_a_request, self._never_reads, self._hangs_up)
        bad = [threading.Thread(target=kind, args=(n,), daemon=True) for kind in kinds for n in range(MISBEHAVING)]
        good = [threading.Thread(target=self._client, args=(number,)) for number in range(connections)]
        self.started = time.perf_counter()
        for thread in (*bad, *good):
            thread.start()
        for thread in good:
            thread.join()
        self.elapsed = time.perf_counter() - self.started
        self._over.set()
        for thread in bad:
            thread.join(30)

    def figures(self) -> dict[str, Any]:
        """Counts and times."""
        whole, first = (np.array(times or [np.nan]) for times in (self.times, self.firsts))
        return {
            **{name: self.counts[name] for name in ("answers", "right", "wrong", "mixed", "lost", "hung up")},
            "requests per second": self.counts["answers"] / self.elapsed,
            "tokens per second": self.tokens / self.elapsed,
            "p50 seconds": float(np.quantile(whole, 0.5)),
            "p99 seconds": float(np.quantile(whole, 0.99)),
            "p50 seconds to first token": float(np.quantile(first, 0.5)),
            "p99 seconds to first token": float(np.quantile(first, 0.99)),
        }

    def _client(self, number: int) -> None:
        drawn = random.Random(number)
        others = {one["answer"][0] for one in self.wanted}
        while time.perf_counter() - self.started < self.seconds:
            one, stream = drawn.choice(self.wanted), drawn.random() < 0.5
            begun = time.perf_counter()
            try:
                answer, first = ask(self.url, one, stream=stream)
            except (OSError, http.client.HTTPException, ValueError) as error:
                print(f"lost: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
                with self._lock:
                    self.counts["lost"] += 1
                continue
            with self._lock:
                self.counts["answers"] += 1
                right = answer == one["answer"]
                self.counts["right" if right else "mixed" if answer[0] in others - {one["answer"][0]} else "wrong"] += 1
                self.times.append(time.perf_counter() - begun)
                self.tokens += one["tokens"]
                if stream:
                    self.firsts.append(first)

    def _open(self, body: dict[str, Any], length: int | None = None) -> socket.socket:
        host, _, port = urlsplit(self.url).netloc.partition(":")
        raw = json.dumps(body).encode()
        line = socket.create_connection((host, int(port)))
        head = f"POST /v1/completions HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        line.sendall(f"{head}Content-Length: {length or len(raw)}\r\n\r\n".encode() + raw)
        return line

    def _half_a_request(self, _: int) -> None:
        with self._open({"prompt": "a"}, length=1000):
            self._over.wait()

    def _never_reads(self, number: int) -> None:
        with self._open({"prompt": "Once", "n": 4, "max_tokens": 64, "stream": True, "seed": number}):
            self._over.wait()

    def _hangs_up(self, number: int) -> None:
        drawn = random.Random(number)
        while not self._over.wait(drawn.uniform(0.2, 2)):
            with suppress(OSError), self._open({"prompt": "Once", "max_tokens": 64, "stream": drawn.random() < 0.5}):
                time.sleep(drawn.uniform(0, 0.5))
            with self._lock:
                self.counts["hung up"] += 1


def wait_until_idle(url: str) -> bool:
    """Whether no text runs or waits within a minute after the last client has gone."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        connection.request("GET", "/health")
        found = json.loads(connection.getresponse().read())
        connection.close()
        if found == {"status": "ok", "running": 0, "waiting": 0}:
            return True
        time.sleep(0.1)
    return False


def stops_gracefully(url: str, process: subprocess.Popen[str], one: dict[str, Any]) -> bool:
    """Whether a request that runs when SIGTERM comes is answered, and the process ends."""
    answers: list[Any] = []
    client = threading.Thread(target=lambda: answers.append(ask(url, one, stream=True)[0]))
    client.start()
    time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    client.join(60)
    with suppress(subprocess.TimeoutExpired):
        process.wait(60)
    return answers == [one["answer"]] and process.returncode is not None


if __name__ == "__main__":
    main()
