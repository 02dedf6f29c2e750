from .chat_format import (
    ChatFormat as ChatFormat,
    Layout as Layout,
    count_tokens_of as count_tokens_of,
)
from .drawing import (
    WithheldPairs as WithheldPairs,
    balanced_requests as balanced_requests,
    check_both_kinds as check_both_kinds,
    withhold_requests as withhold_requests,
)
from .measuring import (
    HeldOutLoss as HeldOutLoss,
    RequestAnswer as RequestAnswer,
    answer_requests as answer_requests,
    benchmark_accuracies as benchmark_accuracies,
    held_out_losses as held_out_losses,
    read_benchmarks as read_benchmarks,
)
from .rows import (
    InstructionPair as InstructionPair,
    SafetyRequest as SafetyRequest,
    read_instruction_pairs as read_instruction_pairs,
    read_safety_requests as read_safety_requests,
)
