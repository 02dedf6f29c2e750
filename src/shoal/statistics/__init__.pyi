from .bootstrap import crossed_bootstrap as crossed_bootstrap
from .checks import (
    check_alpha as check_alpha,
)
from .checks import (
    check_confidence as check_confidence,
)
from .intervals import (
    Interval as Interval,
)
from .intervals import (
    clopper_pearson_interval as clopper_pearson_interval,
)
from .intervals import (
    wilson_interval as wilson_interval,
)
from .mcnemar import (
    McNemar as McNemar,
)
from .mcnemar import (
    mcnemar_exact as mcnemar_exact,
)
from .planning import (
    PowerPlan as PowerPlan,
)
from .planning import (
    plan_power as plan_power,
)
from .sample_size import (
    fewest_seeds as fewest_seeds,
)
from .sample_size import (
    power as power,
)
from .sample_size import (
    seeds_needed as seeds_needed,
)
from .sample_size import (
    smallest_detectable_effect as smallest_detectable_effect,
)
from .signflip import (
    SignFlip as SignFlip,
)
from .signflip import (
    sign_flip as sign_flip,
)
from .signflip import (
    sign_flip_interval as sign_flip_interval,
)
from .signflip import (
    sign_flip_p_value as sign_flip_p_value,
)
