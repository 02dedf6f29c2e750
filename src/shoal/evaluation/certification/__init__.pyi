from .certificate import (
    Certificate as Certificate,
    CheckResult as CheckResult,
    certify as certify,
    values_text as values_text,
)
from .choices import ChoiceItem as ChoiceItem
from .generation import GenerationItem as GenerationItem
from .head_path import check_head_path as check_head_path
from .item_kinds import Evaluator as Evaluator
