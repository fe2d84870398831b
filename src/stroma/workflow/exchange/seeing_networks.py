"""Networks that see for models of strokes: named by front ends, kept by projects.

What a project keeps of one is a copy of its file, or its id, and the number of its bytes; a program
that runs with the consent of the user is neither kept nor run again without it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from stroma.errors import (
    FormatError,
    MissingExtraError,
    MissingFileError,
    ParameterError,
    StromaError,
    install,
    short,
)
from stroma.features import EXTRACTORS
from stroma.features.build import within
from stroma.pixel.choices.aliases import extractor_defaults
from stroma.workflow.exchange.network_files import copy_once, digest, is_id, place_of
from stroma.zoo.packages.collection import is_here
from stroma.zoo.packages.package import id_in

if TYPE_CHECKING:
    from stroma.workflow.exchange.network_features import NetworkFeatures

Which = Literal["inner", "outputs"]

LOG = logging.getLogger(__name__)

ROOM = "networks"
"""Folder of a project with the files of networks, each in one that is named like its features."""

DIGITS = 8
"""Of the number of its bytes, in the name of a network's features."""

OWN = {"yx": "texture_2d+color_2d", "zyx": "texture_3d"}
"""Features of our own that go with those of a network, by the axes of what it is shown."""

SEEN = {"outputs": "its channels", "inner": "what its last convolution makes them of"}
"""What features of a network are, for people."""

AGAIN = "Choose the network again in the panel Model."


def register(
    name: str, source: str | Path, *, which: Which = "outputs", trust: Collection[str] = ()
) -> None:
    """Make a network a feature extractor, see `stroma.workflow.exchange.network_features`.

    Raises
    ------
    MissingExtraError
        If what networks need is not installed.
    """
    try:
        from stroma.workflow.exchange.network_features import register_network
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"The network in {source} needs {error.name}. Install it with: {install('train')}"
        ) from error
    register_network(name, source, which=which, trust=tuple(trust))


def name_features(source: str | Path, *, folder: Path | None = None) -> str:
    """Make a network a feature extractor, and return the name that it gets.

    The name is that of its file, and a number made of its bytes: so it means the same network in
    every project.

    Parameters
    ----------
    source : str or Path
        Whatever `stroma.load` takes as a network: a package, its id, a file of ours or of others.
    folder : Path, optional
        A project, which is given a copy that is read from then on.

    Raises
    ------
    ParameterError
        If it is no network, or one whose features cannot be had.
    ConsentError
        If it is a program of others.
    """
    place = place_of(source)
    called = id_in(source) if is_id(source) else place.name.partition(".")[0]
    name = f"{re.sub(r'[^0-9A-Za-z_]', '_', called)[:40]}_{digest(place)[:DIGITS]}"
    name = name if name.isidentifier() else f"n{name}"
    register(name, source)
    if folder is not None and not is_id(source):
        copy_once(place, copy := folder / ROOM / name / place.name)
        EXTRACTORS.added[name].path = str(copy)
    return name


def params_with(name: str, *, own: bool = True) -> dict[str, Any]:
    """Return parameters of a model that sees with a network, and with features of our own too."""
    axes = EXTRACTORS[name].axes
    made = extractor_defaults(f"{OWN[axes]}+{name}" if own else name)
    return {key: made.get(key) for key in ("fe_name", "fe_layers", "fe_scalings")}


def networks_in(features: str | None) -> dict[str, type[NetworkFeatures]]:
    """Return the networks among the extractors of a model, by name."""
    names = [within(part) for part in str(features or "").split("+")]
    added = {name.strip(): EXTRACTORS.added.get(name.strip()) for name in names}
    return {name: kind for name, kind in added.items() if kind is not None and _sees(kind)}


def _sees(kind: Any) -> bool:
    return getattr(kind, "network", None) is not None


def title_of(features: str | None) -> str:
    """Return the extractors of a model for people: networks by the names of their files."""
    found = networks_in(features)
    if not found:
        return str(features)
    others = set(str(features).split("+")) - set(found)
    files = " and ".join(Path(kind.path).name for kind in found.values())
    return f"Stroma's features and {files}" if others else f"Features of {files}"


# ---------------------------------------------------------------------- projects


def facts(features: str | None) -> dict[str, dict[str, str]]:
    """Return what a project says of the networks that a model sees with."""
    return {name: _facts(kind) for name, kind in networks_in(features).items()}


def _facts(kind: type[NetworkFeatures]) -> dict[str, str]:
    known = {"digest": kind.digest, "which": kind.which}
    if kind.trust:
        return {**known, "program": Path(kind.path).name}
    return {**known, "id" if is_id(kind.path) else "file": Path(kind.path).name}


def keep(features: str | None, folder: Path) -> None:
    """Copy the files of the networks that a model sees with into a project."""
    for name, kind in networks_in(features).items():
        source = Path(kind.path)
        if kind.trust or is_id(kind.path):
            continue
        if not source.exists():
            LOG.warning("%s is gone: the project %s is saved without it", source, folder)
            continue
        copy_once(source, folder / ROOM / name / source.name)


def restore(said: object, folder: Path) -> str:
    """Make the networks that a project keeps feature extractors again.

    Parameters
    ----------
    said : object
        What `facts` gave; may have been written by anybody.
    folder : Path
        The project.

    Returns
    -------
    str
        What people should know: which of them cannot be had, and why.
    """
    told = []
    for name, known in said.items() if isinstance(said, Mapping) else ():
        try:
            _restore(str(name), known if isinstance(known, Mapping) else {}, folder)
        except (StromaError, OSError) as error:
            told.append(f"The network {short(name)} does not see any more: {error} {AGAIN}")
    return " ".join(told)


def _restore(name: str, known: Mapping[str, Any], folder: Path) -> None:
    if name in EXTRACTORS.added:
        _require_same(name, known)
        return
    if "program" in known:
        raise ParameterError(
            f"it is a program of others, {short(known['program'])}, which is run only where you "
            f"say so: stroma --network {short(name)}=FILE --trust NUMBER paint ..."
        )
    source = str(known["id"]) if "id" in known else _kept(name, known, folder)
    if "id" in known and not is_here(id_in(source)):
        raise MissingFileError(f"{short(source)} was not fetched on this machine.")
    if digest(place_of(source)) != known.get("digest"):
        raise FormatError("it is not the one that the project was made with.")
    register(name, source, which=_which(known))


def _require_same(name: str, known: Mapping[str, Any]) -> None:
    """Refuse a network that goes by the name already, where it would give other features."""
    kind, wanted = EXTRACTORS.added[name], _which(known)
    if getattr(kind, "digest", None) != known.get("digest"):
        raise ParameterError("another one of that name is in use.")
    if getattr(kind, "which", None) != wanted:
        inner = ":inner" if wanted == "inner" else ""
        raise ParameterError(
            f"the project was made with {SEEN[wanted]}, and {short(name)} is in use as "
            f"{SEEN['outputs' if inner else 'inner']}: stroma --network {short(name)}{inner}=FILE"
            " paint ..."
        )


def _which(known: Mapping[str, Any]) -> Which:
    return "inner" if known.get("which") == "inner" else "outputs"


def _kept(name: str, known: Mapping[str, Any], folder: Path) -> Path:
    """Return the copy in a project; what lies elsewhere is no copy."""
    path = folder / ROOM / name / str(known.get("file", ""))
    room = (folder / ROOM / name).resolve()
    inside = [path, *(path.rglob("*") if path.is_dir() else ())]
    if not path.is_relative_to(folder) or path.resolve() == room:
        raise FormatError("the project does not say which file it is.")
    for one in inside:
        if one.is_symlink() or not one.resolve().is_relative_to(room):
            raise FormatError(f"{one} lies outside of the project.")
    if not path.exists():
        raise MissingFileError(f"{path} is gone.")
    return path
