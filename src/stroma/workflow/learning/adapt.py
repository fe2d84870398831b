"""A trained network and images of another kind to a network that is used to them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stroma.errors import ParameterError
from stroma.training.learning.adaptation import Adaptation, Sureness, sureness, unlabelled
from stroma.training.model import Network
from stroma.workflow.applying.categories import categorised, renumbered
from stroma.workflow.applying.load import load
from stroma.workflow.learning.pairs import all_images, given

if TYPE_CHECKING:
    from stroma.training.learning.loop import Told


def adapt(
    model: Network | str | Path,
    images: Any,
    *,
    source: Any = None,
    source_labels: Any = None,
    minutes: float = 5.0,
    folder: str | Path | None = None,
    tell: Callable[[Told], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    warn: Callable[[Sureness], None] | None = None,
    **options: Any,
) -> Network:
    """Return a network that is used to images of another kind, without labels of them.

    A slow copy of the network, its teacher, says what it is sure of in the new images; the network
    learns that with other intensities, and the teacher follows it.

    Parameters
    ----------
    model : Network or path
        Finds classes, objects or points, or tells whole images apart; stays as it is.
    images : folder, image, path, or list of these
        New images.
    source, source_labels : optional
        Images with labels that are learned from as well, as for ``stroma.learn``: those that the
        network was trained on, or like them.
    minutes : float
        Time for all of it.
    folder : str or Path, optional
        Gets the state: called again after an interruption, it goes on.
    tell, cancel : callable, optional
        As for ``stroma.learn``.
    warn : callable, optional
        Is told beforehand how sure the network is of the new images.
    **options
        Further fields of `stroma.training.learning.adaptation.Adaptation`: ``least``, ``steps``,
        ``rate``, ``batch``, ``decay``, ``device``, ``seed``.

    Returns
    -------
    Network
        What became of it is in ``network.about.training["adapted"]``.

    Raises
    ------
    ParameterError
        If the network is sure of less than ``least`` of the new images, so that it would learn its
        own mistakes.
    """
    network = _network(model)
    return Adaptation(minutes=minutes, **options).run(
        network,
        all_images(images),
        source=_source(network, source, source_labels),
        folder=None if folder is None else Path(folder),
        tell=tell,
        cancel=cancel,
        warn=warn,
    )


def how_sure(model: Network | str | Path, images: Any, *, device: str = "auto") -> Sureness:
    """Return how sure a network is of images; `adapt` refuses those it is too unsure of."""
    network = _network(model)
    return sureness(network, unlabelled(network, all_images(images)), device=device)


def _network(model: Any) -> Network:
    found = load(model) if isinstance(model, str | Path) else model
    if not isinstance(found, Network):
        raise ParameterError(
            f"A trained network (.safetensors) gets used to new images, got {model!s}. A model of "
            "strokes learns them from a few strokes."
        )
    return found


def _source(network: Network, images: Any, labels: Any) -> tuple[list[Any], list[Any]] | None:
    """Return images with labels, as they pair by name."""
    if images is None and labels is None:
        return None
    if images is None:
        raise ParameterError("source_labels go with source, the images that they are of.")
    if network.target.truth == "category":
        data = renumbered(categorised(images, labels), network.classes)
    else:
        data = given(images, labels)
    if data.labels is None:
        raise ParameterError("source are images with labels; give source_labels too.")
    return data.images, data.labels
