"""One door for models: those of strokes, and networks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stroma.errors import FormatError, MissingExtraError, install
from stroma.zoo.networks.taken import is_foreign

if TYPE_CHECKING:
    from stroma.pixel.model import ConvpaintModel
    from stroma.training.model import Network

NETWORK = ".safetensors"
STROKES = (".pkl", ".yml")
PACKAGE = ".zip"


def load(path: str | Path) -> ConvpaintModel | Network:
    """Return the model in a file, whichever kind it is.

    Parameters
    ----------
    path : str or Path
        ``.pkl`` or ``.yml`` of a model of strokes, ``.safetensors`` of a network, ``.zip`` of a
        model package of bioimage.io that Stroma wrote, or that holds a network of StarDist or
        Cellpose, or the file or folder of a network of another program: see
        `stroma.workflow.foreign`.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If it has another ending, is damaged, or is not safe to load.
    MissingExtraError
        If it is a network, and what networks need is not installed.
    """
    where = Path(path)
    if where.suffix in (NETWORK, PACKAGE):
        return _network(where)
    if where.suffix in STROKES:
        from stroma.pixel.model import ConvpaintModel

        return ConvpaintModel(model_path=where)
    if is_foreign(where):
        return _network(where)
    raise FormatError(
        f"A model file ends in .pkl or .yml (strokes), {NETWORK} (a network) or {PACKAGE} (a model "
        f"package), or is a network of another program; got {str(path)!r}."
    )


def _network(path: Path) -> Network:
    try:
        if path.suffix == PACKAGE:
            from stroma.workflow.read_package import read_package as read
        elif path.suffix == NETWORK:
            from stroma.training.model import Network

            read = Network.load
        else:
            from stroma.workflow.foreign import read_foreign as read
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("stroma"):
            raise
        raise MissingExtraError(
            f"The network in {path} needs {error.name}. Install it with: {install('train')}"
        ) from error
    return read(path)
