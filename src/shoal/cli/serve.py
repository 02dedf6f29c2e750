"""``shoal serve``: a model behind OpenAI's protocol."""

from __future__ import annotations

import os

from shoal.cli.options import Context, Device, Dtype, Json, Model
from shoal.cli.terminal import print_json, print_notice

DEFAULT_CONTEXT = 4096


def serve(
    *,
    model: Model,
    host: str = "127.0.0.1",
    port: int = 8000,
    name: str | None = None,
    api_key: str | None = None,
    slots: int = 16,
    context: Context = None,
    max_tokens: int | None = None,
    max_body: int = 2_000_000,
    max_seconds: float = 600.0,
    max_waiting: int = 256,
    grace: float = 30.0,
    device: Device = "auto",
    dtype: Dtype = "float32",
    as_json: Json = False,
) -> None:
    """Serve a model: /v1/completions (with echo and logprobs), /v1/chat/completions, /v1/models, /health, /metrics.

    An answer depends on its request alone, not on what else is computed. SIGTERM or Ctrl-C stops the server when the
    running requests are answered.

    Parameters
    ----------
    host
        Address to listen on. Any but this machine's own needs an API key.
    port
        Port to listen on; 0 takes any free one.
    name
        Name of the model for clients. Default: its spec.
    api_key
        Key that clients must send. Default: the environment variable SHOAL_API_KEY, where it is set.
    slots
        Texts that are generated at a time; further ones wait.
    max_tokens
        Largest number of tokens that a request may let be generated per text.
    max_body
        Largest size of a request in bytes.
    max_seconds
        Seconds that a request may take.
    max_waiting
        Texts that may wait for a slot; further requests get the status 429.
    grace
        Seconds that running requests get when the server is stopped.
    as_json
        Print the address as JSON on standard output.
    """
    from shoal.cli.generation_work import load_with_estimate
    from shoal.serving.server import ServerLimits, check_address, check_installed, listen, serve as serve_model

    check_installed()
    key = api_key if api_key is not None else os.environ.get("SHOAL_API_KEY")
    check_address(host, key)
    # A port that is taken is found before the model is loaded.
    listen(host, port).close()
    limits = ServerLimits(body_bytes=max_body, seconds=max_seconds, tokens=max_tokens, waiting=max_waiting)
    live = load_with_estimate(
        model, device=device, dtype=dtype, rows=slots, context=DEFAULT_CONTEXT if context is None else context
    )

    def ready(url: str) -> None:
        print_notice(f"{live.loaded.spec} is served at {url}/v1 ({live.decoder.description})")
        if as_json:
            print_json({"url": url, **live.describe()})

    serve_model(live, host=host, port=port, name=name, api_key=key, limits=limits, grace=grace, on_ready=ready)
