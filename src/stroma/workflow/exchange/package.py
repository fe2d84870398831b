"""Model packages of bioimage.io: a trained network as one, with everything that others need."""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from stroma.data.image import Image
from stroma.data.statistics import measure
from stroma.errors import FormatError, MissingExtraError, ParameterError, install
from stroma.io.atomic import replaced
from stroma.io.units import full_name
from stroma.training.files.about import ORIGIN, About
from stroma.training.files.exported import arguments, by_channel, exported, traced
from stroma.training.model import Network
from stroma.training.predicting.lent import require_ours
from stroma.training.predicting.members import members
from stroma.workflow.exchange.foreign import licence_of
from stroma.workflow.exchange.presentation import Array, Card, cover, documentation

KEY = "stroma"
"""Where a package keeps what Stroma knows of its network, under "config"."""

PYDANTIC = "below 2.14"
"""With later ones ``bioimageio.spec`` 0.5.12 refuses whatever it is given."""

DESCRIPTION = "rdf.yaml"
"""What describes a model, in its package."""

SIDES = {2: 256, 3: 32}
"""Sides of windows that others are advised to take at least, in pixels."""


@dataclass(frozen=True)
class Written:
    """A package that was written.

    Parameters
    ----------
    path : Path
        The zip.
    weights : sequence of str
        Formats of weights in it.
    notes : sequence of str
        What users of it should know.
    """

    path: Path
    weights: tuple[str, ...]
    notes: tuple[str, ...]


def export(network: Network, path: str | Path, card: Card, *, image: Any = None) -> Written:
    """Write a network as a model package of bioimage.io, format 0.5.

    Parameters
    ----------
    network : Network
        The network.
    path : str or Path
        A name that ends in ``.zip``.
    card : Card
        What people are told.
    image : Image, path or array, optional
        Shows what the network does: its middle is the test input and the cover. Without one,
        generated noise is.

    Raises
    ------
    ParameterError
        If the network is a program of others, or its licence allows less than that of the card.
    FormatError
        If the name ends otherwise, or the card is not as packages need it.
    MissingExtraError
        If ``bioimageio.spec`` is not installed.
    """
    require_ours(network.about)
    _require_licence(network.about, card)
    target = Path(path)
    if target.suffix != ".zip":
        raise FormatError(f"A model package is a .zip, got {str(path)!r}.")
    try:
        import bioimageio.spec as spec
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"A model package is written by {error.name}. Install it with: {install('zoo')}"
        ) from error
    if not works():
        raise MissingExtraError(
            f"bioimageio.spec needs pydantic {PYDANTIC}, {metadata.version('pydantic')} is "
            f"installed. Install it with: {install('zoo')}"
        )
    with tempfile.TemporaryDirectory() as folder:
        made = _Parts(Path(folder), network, card, image)
        try:
            with spec.ValidationContext(root=made.folder, perform_io_checks=False):
                said = spec.dump_description(made.model())
        except ValueError as error:
            raise FormatError(f"The package cannot be written: {error}") from error
        with replaced(target) as new, zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(DESCRIPTION, yaml.safe_dump(said, sort_keys=False))
            for name in dict.fromkeys(made.files):
                archive.write(made.folder / name, name)
    return Written(target, tuple(made.formats), tuple(made.notes))


def _require_licence(about: About, card: Card) -> None:
    """Refuse to allow everything with weights whose licence does not."""
    limits = licence_of(about)
    if limits and card.license == Card.license:
        raise ParameterError(
            f"{limits} A package under {card.license} would allow more than that. Name a licence "
            "that does not (license='CC-BY-NC-4.0')."
        )


def works() -> bool:
    """Tell whether the pydantic that is installed is one that ``bioimageio.spec`` works with."""
    major, minor = metadata.version("pydantic").split(".")[:2]
    return (int(major), int(minor)) < (2, 14)


class _Parts:
    """The files of a package, as they are written one by one."""

    def __init__(self, folder: Path, network: Network, card: Card, image: Any) -> None:
        self.folder, self.network, self.card, self.image = folder, network, card, image
        self.about = network.about
        self.module = exported(self.about, network.module.cpu())
        self.axes = "zyx"[-self.about.ndim :]
        one = members(network.module)[0]
        self.stride = tuple(int(s) for s in one.stride)  # type: ignore[union-attr]
        self.halo = tuple(int(h) for h in _halo(one, self.about))
        self.sides = tuple(
            _side(h, s, self.about.ndim) for h, s in zip(self.halo, self.stride, strict=True)
        )
        self.formats: list[str] = []
        self.licence = licence_of(self.about)
        self.notes = [self.licence] if self.licence else []
        self.files: list[str] = []

    def model(self) -> Any:
        """Return the description of the model, with all its files written."""
        from bioimageio.spec.model import v0_5 as m

        card = self.card
        raw, prediction = self._tensors()
        cover(raw, prediction).save(self.folder / "cover.png")
        (self.folder / "README.md").write_text(self._documentation(), encoding="utf-8")
        authors = [m.Author(name=name) for name in card.authors]
        cite = [m.CiteEntry(text=card.cite or card.name, doi=card.doi)] if card.doi else []
        return m.ModelDescr(
            name=card.name,
            description=card.description or f"{self.about.target} network trained with Stroma",
            authors=authors,
            cite=cite,
            license=card.license,
            documentation=self._file(m.FileDescr, "README.md"),
            covers=[self._file(m.FileDescr, "cover.png")],
            tags=["segmentation", "stroma", f"{self.about.ndim}d", self.about.target],
            inputs=[self._input(m)],
            outputs=[self._output(m)],
            weights=self._weights(m),
            config=m.Config(**{KEY: self._own()}),
        )

    def _file(self, kind: Any, name: str, **more: Any) -> Any:
        """Return the description of a file of the package, with its hash."""
        digest = hashlib.sha256((self.folder / name).read_bytes()).hexdigest()
        self.files.append(name)
        return kind(source=name, sha256=digest, **more)

    def _documentation(self) -> str:
        return documentation(
            self.card,
            self.network,
            terms=self.licence,
            sides=f"at least {self.sides} pixels along {self.axes}, in steps of {self.stride}",
            context=self.halo,
            inside=by_channel(self.about),
        )

    def _own(self) -> dict[str, Any]:
        """Return what Stroma makes the same network of."""
        said = json.loads(json.dumps(asdict(self.about), default=str))
        said["classes"] = [asdict(c) for c in self.network.classes] if said["classes"] else []
        training = said.get("training", {})
        said["training"] = {
            k: training[k] for k in ("decode", "mirror", "largest", "scores") if k in training
        }
        said["plan"] = {ORIGIN: dict(self.about.origin)} if self.about.origin else {}
        return {"version": 1, "about": said, "result": self.network.target.result}

    def _tensors(self) -> tuple[Array, Array]:
        raw = self._example()
        ready = torch.from_numpy(self._ready(raw))[None]
        with torch.inference_mode():
            found: Array = self.module(ready)[0].numpy()
        np.save(self.folder / "input.npy", raw[None])
        np.save(self.folder / "output.npy", found[None])
        return raw, found

    def _example(self) -> Array:
        """Return the middle of the image that is given, or noise."""
        shape = (self.about.channels, *self.sides)
        if self.image is None:
            noise: Array = np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)
            return noise
        opened = self.network.open(self.image)
        first = opened.at(**{a: 0 for a in "tz" if a in opened.sizes and a not in self.axes})
        values = first.read().astype(np.float32)
        values = values if "c" in first.kept_axes else values[None]
        pads = [
            (0, 0),
            *((0, max(0, n - v)) for n, v in zip(self.sides, values.shape[1:], strict=True)),
        ]
        values = np.pad(values, pads, mode="symmetric")
        start = [(v - n) // 2 for n, v in zip(self.sides, values.shape[1:], strict=True)]
        cut = tuple(slice(a, a + n) for a, n in zip(start, self.sides, strict=True))
        return np.ascontiguousarray(values[(slice(None), *cut)])

    def _ready(self, raw: Array) -> Array:
        if by_channel(self.about):
            return raw
        measured = measure(Image(raw, f"c{self.axes}"))
        return self.about.scale()(raw, measured)

    def _input(self, m: Any) -> Any:
        names = [f"channel{i}" for i in range(self.about.channels)]
        axes = [m.BatchAxis(), m.ChannelAxis(channel_names=names)]
        for axis, side, step in zip(self.axes, self.sides, self.stride, strict=True):
            size = m.ParameterizedSize(min=side, step=step)
            axes.append(m.SpaceInputAxis(id=axis, size=size, **self._spacing(axis)))
        return m.InputTensorDescr(
            id="raw",
            axes=axes,
            test_tensor=self._file(m.FileDescr, "input.npy"),
            preprocessing=_preprocessing(self.about, self.axes, m),
        )

    def _output(self, m: Any) -> Any:
        names = [name.replace(" ", "_") for name in self.network.target.channels()]
        axes = [m.BatchAxis(), m.ChannelAxis(channel_names=names)]
        for axis, halo in zip(self.axes, self.halo, strict=True):
            size = m.SizeReference(tensor_id="raw", axis_id=axis)
            spacing = self._spacing(axis)
            axes.append(m.SpaceOutputAxisWithHalo(id=axis, size=size, halo=halo, **spacing))
        return m.OutputTensorDescr(
            id="prediction",
            axes=axes,
            test_tensor=self._file(m.FileDescr, "output.npy"),
        )

    def _spacing(self, axis: str) -> dict[str, Any]:
        unit = full_name(self.about.unit)
        if not self.about.spacing or not unit:
            return {}
        sizes = dict(zip(self.axes, self.about.spacing, strict=True))
        return {"scale": float(sizes[axis]), "unit": unit}

    def _weights(self, m: Any) -> Any:
        state = {k: v.detach().cpu().contiguous() for k, v in self.module.state_dict().items()}
        torch.save(state, self.folder / "weights.pt")
        version = torch.__version__.partition("+")[0]
        how = m.ArchitectureFromLibraryDescr(
            callable="build",
            import_from="stroma.training.files.exported",
            kwargs=_plain(arguments(self.about)),
        )
        made = {
            "pytorch_state_dict": self._file(
                m.PytorchStateDictWeightsDescr,
                "weights.pt",
                architecture=how,
                pytorch_version=version,
            )
        }
        wider = [self.sides, [n + 2 * s for n, s in zip(self.sides, self.stride, strict=True)]]
        script = traced(self.module, wider, self.about.channels)
        if script is None:
            self.notes.append("TorchScript: this network cannot be written so; state dict only")
        else:
            script.save(self.folder / "weights_torchscript.pt")
            made["torchscript"] = self._file(
                m.TorchscriptWeightsDescr,
                "weights_torchscript.pt",
                pytorch_version=version,
                parent="pytorch_state_dict",
            )
        self.formats = list(made)
        return m.WeightsDescr(**made)


def _plain(values: Any) -> Any:
    return json.loads(json.dumps(values))


def _halo(module: Any, about: About) -> tuple[int, ...]:
    """Return the context of a network; an eighth of its patches where it sees the whole window."""
    if module.halo is not None:
        return tuple(module.halo)
    return tuple(-(-n // 8 // s) * s for n, s in zip(about.patch, module.stride, strict=True))


def _side(halo: int, stride: int, ndim: int) -> int:
    least = max(SIDES[ndim], 2 * halo + stride)
    return -(-least // stride) * stride


def _preprocessing(about: About, axes: str, m: Any) -> list[Any]:
    """Return how intensities are scaled, in words of the format."""
    scale = about.scale()
    floats = [m.EnsureDtypeDescr(kwargs=m.EnsureDtypeKwargs(dtype="float32"))]
    if by_channel(about):
        return floats
    [scheme] = set(scale.schemes)
    space = tuple(axes)
    if scheme == "zscore":
        how = m.ZeroMeanUnitVarianceKwargs(axes=space, eps=1e-8)
        return [*floats, m.ZeroMeanUnitVarianceDescr(kwargs=how)]
    if scheme == "rescale":
        return [*floats, m.ScaleRangeDescr(kwargs=m.ScaleRangeKwargs(axes=space, eps=1e-8))]
    if scheme == "percentile":
        low, high = scale.ranks
        between = m.ScaleRangeKwargs(axes=space, min_percentile=low, max_percentile=high, eps=1e-8)
        return [*floats, m.ScaleRangeDescr(kwargs=between)]
    if scheme == "rgb":
        return [*floats, m.ScaleLinearDescr(kwargs=m.ScaleLinearKwargs(gain=1 / 255))]
    if scheme == "clip":
        limits = m.ClipKwargs(min=scale.low[0], max=scale.high[0])
        fixed = m.FixedZeroMeanUnitVarianceKwargs(mean=scale.mean[0], std=max(scale.std[0], 1e-8))
        return [
            *floats,
            m.ClipDescr(kwargs=limits),
            m.FixedZeroMeanUnitVarianceDescr(kwargs=fixed),
        ]
    return floats
