"""Long texts cut where their distribution changes."""

from shoal.segmentation.features import Channel, Features
from shoal.segmentation.result import Cut, Segmentation
from shoal.segmentation.segmenter import segment
from shoal.segmentation.sentences import read_lines, split_sentences
from shoal.segmentation.words import Words

__all__ = ["Channel", "Cut", "Features", "Segmentation", "Words", "read_lines", "segment", "split_sentences"]
