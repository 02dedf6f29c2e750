from .certificate import (
    Certificate as Certificate,
    CheckResult as CheckResult,
    certify as certify,
    values_text as values_text,
)
from .diff import Evaluator as Evaluator
from .head_path import check_head_path as check_head_path
