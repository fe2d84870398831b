"""What a model does to every image: from pixels to features, and from these to classes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from stroma.blocks.box import PerAxis, per_axis
from stroma.blocks.working import WorkingGrid
from stroma.features.build import pipeline
from stroma.features.filtering.filterbank3d import checked_voxel
from stroma.features.part import Voxel
from stroma.features.pipeline import Pipeline
from stroma.pixel.door import Source
from stroma.pixel.param import Param


@dataclass(frozen=True)
class Recipe:
    """What a model does to every image, apart from the statistics.

    Parameters
    ----------
    pipeline : Pipeline
        From pixels to features.
    factor : int or (int, int, int)
        ``image_downsample``; one number holds along all axes that the pipeline looks at.
    normalize : int
        1 none, 2 per stack, 3 per plane.
    unpatch_order : int
        Interpolation of probabilities of patches.
    smoothing : int
        Radius of the majority filter on labels; 0 is off.
    edges : int
        Radius of the guided filter on probabilities; 0 is off.
    crf : float
        Strength of the dense random field on probabilities; 0 is off.
    joint : bool
        Bring probabilities of coarse cells to pixels with the image as guide.
    exact : bool
        Keep features in single precision where half precision would do.
    voxel : (float, float, float) or None
        Size of a voxel along z, y and x, in µm, instead of what images say.
    """

    pipeline: Pipeline
    factor: int | PerAxis
    normalize: int
    unpatch_order: int
    smoothing: int
    edges: int = 0
    crf: float = 0
    joint: bool = False
    exact: bool = False
    voxel: Voxel | None = None

    @classmethod
    def of(cls, param: Param, *, skip_norm: bool = False, device: str | None = None) -> Recipe:
        """Return the recipe that parameters, all of them set, describe."""
        radius = int(param.seg_smoothening or 0)
        return cls(
            pipeline(
                str(param.fe_name),
                layers=param.fe_layers,
                scalings=param.fe_scalings,
                order=int(param.fe_order or 0),
                equal_layers=bool(param.fe_use_min_features),
                device=device or _device(param.fe_use_gpu),
            ),
            factor=_factor(param.image_downsample),
            normalize=1 if skip_norm else int(param.normalize or 1),
            unpatch_order=int(param.unpatch_order or 0),
            smoothing=radius if radius > 1 else 0,
            edges=int(param.edge_smoothing or 0),
            crf=float(param.crf or 0),
            joint=bool(param.unpatch_guided),
            voxel=None if param.voxel_size is None else checked_voxel(param.voxel_size),
        )

    @property
    def axes(self) -> str:
        """What images are cut into: planes, "yx", or volumes, "zyx"."""
        return self.pipeline.axes

    @property
    def factors(self) -> PerAxis:
        """Factors by which an image is reduced along z, y and x."""
        if isinstance(self.factor, tuple):
            return self.factor if self.axes == "zyx" else (1, *self.factor[1:])
        return per_axis(self.factor, across=self.factor if self.axes == "zyx" else 1)

    def grid(self, source: Source) -> WorkingGrid:
        """Return the working grid of a part of an image."""
        depth = source.depth if self.axes == "zyx" else 1
        return WorkingGrid((depth, *source.plane_shape), self.factors)

    def parts(self, source: Source) -> list[dict[str, int]]:
        """Return the planes, or volumes, of an image, by position along the other axes."""
        return source.parts(self.axes)


@lru_cache(maxsize=64)
def sized(recipe: Recipe, voxel: Voxel | None) -> Recipe:
    """Return the recipe for images with voxels of that size; the same object for the same size."""
    size = recipe.voxel or voxel
    if size is not None:
        z, y, x = (v * max(f, 1) / max(-f, 1) for v, f in zip(size, recipe.factors, strict=True))
        size = z, y, x
    return replace(recipe, pipeline=recipe.pipeline.sized(size))


def _factor(given: Any) -> int | PerAxis:
    """Return a factor as the recipe has it."""
    if isinstance(given, list):
        z, y, x = given
        return z, y, x
    return int(given or 1)


def _device(use_gpu: bool | str | None) -> str:
    if isinstance(use_gpu, str):
        return use_gpu
    return "auto" if use_gpu else "cpu"
