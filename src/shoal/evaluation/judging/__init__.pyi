from .certificate import (
    JudgeCertificate as JudgeCertificate,
    PerturbationFinding as PerturbationFinding,
    certify_judge as certify_judge,
    check_stories as check_stories,
)
from .llm_judge import (
    AGES as AGES,
    DIMENSIONS as DIMENSIONS,
    EndpointJudge as EndpointJudge,
    Judgement as Judgement,
    Submission as Submission,
    json_objects as json_objects,
    read_judgement as read_judgement,
    rubric_prompt as rubric_prompt,
)
from .perturbed_stories import make_perturbed_stories as make_perturbed_stories
from .recorded import RecordedJudge as RecordedJudge
