from .building import plant_models as plant_models
from .card import (
    PlantedCard as PlantedCard,
    read_planted as read_planted,
)
from .catalog import planted_models as planted_models
from .checking import PlantedCheck as PlantedCheck
from .examples import planted_task as planted_task
from .planted_model import PlantedModel as PlantedModel
from .pretraining import small_llama as small_llama
