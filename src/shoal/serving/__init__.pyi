from .chat_answer import (
    ChatAnswer as ChatAnswer,
    chat as chat,
    open_conversation as open_conversation,
)
from .engine import GenerationEngine as GenerationEngine
from .generations import (
    Generations as Generations,
    generate as generate,
    generation_record as generation_record,
)
from .model import (
    GenerationModel as GenerationModel,
    load_for_generation as load_for_generation,
    make_generation_model as make_generation_model,
)
from .prompts import (
    read_prompts as read_prompts,
    read_text_prompts as read_text_prompts,
)
from .result import (
    GeneratedText as GeneratedText,
    TokenLogProb as TokenLogProb,
)
from .running import (
    Piece as Piece,
    RunningGeneration as RunningGeneration,
)
from .settings import GenerationSettings as GenerationSettings
from .stop_strings import (
    StopMatcher as StopMatcher,
    check_stop_strings as check_stop_strings,
)
from .text_records import (
    FileGenerations as FileGenerations,
    TextRecords as TextRecords,
    encoding_digest as encoding_digest,
    generate_to_file as generate_to_file,
)
