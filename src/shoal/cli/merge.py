"""``shoal merge``: the records of a plan's shards, merged in the order of the plan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from shoal.cli.options import Json
from shoal.cli.terminal import check_target, print_json, progress_bars


def merge(
    plan: Path,
    sources: Annotated[list[Path], Parameter(negative="")],
    /,
    *,
    out: Path,
    as_json: Json = False,
) -> None:
    """Merge the records of a plan's shards; the file is the same bytes for every number of shards.

    Lost, contradictory and unknown items are named, with the shard to run again; then nothing is written.

    Parameters
    ----------
    plan
        Plan file that the shards were run by.
    sources
        Folders that the shards were run into, or their files. Several may hold the same shards.
    out
        File to write the records to, one JSON line per item.
    """
    from shoal.evaluation.sharding import merge_shards, open_plan

    check_target(out)
    with progress_bars() as progress:
        result = merge_shards(open_plan(plan), sources, out, progress=progress)
    if as_json:
        print_json(result.to_dict())
    else:
        print(result)
