from .certificate import (
    DamageFinding as DamageFinding,
    JudgeCertificate as JudgeCertificate,
    certify_judge as certify_judge,
    check_stories as check_stories,
)
from .llm_judge import (
    AGES as AGES,
    DIMENSIONS as DIMENSIONS,
    EndpointJudge as EndpointJudge,
    Judgement as Judgement,
    Piece as Piece,
    read_judgement as read_judgement,
    rubric_prompt as rubric_prompt,
)
from .perturbed_stories import damaged_pieces as damaged_pieces
