"""Networks of other programs, as ours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stroma.errors import FormatError, short
from stroma.training.files import about as files
from stroma.training.files.about import ORIGIN, About, as_json
from stroma.training.model import Network
from stroma.zoo.networks.taken import TakenNetwork, take_network


def licence_of(about: About) -> str:
    """Return a sentence about the licence of weights that limits their use; "" where none does."""
    licence = about.origin.get("licence")
    if not isinstance(licence, str) or not licence:
        return ""
    program = short(about.origin.get("program"), 60)
    of = f"Licence of the weights of {program}, and of what is trained from them"
    return f"{of}: {short(licence)}."


def read_foreign(path: str | Path) -> Network:
    """Return what `stroma.zoo.networks.taken.take_network` takes over, as one of our networks."""
    return built(take_network(path))


def built(taken: TakenNetwork) -> Network:
    """Return the network that was taken over."""
    about = _about(taken)
    return Network(files.rebuilt(about, taken.tensors, taken.source), about)


def _about(taken: TakenNetwork) -> About:
    """Return what is known of a network, as a file of ours would say it."""
    said, source = taken.about, taken.source
    origin = {"program": taken.program, "file": source.name}
    if taken.licence:
        origin["licence"] = taken.licence
    plan = {**said.get("plan", {}), ORIGIN: origin}
    try:
        made = About(**{**said, "plan": as_json(plan)})
        made.built_target()
        made.scale()
    except files.BROKEN as error:
        raise FormatError(f"{source} does not say what it is: {short(error)}") from error
    return made


@dataclass(frozen=True)
class Kept:
    """A network of another program, kept in a file of ours.

    Parameters
    ----------
    program : str
        Which program wrote it.
    model : Path
        Our file.
    took, left : sequence of str
        What was taken over, and what was not.
    licence : str
        Of the weights, where it limits what they may be used for.
    """

    program: str
    model: Path
    took: tuple[str, ...]
    left: tuple[str, ...]
    licence: str = ""


def keep(
    path: Path,
    out: Path | None,
    *,
    name: str | None = None,
    diameter: float | None = None,
    overwrite: bool = False,
) -> Kept:
    """Write a network of another program to a file of ours.

    Parameters
    ----------
    path : Path
        Its file or folder.
    out : Path, optional
        File or folder to write to; beside it, unless given.
    name : str, optional
        Of the file, in a folder; that of the network, unless given.
    diameter : float, optional
        Of most objects in images, in pixels, for networks that ask for it.
    overwrite : bool
        Replace a file that is there.

    Raises
    ------
    FormatError
        If the network cannot be read, or there is a file already.
    """
    target = out if out is not None and out.suffix == ".safetensors" else None
    if target is None:
        target = (out or path.parent) / f"{name or path.stem}.safetensors"
    if target.exists() and not overwrite:
        raise FormatError(f"There is a file {target} already. Replace it with overwrite=True.")
    taken = take_network(path)
    network = built(taken)
    if diameter is not None:
        network = network.sized(diameter)
    target.parent.mkdir(parents=True, exist_ok=True)
    return Kept(taken.program, network.save(target), taken.took, taken.left, taken.licence)
