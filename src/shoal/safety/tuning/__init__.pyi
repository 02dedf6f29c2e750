from .adapted import (
    AdaptedModel as AdaptedModel,
    merge_into as merge_into,
    merged_copy as merged_copy,
)
from .chat_format import (
    ChatFormat as ChatFormat,
    Layout as Layout,
    count_tokens_of as count_tokens_of,
)
from .direction import (
    MAX_DIVERGENCE as MAX_DIVERGENCE,
    REFUSAL_OPENINGS as REFUSAL_OPENINGS,
    BlockCandidate as BlockCandidate,
    RefusalDirection as RefusalDirection,
    direction_ablated as direction_ablated,
    direction_added as direction_added,
    find_direction as find_direction,
)
from .direction_effects import (
    CONDITIONS as CONDITIONS,
    DirectionCost as DirectionCost,
    DirectionEffects as DirectionEffects,
    DirectionParts as DirectionParts,
    RefusalRate as RefusalRate,
    measure_direction as measure_direction,
    split_prompts as split_prompts,
)
from .drawing import (
    WithheldPairs as WithheldPairs,
    balanced_requests as balanced_requests,
    check_both_kinds as check_both_kinds,
    withhold_requests as withhold_requests,
)
from .measuring import (
    HeldOutLoss as HeldOutLoss,
    MeasuredAnswer as MeasuredAnswer,
    answer_requests as answer_requests,
    benchmark_accuracies as benchmark_accuracies,
    held_out_losses as held_out_losses,
    read_benchmarks as read_benchmarks,
)
from .rows import (
    InstructionPair as InstructionPair,
    SafetyRequest as SafetyRequest,
    distinct_requests as distinct_requests,
    read_instruction_pairs as read_instruction_pairs,
    read_safety_requests as read_safety_requests,
)
from .writing import (
    INSTRUCTION as INSTRUCTION,
    SafeAnswer as SafeAnswer,
    SafeAnswerRequest as SafeAnswerRequest,
    SafeAnswers as SafeAnswers,
    check_safe_answers as check_safe_answers,
    sample_requests as sample_requests,
    seed_safe_answers as seed_safe_answers,
    write_safe_answers as write_safe_answers,
)
