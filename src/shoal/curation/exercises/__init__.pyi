from .exercise import (
    Exercise as Exercise,
    read_exercises as read_exercises,
    write_exercises as write_exercises,
)
from .grammar import (
    MAX_DIFFICULTY as MAX_DIFFICULTY,
    exercise_topics as exercise_topics,
    make_exercises as make_exercises,
)
from .llm import (
    ExerciseRequest as ExerciseRequest,
    GeneratedExercises as GeneratedExercises,
    draw_requests as draw_requests,
    request_exercises as request_exercises,
)
from .pass_at_k import (
    PassAtK as PassAtK,
    estimate_pass_at_k as estimate_pass_at_k,
    pass_at_k as pass_at_k,
)
from .scoring import (
    ExerciseScores as ExerciseScores,
    function_body as function_body,
    read_solutions as read_solutions,
    sample_solutions as sample_solutions,
    score_solutions as score_solutions,
)
