from .dataset import to_dataset as to_dataset
from .reading import (
    END_TOKEN as END_TOKEN,
    read_rows as read_rows,
)
from .writing import write_rows as write_rows
