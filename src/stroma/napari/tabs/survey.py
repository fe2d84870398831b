"""What models this machine has to offer, found out in a process of its own.

To count the features of a network, torch is imported, during which nothing else in a process goes
on for some tenths of a second: napari would stand still.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib.util import find_spec

from stroma.errors import StromaError
from stroma.pixel.choices.catalogue import Entry, entries


@dataclass(frozen=True)
class Survey:
    """What there is.

    Parameters
    ----------
    entries : tuple of Entry
        Configurations and extractors.
    layers : dict of str to list of str
        Layers to choose from, of every extractor that has some.
    devices : tuple of str
        Where networks can run, the best first; empty without torch.
    """

    entries: tuple[Entry, ...]
    layers: dict[str, list[str]]
    devices: tuple[str, ...]


def survey() -> Survey:
    """Return what there is on this machine; takes some seconds, and no time of this process.

    Raises
    ------
    StromaError
        If that process fails.
    """
    ran = subprocess.run([sys.executable, "-m", __name__], capture_output=True, text=True)
    if ran.returncode:
        last = ran.stderr.strip().rpartition("\n")[2]
        raise StromaError(f"The models cannot be listed ({last}). Try: stroma models")
    found = json.loads(ran.stdout)
    known = tuple(Entry(**entry) for entry in found["entries"])
    return Survey(known, found["layers"], tuple(found["devices"]))


def _found_here() -> Survey:
    known = tuple(entries())
    single = {e.extractor for e in known if not e.missing and "+" not in e.extractor}
    return Survey(known, {name: keys for name in single if (keys := _keys(name))}, _devices())


def _keys(name: str) -> list[str]:
    from stroma import ConvpaintModel

    return ConvpaintModel(fe_name=name).get_fe_layer_keys() or []


def _devices() -> tuple[str, ...]:
    if find_spec("torch") is None:
        return ()
    from stroma.backbones.device import available

    return available()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(_found_here())))
