from .asking import EndpointJudge as EndpointJudge
from .certificate import (
    DamageFinding as DamageFinding,
    JudgeCertificate as JudgeCertificate,
)
from .certify import (
    certify_judge as certify_judge,
    check_stories as check_stories,
)
from .damage import damaged_pieces as damaged_pieces
from .rubric import (
    AGES as AGES,
    DIMENSIONS as DIMENSIONS,
    Judgement as Judgement,
    Piece as Piece,
    read_judgement as read_judgement,
    rubric_prompt as rubric_prompt,
)
