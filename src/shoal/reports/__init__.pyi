from .benchmark_page import benchmark_page as benchmark_page
from .changes_page import changes_page as changes_page
from .corpus_comparison_page import corpus_comparison_content as corpus_comparison_content
from .crossed_page import (
    crossed_content as crossed_content,
    crossed_page as crossed_page,
)
from .curation_page import curation_page as curation_page
from .explanation import explanation_page as explanation_page
from .exploration_page import (
    exploration_page as exploration_page,
    write_exploration_page as write_exploration_page,
)
from .html_format import facts as facts
from .inspection_page import inspection_page as inspection_page
from .layers_page import layers_page as layers_page
from .notebook import (
    enable_notebook as enable_notebook,
    show as show,
    to_html as to_html,
)
from .overfit_page import overfit_content as overfit_content
from .perplexity_page import perplexity_page as perplexity_page
from .pretraining_page import (
    LiveCurve as LiveCurve,
    pretraining_content as pretraining_content,
)
from .probe_page import probe_content as probe_content
from .refusal_direction_page import refusal_direction_page as refusal_direction_page
from .refusal_shortcuts_page import refusal_shortcuts_page as refusal_shortcuts_page
from .refusals_page import refusals_page as refusals_page
from .run_page import (
    RUN_KINDS as RUN_KINDS,
    RunKind as RunKind,
    experiment_content as experiment_content,
    find_run_kind as find_run_kind,
    report_style as report_style,
    write_report as write_report,
)
from .safety_tuning_page import safety_tuning_content as safety_tuning_content
from .segment_page import segment_page as segment_page
from .stories_page import rating_page as rating_page
from .sweep_page import sweep_content as sweep_content
from .tokens_page import tokens_page as tokens_page
from .tuning_page import write_tuning_report as write_tuning_report
from .vectors_page import vectors_page as vectors_page
from .verdict import verdict_page as verdict_page
from .watch_page import watch_page as watch_page
from .word_map_page import word_map_page as word_map_page
from .words_page import words_page as words_page
