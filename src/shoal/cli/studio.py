"""``shoal studio``: runs, models and data in a browser."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from shoal.cli.options import Files, Flag, Json, Texts
from shoal.cli.terminal import print_json, print_notice

DEFAULT_EXAMPLES = Path("examples")


def studio(
    folder: Path = Path("runs"),
    /,
    *,
    port: int = 8765,
    host: str = "127.0.0.1",
    # Named otherwise than its option: tools that check docstrings take "examples" for the name of a section.
    experiments: Annotated[Files, Parameter(name="--examples")] = None,
    corpora: Annotated[list[Path] | None, Parameter(name="--corpus", negative="", consume_multiple=False)] = None,
    models: Annotated[Texts, Parameter(name="--model")] = None,
    read_only: Flag = False,
    token: str | None = None,
    as_json: Json = False,
) -> None:
    """Show runs, models and data in a browser: lists, comparisons, curves while they grow, a playground.

    Open the address that is printed; its token opens the studio, and nobody else can. Ctrl-C stops the studio, and
    experiments that it started go on.

    Parameters
    ----------
    folder
        Folder of the runs. Nothing outside of it is shown but what the other options name.
    port
        Port to listen on; 0 takes any free one.
    host
        Address to listen on. Any but this machine's own lets others see the token, since nothing is encrypted.
    experiments
        Experiment file, or folder of them, that can be started. Repeatable. Default: examples, where it exists.
    corpora
        File of texts to look at. Repeatable.
    models
        Model spec for the playground. Repeatable.
    read_only
        Start, stop and resume nothing, and write nothing into the folder.
    token
        Token that opens the studio. Default: SHOAL_STUDIO_TOKEN where it is set, else a random one.
    as_json
        Print the address as JSON on standard output.
    """
    from shoal.studio import make_settings, serve_studio

    given = experiments if experiments is not None else [DEFAULT_EXAMPLES] if DEFAULT_EXAMPLES.is_dir() else []
    settings = make_settings(
        folder,
        examples=given,
        corpora=corpora or (),
        models=models or (),
        read_only=read_only,
        # Also by the environment, since the command line of a process can be read by others on the machine.
        token=token if token is not None else os.environ.get("SHOAL_STUDIO_TOKEN"),
    )

    def ready(address: str) -> None:
        print_notice(f"the studio over {settings.folder} is open at {address}")
        if as_json:
            print_json({"url": address, "folder": str(settings.folder), "read_only": settings.read_only})

    serve_studio(settings, host=host, port=port, on_ready=ready)
