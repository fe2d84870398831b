"""One door for models: those of strokes, and networks."""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from stroma.errors import FormatError, MissingExtraError, ParameterError, install
from stroma.zoo.networks.taken import is_foreign
from stroma.zoo.packages.package import NAMES, id_in

if TYPE_CHECKING:
    from stroma.pixel.model import ConvpaintModel
    from stroma.training.model import Network

logger = logging.getLogger(__name__)

NETWORK = ".safetensors"
STROKES = (".pkl", ".yml")
PACKAGE = ".zip"


def load(path: str | Path, *, trust: str | Collection[str] = ()) -> ConvpaintModel | Network:
    """Return the model in a file, whichever kind it is.

    Parameters
    ----------
    path : str or Path
        ``.pkl`` or ``.yml`` of a model of strokes, ``.safetensors`` of a network, ``.zip`` or
        folder of a model package of bioimage.io, the id of one that is fetched from there
        ("affable-shark"), or the file or folder of a network of another program: see
        `stroma.workflow.exchange.foreign`.
    trust : str or collection of str
        Programs in a model package that may run: TorchScript and Python, which can do whatever
        you can. The error that refuses a program names it.

    Raises
    ------
    MissingFileError
        If there is no such file.
    WeightsError
        If it is an id, and nothing can be had for it.
    ParameterError
        If it is the name of a configuration, not of a trained model.
    FormatError
        If it has another ending, is damaged, or is not safe to load.
    ConsentError
        If it is a package with a program that is not among those to trust.
    MissingExtraError
        If it is a network, and what networks need is not installed.
    """
    where = Path(path)
    trusted = (trust,) if isinstance(trust, str) else tuple(trust)
    if where.suffix == NETWORK:
        return _network(where)
    _refuse_alias(where)
    if is_package(where):
        return _package(where, trusted)
    if where.suffix in STROKES:
        from stroma.pixel.model import ConvpaintModel

        return ConvpaintModel(model_path=where)
    if is_foreign(where):
        return _network(where)
    raise FormatError(
        f"A model file ends in .pkl or .yml (strokes), {NETWORK} (a network) or {PACKAGE} (a model "
        f"package), or is a network of another program; got {str(path)!r}."
    )


def _refuse_alias(path: Path) -> None:
    """Refuse the name of a configuration, which is not to be looked for among packages."""
    from stroma.pixel.choices.aliases import ALIASES

    if path.name == str(path) and path.name in ALIASES and not path.exists():
        raise ParameterError(
            f"{path.name!r} is a configuration, which learns from strokes; a trained model is a "
            "file. Give it as the alias to start from, or name a file."
        )


def is_package(path: Path) -> bool:
    """Tell whether a path is that of a model package: a zip, a folder with one in it, an id."""
    if path.suffix == PACKAGE or any((path / name).is_file() for name in NAMES):
        return True
    return bool(id_in(path)) and not path.exists()


def _package(path: Path, trust: Collection[str]) -> Network:
    try:
        from stroma.workflow.exchange.read_package import read_package
    except ModuleNotFoundError as error:
        raise _missing(path, error) from error
    return _told(path, read_package(path, trust=trust))


def _network(path: Path) -> Network:
    try:
        if path.suffix == NETWORK:
            from stroma.training.model import Network

            read = Network.load
        else:
            from stroma.workflow.exchange.foreign import read_foreign as read
    except ModuleNotFoundError as error:
        raise _missing(path, error) from error
    return _told(path, read(path))


def _told(path: Path, network: Network) -> Network:
    """Say the licence of weights that limits their use."""
    from stroma.workflow.exchange.foreign import licence_of

    if licence := licence_of(network.about):
        logger.warning("%s: %s", path, licence)
    return network


def _missing(path: Path, error: ModuleNotFoundError) -> Exception:
    """Return the error for a package that is not installed; of one of ours, the error itself."""
    if (error.name or "").startswith("stroma"):
        return error
    return MissingExtraError(
        f"The network in {path} needs {error.name}. Install it with: {install('train')}"
    )
