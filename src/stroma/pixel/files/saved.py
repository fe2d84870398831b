"""A model as it is stored: values, apart from how they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from stroma.classify.contract import Classifier
from stroma.data.classes import Class
from stroma.data.statistics import Statistics
from stroma.errors import WeightsError
from stroma.pixel.param import Param
from stroma.pixel.training.learn import Entry


@dataclass(frozen=True, eq=False)
class Fitted:
    """Everything that training leaves behind; replaced as a whole, or not at all.

    Parameters
    ----------
    kind : str
        Registered name of the classifier.
    classifier : Classifier
        Fitted.
    channels : int
        Channels of the training images in use.
    in_channels : tuple of int or None
        Channels that were selected from them.
    feature_names : tuple of str
        One per column of the classifier.
    statistics : Statistics or None
        Of the training images together, where the model normalises by them.
    weights : tuple of dict
        What identifies the pretrained weights the features came from.
    rgb : bool or None
        Whether the channels are red, green and blue; None in files that do not say.
    """

    kind: str
    classifier: Classifier
    channels: int
    in_channels: tuple[int, ...] | None
    feature_names: tuple[str, ...]
    statistics: Statistics | None
    weights: tuple[dict[str, str], ...] = ()
    rgb: bool | None = None

    def require_same_weights(self, present: Sequence[dict[str, str]]) -> None:
        """Raise where the features would come from other weights than in training.

        Raises
        ------
        WeightsError
            Naming the weights of the training and those that are here.
        """
        for known, now in zip(self.weights, present, strict=True):
            if known["digest"] != now["digest"]:
                raise WeightsError(
                    f"The model was trained with other weights of {known['name']!r}: "
                    f"{_described(known)}; here are {_described(now)}. Put the former where they "
                    f"are looked for (STROMA_WEIGHTS), or train again."
                )


@dataclass(frozen=True, eq=False)
class Saved:
    """A model as it is stored."""

    param: Param
    fitted: Fitted | None
    classes: tuple[Class, ...] = ()
    memory: Mapping[str, Entry] = field(default_factory=dict)


def _described(weights: Mapping[str, str]) -> str:
    return ", ".join(str(weights[key]) for key in ("repository", "revision", "file", "digest"))
