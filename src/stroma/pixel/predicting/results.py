"""Results of a model as arrays, or in files, of one image or of a list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.errors import ParameterError
from stroma.pixel.door import Source, is_many
from stroma.pixel.predicting.contract import Model
from stroma.pixel.predicting.predict import BlockResult, label_dtype
from stroma.pixel.predicting.run import blocks_of


@dataclass(frozen=True)
class How:
    """What a call says beside the image; as for ``ConvpaintModel.segment``."""

    in_channels: Sequence[int] | None
    skip_norm: bool
    use_dask: bool
    device: str | None


def collected(
    model: Model, image: Any, how: How, *, out: str | Path | None, probabilities: bool
) -> Any:
    """Return labels or probabilities of an image, or of each in a list, or the path of ``out``.

    Raises
    ------
    ParameterError
        If a list of images is to go to one file.
    NotTrainedError, ShapeError, WeightsError
        If the model cannot be applied to the image.
    """
    make = _probabilities if probabilities else _labels
    if out is None:
        model.trained(skip_norm=how.skip_norm, device=how.device)
        return (
            [make(model, one, how) for one in image] if is_many(image) else make(model, image, how)
        )
    from stroma.pixel.predicting.stored import write_result  # zarr is loaded only when it is needed

    if is_many(image):
        raise ParameterError("With out, give one image at a time, not a list.")
    how = How(how.in_channels, how.skip_norm, _on_dask(model, how), how.device)
    return write_result(model, image, out, probabilities=probabilities, **asdict(how))


def _labels(model: Model, image: Any, how: How) -> NDArray[np.unsignedinteger[Any]]:
    source = model.open(image, how.in_channels)
    result = np.zeros(source.shape, label_dtype(model.classes_))
    for block in _blocks(model, source, how):
        result[block.index] = block.labels
    return result


def _probabilities(model: Model, image: Any, how: How) -> NDArray[np.float32]:
    source = model.open(image, how.in_channels)
    result = np.zeros((len(model.classes_), *source.shape), np.float32)
    for block in _blocks(model, source, how):
        result[(slice(None), *block.index)] = block.probabilities
    return result


def _blocks(model: Model, source: Source, how: How) -> Iterator[BlockResult]:
    trained = model.trained(skip_norm=how.skip_norm, device=how.device)
    return blocks_of(source, trained, model.cache, use_dask=_on_dask(model, how))


def _on_dask(model: Model, how: How) -> bool:
    return how.use_dask or bool(model.get_param("use_dask"))
