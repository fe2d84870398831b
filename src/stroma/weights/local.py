"""Weights in files on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.errors import FormatError, MissingExtraError, MissingFileError, install
from stroma.weights.catalogue import Entry
from stroma.weights.safetensors import read_header, read_tensors

VARIABLE = "STROMA_WEIGHTS"
SAFETENSORS = ".safetensors"
PICKLED = (".pth", ".pt", ".bin")
DAMAGES = (
    UnpicklingError,
    RuntimeError,
    EOFError,
    ValueError,
    TypeError,
    AttributeError,
    KeyError,
    IndexError,
    AssertionError,
)
"""What reading a damaged file raises."""

INSIDE = ("state_dict", "model_state", "model", "jafar")
"""Names under which a checkpoint may hold its table of tensors."""


def given_file(entry: Entry, path: str | Path | None) -> Path | None:
    """Return the file the user points to, by argument or else by ``STROMA_WEIGHTS``.

    Parameters
    ----------
    entry : Entry
        Whose weights are looked for.
    path : path or None
        A file, or a folder with a file of one of the names of :func:`file_names`.

    Raises
    ------
    MissingFileError
        If there is nothing at that path, or nothing for this entry in that folder; a folder in
        ``STROMA_WEIGHTS`` may lack some.
    """
    chosen = path or os.environ.get(VARIABLE)
    if not chosen:
        return None
    place = Path(chosen).expanduser()
    if place.is_file():
        return place
    if not place.exists():
        raise MissingFileError(f"There is no weights file or folder {place} for {entry.name!r}.")
    names = file_names(entry)
    if path:  # the folder is meant for this entry alone
        names += [source.file for source in entry.sources if source.file not in names]
    found = next((place / name for name in names if (place / name).is_file()), None)
    if found is None and path:
        raise MissingFileError(
            f"The folder {place} holds no weights for {entry.name!r}. "
            f"Looked for: {', '.join(names)}."
        )
    return found


def file_names(entry: Entry) -> list[str]:
    """Return the names under which a folder may hold the weights of an entry."""
    files = dict.fromkeys(source.file for source in entry.sources)
    return [
        *(f"{entry.name}{suffix}" for suffix in (SAFETENSORS, *PICKLED)),
        *entry.other_files,
        *(Path(file).name for file in files if entry.package),
        *(f"{entry.repository}/{file}" for file in files if entry.repository),
        *(f"{entry.repository.partition('/')[2]}/{file}" for file in files if entry.repository),
    ]


def read_keys(path: Path) -> list[str]:
    """Return the names of the tensors in a file."""
    return list(read_header(path) if path.suffix == SAFETENSORS else _state_dict(path))


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of the tensors in a file."""
    if path.suffix == SAFETENSORS:
        return {key: info.shape for key, info in read_header(path).items()}
    return {key: tuple(tensor.shape) for key, tensor in _state_dict(path).items()}


def read_file(path: Path, keys: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Return some tensors of a file."""
    if path.suffix == SAFETENSORS:
        return read_tensors(path, keys)
    state = _state_dict(path)
    return {key: _as_array(state[key]) for key in keys}


def _state_dict(path: Path) -> dict[str, Any]:
    """Return the tensors of a file of ``torch``; nothing in it is executed."""
    if path.suffix not in (*PICKLED, ""):  # those of Cellpose have none
        raise FormatError(
            f"{path} is not a weights file: its name ends in none of "
            f"{', '.join((SAFETENSORS, *PICKLED))}."
        )
    try:
        import torch
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"Reading {path.name} needs torch. Install it with: {install('deep')}"
        ) from error
    from stroma.weights import inert

    try:
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except UnpicklingError:  # more than tensors, as checkpoints of training hold
            state = inert.read(path)
    except FileNotFoundError as error:
        raise MissingFileError(f"There is no weights file {path}.") from error
    except DAMAGES as error:
        raise FormatError(f"{path} is damaged, or not a plain table of tensors.") from error
    return _tensors_in(state, path)


def _tensors_in(state: Any, path: Path) -> dict[str, Any]:
    """Return the table of tensors, unwrapped where a checkpoint holds it under a name."""
    if not isinstance(state, dict):
        raise FormatError(f"{path} holds no table of tensors, but a {type(state).__name__}.")
    inner = next((state[k] for k in INSIDE if isinstance(state.get(k), dict)), state)
    return {str(key): value for key, value in inner.items() if hasattr(value, "detach")}


def _as_array(tensor: Any) -> NDArray[Any]:
    import torch

    wide = tensor.float() if tensor.dtype == torch.bfloat16 else tensor
    return np.asarray(wide.detach().numpy())
