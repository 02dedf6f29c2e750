"""A task as a dataset of the Hugging Face library ``datasets``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import MissingExtraError
from shoal.tasks.rows import exported_completion

if TYPE_CHECKING:
    from datasets import DatasetDict

    from shoal.tasks.task import Task


def to_dataset(task: Task, end_token: str | None) -> DatasetDict:
    """The task with its splits ``train`` (seen) and ``test`` (held out) and the columns prompt and completion.

    Args:
        task: the task.
        end_token: the text of a tokenizer's end token, put behind each completion that ends; None leaves them bare.

    Raises:
        MissingExtraError: the library ``datasets`` is not installed.
        DataError: a completion holds the end token already.
    """
    try:
        from datasets import Dataset, DatasetDict
    except ImportError as error:
        raise MissingExtraError("hub", "a data set of the Hugging Face library") from error
    return DatasetDict(
        {
            name: Dataset.from_dict(
                {
                    "prompt": [example.prompt for example in examples],
                    "completion": [
                        exported_completion(place, example, end_token)
                        for place, example in enumerate(examples, start=1)
                    ],
                }
            )
            for name, examples in (("train", task.seen), ("test", task.held_out))
        }
    )
