from .calibration import (
    calibrate_false_alarms as calibrate_false_alarms,
    fit_open_set as fit_open_set,
    scale_evidence as scale_evidence,
)
from .channels import (
    Channel as Channel,
    Features as Features,
    find_channel as find_channel,
    known_channels as known_channels,
)
from .channels.classifier import (
    ClassifierChannel as ClassifierChannel,
    EmotionChannel as EmotionChannel,
    RegisterChannel as RegisterChannel,
)
from .channels.neural import (
    SentenceVectorChannel as SentenceVectorChannel,
    SurprisalChannel as SurprisalChannel,
)
from .channels.words import TopicChannel as TopicChannel, WordChannel as WordChannel
from .heads import (
    ClassifierHead as ClassifierHead,
    OpenSet as OpenSet,
    load_head as load_head,
    shipped_head as shipped_head,
)
from .labels import (
    SegmentLabel as SegmentLabel,
    SentenceSimilarity as SentenceSimilarity,
    Trait as Trait,
    label_segments as label_segments,
    sentence_similarities as sentence_similarities,
)
from .metrics import (
    boundary_similarity as boundary_similarity,
    pk as pk,
    window_diff as window_diff,
)
from .result import (
    Cut as Cut,
    Segmentation as Segmentation,
)
from .segmenter import (
    as_sentences as as_sentences,
    find_overlong as find_overlong,
    read_lines as read_lines,
    segment as segment,
    segment_features as segment_features,
)
from .training import (
    LabelledText as LabelledText,
    TrainedHead as TrainedHead,
    train_head as train_head,
)
