from .merging import (
    MergeResult as MergeResult,
    merge_shards as merge_shards,
)
from .plan_file import (
    Shard as Shard,
    ShardBlock as ShardBlock,
    ShardPlan as ShardPlan,
    open_plan as open_plan,
    write_plan as write_plan,
)
from .rows_work import plan_rows as plan_rows
from .shard_files import (
    read_progress as read_progress,
    shard_path as shard_path,
)
from .shard_run import (
    ShardResult as ShardResult,
    run_shard as run_shard,
)
from .shard_work import (
    ShardWork as ShardWork,
    open_work as open_work,
)
