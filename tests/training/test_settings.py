from __future__ import annotations

import math
import subprocess
import sys

import pytest

from shoal.errors import UnknownNameError, UsageError
from shoal.training import RANGES, TrainSettings, default_beta2, optimizer_names


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("learning_rate", -1e-9, "≥ 0"),
        ("learning_rate", math.inf, "< inf"),
        ("learning_rate", math.nan, "≥ 0"),
        ("epochs", 0.0, "> 0"),
        ("batch_tokens", 0, "≥ 1"),
        ("micro_tokens", -1, "≥ 0"),
        ("beta2", 1.0, "< 1"),
        ("dropout", 1.0, "< 1"),
        ("warmup", 1.01, "≤ 1"),
        ("l1", -1e-9, "≥ 0"),
        ("l2", math.inf, "< inf"),
        ("label_smoothing", 1.0, "< 1"),
        ("ema_decay", 1.0, "< 1"),
        ("swa_start", 1.0, "< 1"),
        ("early_stopping_patience", -1, "≥ 0"),
        ("early_stopping_alpha", 0.0, "> 0"),
        ("evaluate_every", -1, "≥ 0"),
        ("matrix_learning_rate", -1.0, "≥ 0"),
        ("seed", -1, "≥ 0"),
        ("seed", 2**32, "< 4294967296"),
    ],
)
def test_a_number_out_of_its_range_is_refused_with_the_range(name, value, expected):
    with pytest.raises(UsageError, match=f"{name} = {value} is out of range; expected .*{expected}"):
        TrainSettings(**{name: value})


def test_the_ends_of_the_ranges_are_allowed():
    TrainSettings(learning_rate=0.0, micro_tokens=0, beta2=0.0, warmup=1.0, checkpoint_seconds=0.0)
    TrainSettings(schedule="wsd", warmup=0.25, decay=0.75)
    TrainSettings(schedule="cosine", warmup=0.9, decay=0.9)
    with pytest.raises(UsageError, match=r"decay = 0.76 is out of range; with warmup = 0.25 expected ≤ 0.75"):
        TrainSettings(schedule="wsd", warmup=0.25, decay=0.76)


def test_every_range_is_of_a_setting_and_holds_its_default():
    settings = TrainSettings()
    assert all(hasattr(settings, name) for name in RANGES)


def test_an_unknown_optimizer_names_the_nearest():
    with pytest.raises(UnknownNameError, match="unknown optimizer 'adamm'; did you mean 'adam"):
        TrainSettings(optimizer="adamm")
    assert set(optimizer_names()) >= {"adamw", "adam", "sgd", "muon"}


def test_the_default_memory_of_adam_grows_with_the_training_up_to_a_bound():
    assert default_beta2("adamw", 10) == 0.9
    assert default_beta2("adamw", 100) == 0.95
    assert default_beta2("adamw", 10**6) == default_beta2("muon", 10) == 0.999


def test_settings_are_checked_without_torch():
    code = "import sys, shoal.training as t; t.TrainSettings(optimizer='muon'); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
