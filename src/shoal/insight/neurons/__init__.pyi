from .activations import (
    TopActivations as TopActivations,
    neuron_activations as neuron_activations,
)
from .selective_neurons import (
    NeuronExample as NeuronExample,
    NeuronReport as NeuronReport,
    NeuronReports as NeuronReports,
    NeuronSettings as NeuronSettings,
    find_selective_neurons as find_selective_neurons,
)
from .selectivity import (
    Selectivity as Selectivity,
    TokenSums as TokenSums,
    class_separation as class_separation,
    selectivity as selectivity,
)
