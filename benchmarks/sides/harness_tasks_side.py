"""lm-evaluation-harness on task files with given documents: the requests that its ConfigurableTask builds."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Print the requests of each case without examples and with two, or why it failed."""
    import datasets
    from lm_eval.api.task import ConfigurableTask
    from lm_eval.tasks._yaml_loader import load_yaml

    logging.disable(logging.CRITICAL)
    for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        loaded = datasets.DatasetDict({split: datasets.Dataset.from_list(rows) for split, rows in case["rows"].items()})
        try:
            found: dict[str, Any] = {}
            for shots in (0, 2):
                keys = load_yaml(case["path"])
                for key in ("tag", "group", "task_list"):
                    keys.pop(key, None)
                if keys.get("num_fewshot") != 0:
                    keys["num_fewshot"] = shots
                task = ConfigurableTask(config=keys | {"custom_dataset": lambda loaded=loaded, **_: loaded})
                task.set_fewshot_seed(1234)
                task.build_all_requests(rank=0, world_size=1)
                documents: dict[int, list[Any]] = {}
                for instance in task.instances:
                    documents.setdefault(instance.doc_id, []).append(arguments_of(instance))
                found[str(shots)] = [documents[place] for place in sorted(documents)]
            print("CASE " + json.dumps({"requests": found}))
        except Exception as error:  # noqa: BLE001 (whatever the peer raises is its answer)
            print("CASE " + json.dumps({"error": f"{type(error).__name__}: {error}"[:300]}))


def arguments_of(instance: Any) -> Any:
    """What is asked of the model: a prompt, a text, or a pair."""
    if instance.request_type == "loglikelihood":
        return list(instance.args)
    return instance.args[0]


if __name__ == "__main__":
    main()
