from .exporting import export_model as export_model
from .formats.base import export_format_names as export_format_names
from .prompts import held_out_prompts as held_out_prompts
from .result import (
    ExportedFile as ExportedFile,
    ModelExport as ModelExport,
)
from .verification import (
    ExportVerification as ExportVerification,
    GreedyDifference as GreedyDifference,
)
