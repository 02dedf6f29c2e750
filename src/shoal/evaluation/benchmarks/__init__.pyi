from .blocks import BlockRunner as BlockRunner, block_runner as block_runner
from .documents import DataFolders as DataFolders
from .encoding import RequestEncoder as RequestEncoder
from .items import (
    BenchmarkItem as BenchmarkItem,
    TaskItems as TaskItems,
    build_items as build_items,
)
from .library import (
    TaskLibrary as TaskLibrary,
    TaskSelection as TaskSelection,
    task_paths as task_paths,
)
from .plans import (
    BenchmarkPlan as BenchmarkPlan,
    PlanBlock as PlanBlock,
    PreparedBenchmarks as PreparedBenchmarks,
    make_plan as make_plan,
)
from .records import (
    BenchmarkRecord as BenchmarkRecord,
    read_records as read_records,
    record_from_dict as record_from_dict,
)
from .requests import RequestAnswerer as RequestAnswerer
from .results import (
    BenchmarkResults as BenchmarkResults,
    ShownItem as ShownItem,
    TaskResult as TaskResult,
)
from .run import (
    BenchmarkOptions as BenchmarkOptions,
    evaluate_benchmarks as evaluate_benchmarks,
    prepare as prepare,
    run_plan as run_plan,
    select_tasks as select_tasks,
    summarize_records as summarize_records,
)
from .samples import write_samples as write_samples
from .shard_work import (
    plan_benchmarks as plan_benchmarks,
    summarize_merged as summarize_merged,
)
from .store import RecordStore as RecordStore
from .summary import summarize_groups as summarize_groups, summarize_task as summarize_task
from .task_files import (
    PythonTaskError as PythonTaskError,
    TaskFile as TaskFile,
    parse_task as parse_task,
)
from .yaml_files import read_task_yaml as read_task_yaml
