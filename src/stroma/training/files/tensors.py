"""Tensors in a safetensors file, with JSON in its header: what networks and states are kept in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from stroma.io.atomic import replaced


def write_tensors(
    path: Path, tensors: Mapping[str, torch.Tensor], key: str, said: Mapping[str, Any]
) -> None:
    """Write tensors, and values as JSON under a key of the header.

    Parameters
    ----------
    path : Path
        File that appears whole or not at all.
    tensors : mapping of str to tensor
        On any device; those that share memory are written each.
    key : str
        Of the header.
    said : mapping
        What JSON can hold.
    """
    plain = {k: v.detach().cpu().clone().contiguous() for k, v in tensors.items()}
    with replaced(path) as new:
        new.touch()
        usual = new.stat().st_mode
        save_file(plain, new, metadata={key: json.dumps(said)})
        new.chmod(usual)  # safetensors lets nobody but the owner read what it writes
