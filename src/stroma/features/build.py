"""From the name of an extractor, or several, to a pipeline."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from stroma.errors import MissingExtraError, ParameterError, UnknownNameError, short
from stroma.features import EXTRACTORS
from stroma.features.centred import Centred
from stroma.features.contract import Extractor
from stroma.features.naming import original_layers
from stroma.features.networks.shifts import SETS, Shifts
from stroma.features.orthogonal import OrthogonalPlanes
from stroma.features.part import Part
from stroma.features.pipeline import Pipeline
from stroma.registry import suggestion

COMBINATIONS = {
    "combo_dino_vgg": "vgg16+dinov2_vits14_reg",
    "combo_dino_gauss": "gaussian_features+dinov2_vits14_reg",
    "combo_dino_ilastik": "ilastik_2d+dinov2_vits14_reg",
}
"""Names of the original Convpaint for combinations; any ``"a+b"`` of registered names works."""

SYNONYMS = {
    "dino_jafar_small": "jafar:dinov2_vits14_reg",
    "dinov2_small-reg_jafar": "jafar:dinov2_vits14_reg",
    "dinov3_small-plus_jafar": "jafar:dinov3_vits16plus",
    "dinov2_small-reg": "dinov2_vits14_reg",
    "dinov3_small-plus": "dinov3_vits16plus",
}
"""Names that newer versions of the original use for the same extractors."""


TRANSFORMERS = (
    *("dinov2_vits14_reg", "dinov2_vitb14_reg", "dinov2_vits14"),
    *("dinov3_vits16", "dinov3_vits16plus", "dino_vits8"),
)
"""Vision transformers."""

ORTHOGONAL = "orthogonal:"
"""Before the name of an extractor of planes, makes one of volumes of it."""

CENTRED = "centred:"
"""Before the name of a vision transformer, takes away what it says of a place whatever is there."""

ATTENTION = "attention:"
"""Before the name of a vision transformer, says what its class token looks at, not what it sees."""

SHIFTED = re.compile(rf"({'|'.join(SETS)})(?:/(\d+))?:")
"""Before the name of a vision transformer, shifts and flips what it is shown; see `Shifts`."""

GUIDED = {
    "jafar": {
        "dinov2_vits14_reg": "jafar_dinov2_vits14_reg",
        "dinov3_vits16plus": "jafar_dinov3_vits16plus",
    },
    "anyup": dict.fromkeys(TRANSFORMERS, "anyup"),
    "naf": dict.fromkeys(TRANSFORMERS, "naf"),
    "featup": {"dinov2_vits14": "featup_dinov2_vits14"},
}
"""Before the name of a vision transformer, as ``"naf:"``, brings its features to pixels; and which
small network does so, by name of the transformer. See `stroma.features.networks.guided.Guided`, and
for FeatUp `stroma.features.networks.bilateral.Bilateral`."""


def within(name: str) -> str:
    """Return the registered name in one with prefixes, as in ``"both:dinov2_vits14_reg"``."""
    return name.rpartition(":")[2]


def weights_of(name: str) -> list[str]:
    """Return the names of the weights that an extractor takes, if it takes some."""
    *prefixes, inner = name.split(":")
    upsamplers = (GUIDED.get(prefix, {}).get(inner) for prefix in prefixes)
    return [inner, *(network for network in upsamplers if network)]


def register_extractor(name: str, kind: type) -> None:
    """Make a feature extractor known by name until this process ends, as a notebook needs it.

    Packages register theirs by an entry point. Workers of dask do not know what is registered so.

    Parameters
    ----------
    name : str
        What models call it; of letters, digits and underscores.
    kind : type
        A frozen dataclass that keeps the contract of extractors; `stroma.testing` checks it.

    Raises
    ------
    ParameterError
        If the name is taken or cannot be one.
    """
    if not name.isidentifier() or name in COMBINATIONS or name in SYNONYMS:
        raise ParameterError(f"{name!r} cannot be the name of a feature extractor. Choose another.")
    EXTRACTORS.add(name, kind)


def known_names() -> list[str]:
    """Return the names of all extractors and named combinations."""
    return [*EXTRACTORS, *COMBINATIONS]


def installed() -> dict[str, type]:
    """Return the extractors and combinations whose dependencies are installed, by name."""
    found: dict[str, type] = {}
    for name in EXTRACTORS:
        try:
            found[name] = EXTRACTORS[name]
        except MissingExtraError:
            continue
    whole = [name for name, parts in COMBINATIONS.items() if set(parts.split("+")) <= set(found)]
    return found | dict.fromkeys(whole, Pipeline)


def part_names(name: str) -> list[str]:
    """Return the extractors that a name stands for.

    Raises
    ------
    UnknownNameError
        If one of them is not registered.
    """
    given = [part.strip() for part in name.split("+")]
    parts = [one for part in given for one in COMBINATIONS.get(part, part).split("+")]
    parts = [SYNONYMS.get(part, part) for part in parts]
    for part in parts:
        _require_known(part)
    return parts


def _require_known(name: str) -> None:
    """Refuse a name that is not registered, or one before it that is no prefix."""
    *prefixes, inner = name.split(":")
    if inner not in EXTRACTORS:
        hint = suggestion(inner, known_names())
        if not hint.startswith("Did"):
            hint = f"Was it a network? Say its file again: network='{short(inner)}=FILE'. {hint}"
        raise UnknownNameError(f"No feature extractor named {inner!r}. {hint}")
    for prefix in prefixes:
        fits = f"{prefix}:" in (ORTHOGONAL, CENTRED, ATTENTION) or prefix in GUIDED
        if not fits and not SHIFTED.fullmatch(f"{prefix}:"):
            known = [ORTHOGONAL[:-1], CENTRED[:-1], ATTENTION[:-1], *SETS, *GUIDED]
            raise UnknownNameError(
                f"No prefix {prefix!r} of extractors. {suggestion(prefix, known)}"
            )


def layer_keys(name: str) -> list[str] | None:
    """Return what can be chosen in ``layers``, or None if the extractor has no layers."""
    keys = getattr(EXTRACTORS[within(name)], "layer_keys", None)
    return None if keys is None else list(keys())


def default_scalings(name: str) -> list[int]:
    """Return the pyramid factors that an extractor prefers."""
    return list(getattr(EXTRACTORS[within(name)], "default_scalings", (1,)))


def default_layers(name: str) -> list[str] | None:
    """Return the layers that an extractor takes unless told, or None if it has none."""
    keys = getattr(EXTRACTORS[within(name)], "default_layers", None)
    return None if keys is None else list(keys)


def extractor(
    name: str, *, layers: Sequence[str | int] | None = None, device: str = "cpu"
) -> Extractor:
    """Return one extractor.

    Parameters
    ----------
    name : str
        A registered name; after "orthogonal:", one of an extractor of planes, which is then shown
        the planes of a volume in all three directions; after "shifts:", "flips:", "both:" or
        "rotations:", one of a vision transformer, which is then shown many views of a plane, and
        with a number, as in "both/2:", on cells of so many pixels.
    layers : sequence of str or int, optional
        Keys of layers, of which the part before the space is enough, or their positions in
        ``layer_keys(name)``; in which order, makes no difference.
    device : {"auto", "cpu", "cuda", "mps"}
        Where networks run; the others always run on the processor.

    Raises
    ------
    ParameterError
        If the extractor has no layers, or not these.
    """
    if name.startswith(ORTHOGONAL):
        inner = name.removeprefix(ORTHOGONAL)
        return OrthogonalPlanes(extractor(inner, layers=layers, device=device))
    if name.startswith(CENTRED):
        return Centred(extractor(name.removeprefix(CENTRED), layers=layers, device=device))
    if name.startswith(ATTENTION):
        return _attention(name.removeprefix(ATTENTION), device)
    kind, _, guided = name.partition(":")
    if kind in GUIDED:
        return _guided(kind, guided, extractor(guided, layers=layers, device=device))
    if found := SHIFTED.match(name):
        inner, spacing = name[found.end() :], found[2]
        shown = extractor(inner, layers=layers, device=device)
        return Shifts(shown, found[1], int(spacing) if spacing else None)
    kind = EXTRACTORS[name]
    options: dict[str, Any] = {}
    if layers is not None:
        chosen = _resolved(name, layers)
        if hasattr(kind, "from_layers"):
            made: Extractor = kind.from_layers(chosen)
            return made
        options["layers"] = chosen
    if "device" in getattr(kind, "__dataclass_fields__", {}):
        options["device"] = device
    made = kind(**options)
    return made


def _attention(name: str, device: str) -> Extractor:
    """Return what the class token of a vision transformer looks at."""
    if name not in TRANSFORMERS:
        raise ParameterError(
            f"'attention:' stands right before the name of a vision transformer, one of "
            f"{', '.join(TRANSFORMERS)}, got {name!r}. Other prefixes go before it: "
            f"'both:attention:{TRANSFORMERS[0]}'."
        )
    shown = extractor(name, device=device)
    from stroma.features.networks.vit import ClassAttention  # needs torch

    return ClassAttention(shown)


def _guided(kind: str, name: str, shown: Extractor) -> Extractor:
    """Return an extractor brought to pixels."""
    network = GUIDED[kind].get(within(name))
    if network is None or name not in (within(name), CENTRED + within(name)):
        known = ", ".join(map(repr, GUIDED[kind]))
        raise ParameterError(
            f"'{kind}:' brings the features of {known} to pixels, not those of {name!r}. Leave it "
            f"out, or use one of these."
        )
    if kind == "featup":
        from stroma.features.networks.bilateral import Bilateral  # needs torch

        return Bilateral(shown, kind, network)
    from stroma.features.networks.guided import Guided  # needs torch

    return Guided(shown, kind, network)


def pipeline(
    name: str,
    *,
    layers: Sequence[Any] | None = None,
    scalings: Sequence[Any] | None = None,
    order: int = 0,
    equal_layers: bool = False,
    device: str = "cpu",
) -> Pipeline:
    """Return the pipeline of one extractor or a combination ``"a+b"``.

    Parameters
    ----------
    name : str
        Registered names joined by "+", or the name of a combination.
    layers, scalings : sequence, optional
        Of the one extractor; for a combination, one such sequence (or None) per part.
    order : int
        Interpolation of maps coarser than the working grid.
    equal_layers : bool
        Keep as many features of every layer as the smallest has.
    device : str
        Where networks run.
    """
    names = part_names(name)
    parts = []
    for i, part in enumerate(names):
        chosen = _share(layers, i, len(names), "fe_layers")
        factors = _share(scalings, i, len(names), "fe_scalings") or default_scalings(part)
        made = extractor(part, layers=chosen, device=device)
        parts.append(Part(made, tuple(factors), order, equal_layers))
    return Pipeline(tuple(parts))


def _share(values: Sequence[Any] | None, index: int, parts: int, key: str) -> Any:
    """Return what a parameter says of one part."""
    nested = bool(values) and all(v is None or isinstance(v, list | tuple) for v in values or ())
    if values is None or (parts == 1 and not nested):
        return values
    if not nested or len(values) != parts:
        raise ParameterError(
            f"For a combination of {parts} extractors, {key} is a list with {parts} lists "
            f"(or None for a part's default), got {list(values)!r}."
        )
    return values[index]


def _resolved(name: str, layers: Sequence[str | int]) -> tuple[str, ...]:
    keys = layer_keys(name)
    if keys is None:
        raise ParameterError(
            f"The feature extractor {name!r} has no layers to choose from. Set fe_layers to None.",
            told=f"The feature extractor {name!r} has no layers to choose from.",
        )
    known = {key.partition(" ")[0]: key for key in keys}
    original = original_layers(name)
    known |= dict(zip(original, keys, strict=True)) if original else {}
    layer_of = getattr(EXTRACTORS[within(name)], "layer_of", lambda _: None)
    chosen = set()
    for layer in layers:
        if isinstance(layer, int) and not 0 <= layer < len(keys):
            raise ParameterError(f"{name!r} has layers 0 to {len(keys) - 1}, got {layer}.")
        key = keys[layer] if isinstance(layer, int) else known.get(layer.partition(" ")[0], layer)
        found = key if key in keys else layer_of(key)
        if found is None:
            raise UnknownNameError(f"{name!r} has no layer {key!r}. {suggestion(key, keys)}")
        chosen.add(found)
    return (*(key for key in keys if key in chosen), *sorted(chosen - set(keys)))
