"""What the neurons of a model's MLPs fire on, over a corpus."""

from shoal.insight.neurons.examples import NeuronExample
from shoal.insight.neurons.watched import NeuronReport, NeuronReports, watch_neurons

__all__ = ["NeuronExample", "NeuronReport", "NeuronReports", "watch_neurons"]
