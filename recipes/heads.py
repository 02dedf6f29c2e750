"""Makes the heads that come with shoal: emotion from GoEmotions (Apache-2.0), register from MASC (open data).

    python recipes/heads.py --data ../shared/data --out src/shoal/segmentation/trained [--only emotion]

Equal data give equal heads. What each did on texts held out of its training set is printed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from shoal.corpora.labelled import read_ekman, read_masc
from shoal.segmentation.training import LabelledText, Trained, train_head


def emotion(data: Path) -> Trained:
    """Seven classes from the training comments that have one of them alone."""
    rows = read_ekman(data / "goemotions" / "ekman_train.tsv.gz")
    texts = [LabelledText(label=label, sentences=(comment,)) for label, comment in rows]
    return train_head(
        texts, reader="phrases", source="GoEmotions, training part, Ekman grouping; Apache-2.0", min_count=4
    )


def register(data: Path) -> Trained:
    """The genres of MASC."""
    texts = [
        LabelledText(label=genre, sentences=sentences)
        for genre, sentences in read_masc(data / "nltk" / "masc_tagged.zip").values()
    ]
    source = "MASC (Manually Annotated Sub-Corpus of the American National Corpus); open data"
    return train_head(texts, reader="style", source=source, stretch=15, judged=30, min_count=30)


RECIPES = {"emotion": emotion, "register": register}


def main() -> None:
    """Train and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", choices=RECIPES)
    options = parser.parse_args()
    for name in [options.only] if options.only else RECIPES:
        trained = RECIPES[name](options.data)
        trained.head.save(options.out / name)
        print(
            f"{name}: {len(trained.head.features)} features, ridge {trained.ridge:g}, discount "
            f"{trained.head.discount:.3f}, held-out accuracy {trained.accuracy:.3f}"
        )


if __name__ == "__main__":
    main()
