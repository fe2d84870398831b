"""What a model can be built on; counted by name, with nothing computed or fetched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from stroma.errors import Cancelled, MissingExtraError
from stroma.features import EXTRACTORS
from stroma.features.build import COMBINATIONS, part_names, pipeline, weights_of, within
from stroma.features.part import Feed
from stroma.pixel.choices.aliases import ALIASES, alias_param, extractor_defaults
from stroma.pixel.param import Param
from stroma.weights import CATALOGUE, fetch, status
from stroma.weights.catalogue import Entry as Weights

GREY = Feed(("grey",))
COLOUR = Feed(("red", "green", "blue"), rgb=True)


@dataclass(frozen=True)
class Entry:
    """A name that a model can be built on.

    Parameters
    ----------
    name : str
        Alias of a configuration, or name of an extractor or of a combination.
    kind : {"alias", "extractor", "combination"}
        Which of these it is.
    extractor : str
        The extractors behind it, joined by "+".
    scalings : list or None
        Factors of the pyramid; for a combination one list per part.
    grey, rgb : int or None
        Features per pixel of an image with one channel, and of a colour image; None where a
        dependency is missing.
    weights : {"not needed", "here", "missing", "by hand"}
        Whether the pretrained weights that its defaults use are on this machine, all of them; "by
        hand" where they are missing, and the user has to get them.
    licence : str
        Licences of these weights, joined by "; "; empty where none are needed.
    missing : str
        What is not installed and how to get it; empty where nothing is missing.
    megabytes : int
        Size of the files of these weights, about; of files on a hub, only what is used is fetched.
    """

    name: str
    kind: str
    extractor: str
    scalings: list[Any] | None = None
    grey: int | None = None
    rgb: int | None = None
    weights: str = "not needed"
    missing: str = ""
    licence: str = ""
    megabytes: int = 0


def entries() -> list[Entry]:
    """Return every alias, extractor and combination that is registered."""
    behind = {name: str(values["fe_name"]) for name, values in ALIASES.items()}
    known = [
        *(("alias", name, extractor) for name, extractor in behind.items()),
        *(("extractor", name, name) for name in EXTRACTORS),
        *(("combination", name, parts) for name, parts in COMBINATIONS.items()),
    ]
    return [_entry(*row) for row in known if all(p in EXTRACTORS for p in _parts(row[2]))]


def networks(name: str) -> list[str]:
    """Return the names of weights that an alias or extractor stands for, or an engine for prompts.

    Raises
    ------
    UnknownNameError
        If there is no such name.
    """
    if name in CATALOGUE and name not in EXTRACTORS:
        return [name]
    extractor = str(ALIASES[name]["fe_name"]) if name in ALIASES else name
    return [name for name in _weighted("+".join(part_names(extractor))) if name in CATALOGUE]


def _parts(extractor: str) -> list[str]:
    """Return the registered names in an extractor."""
    return [within(part) for part in extractor.split("+")]


def _weighted(extractor: str) -> list[str]:
    """Return the names of all weights that an extractor may need."""
    return [name for part in extractor.split("+") for name in weights_of(part)]


def to_download(name: str) -> list[Weights]:
    """Return the weights that an alias or extractor needs and that are not here, or not whole."""
    return [CATALOGUE[part] for part in networks(name) if status(part) == "missing"]


def layers_to_download(name: str, layers: Sequence[str]) -> list[Weights]:
    """Return the weights of which chosen layers of an extractor need parts that are not here."""
    if name not in CATALOGUE or _layered(name, layers).is_here:
        return []
    return [CATALOGUE[name]]


def _layered(name: str, layers: Sequence[str]) -> Any:
    """Return an extractor that has layers to choose from, with some of them."""
    return EXTRACTORS[name](layers=tuple(layers))


def download(
    name: str,
    progress: Callable[[int, int], object],
    cancelled: Callable[[], bool],
    *,
    layers: Sequence[str] = (),
) -> None:
    """Fetch the weights that an alias or extractor needs.

    Parameters
    ----------
    name : str
        The alias or extractor.
    progress : callable
        Told how many bytes are done, and of how many.
    cancelled : callable
        Asked whether to stop.
    layers : sequence of str
        Of the extractor, what these need; what its defaults and aliases need, unless given.

    Raises
    ------
    Cancelled
        If it was asked to stop.
    WeightsError
        If they cannot be had.
    """

    def told(done: int, total: int) -> None:
        if cancelled():
            raise Cancelled("The download was stopped.")
        progress(done, total)

    if layers:
        _layered(name, layers).fetch(told)
        return
    for part in networks(name):
        fetch(part, progress=told)


def _entry(kind: str, name: str, extractor: str) -> Entry:
    told: dict[str, Any] = {
        "weights": _weights(extractor),
        "licence": _licence(extractor),
        "megabytes": sum(one.megabytes for one in _files(extractor)),
    }
    try:
        param = alias_param(name) if kind == "alias" else extractor_defaults(name)
        grey, rgb = _count(param, GREY), _count(param, COLOUR)
    except MissingExtraError as error:
        return Entry(name, kind, extractor, missing=str(error), **told)
    return Entry(name, kind, extractor, param.fe_scalings, grey, rgb, **told)


def _files(extractor: str) -> list[Weights]:
    """Return the weights of all parts, each once."""
    return [CATALOGUE[n] for n in dict.fromkeys(_weighted(extractor)) if n in CATALOGUE]


def _weights(extractor: str) -> str:
    """Return the status of the weights of all parts together."""
    found = {status(name) for name in _weighted(extractor)}
    return next(w for w in ("by hand", "missing", "here", "not needed") if w in found)


def _licence(extractor: str) -> str:
    """Return the licences of the weights of all parts, each once."""
    return "; ".join(dict.fromkeys(one.licence for one in _files(extractor)))


def _count(param: Param, feed: Feed) -> int:
    made = pipeline(
        str(param.fe_name),
        layers=param.fe_layers,
        scalings=param.fe_scalings,
        equal_layers=bool(param.fe_use_min_features),
    )
    return len(made.names(feed))
