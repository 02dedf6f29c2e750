"""``shoal watch``: spikes, plateaus and divergence in the log of a training that is over."""

from __future__ import annotations

from pathlib import Path

from shoal.cli.options import Json, Plot
from shoal.cli.terminal import check_target, print_json, print_notice, write_whole


def watch(log: Path, /, *, mean_run_length: float = 100_000, plot: Plot = None, as_json: Json = False) -> None:
    """Find spikes, plateaus and divergence in the log of a training that is over, whoever wrote it.

    Parameters
    ----------
    log
        CSV, TSV or JSON-lines file with the columns loss and step, trainer_state.json of transformers, or a folder: of
        a run, or of a Trainer with its checkpoints. The gradient's norm (grad_norm) and times (seconds, timestamp) are
        read too, where there are any.
    mean_run_length
        Steps of a log between two false alarms, on average.
    """
    from shoal.training.watch import Watch, find_training_logs, watch_log

    if plot is not None:
        check_target(plot)
    logs = find_training_logs(log)
    found = [watch_log(path, watch=Watch(mean_run_length=mean_run_length), name=name) for name, path in logs.items()]
    for one in found:
        if not one.has_steps:
            print_notice(f"shoal: {one.name} has no column of steps (step, global_step); its rows are counted from 0")
    if plot is not None:
        from shoal.reports import watch_page

        write_whole(plot, watch_page(str(log), found))
        print_notice(f"written to {plot}")
    if as_json:
        print_json({"logs": [one.to_dict() for one in found]})
    else:
        print(*found, sep="\n")
