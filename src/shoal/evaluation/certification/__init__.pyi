from .certificate import (
    Certificate as Certificate,
    CheckResult as CheckResult,
)
from .head_path import check_head_path as check_head_path
from .proving import certify as certify
from .records import Evaluator as Evaluator
