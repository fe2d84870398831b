"""``stroma demo``: the main job, on a micrograph and strokes that are here already."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from stroma.cli.show import AsJson, as_json, progress, refuse_existing

STROKES = Path(__file__).parent / "demo_strokes.png"
"""Strokes on ``skimage.data.immunohistochemistry()``: a label image that names its classes."""


def demo(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("demo"),
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace what is in the folder.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Segment a real micrograph from a few strokes.

    A section of colonic glands, stained for a protein of the epithelium, comes with scikit-image;
    the strokes mark epithelium, stroma and lumen.
    """
    refuse_existing(out / "tissue.png", overwrite=overwrite)
    from stroma import ConvpaintModel
    from stroma.workflow.applying.outputs import Outputs
    from stroma.workflow.applying.segment import segment_files
    from stroma.workflow.learning.train import train_files

    image, strokes, model_file = (
        out / name for name in ("tissue.png", "tissue_strokes.png", "tissue.pkl")
    )
    write_sample(image, strokes)
    model = train_files(ConvpaintModel("stroma"), [(image, strokes)])
    model.save(model_file, create_yml=False)
    wanted = Outputs(overlay=True, tables=True, overwrite=True)
    with progress() as report:
        result = segment_files(
            model,
            [image],
            out,
            outputs=wanted,
            progress=lambda p: report(p.path.name, p.done, p.total),
        )
    for file in result.failed:
        raise file.error or AssertionError("a failed file has an error")
    [done] = result.files
    made = [image, strokes, model_file, *done.outputs]
    as_json(made) if json else _show(made)


def write_sample(image: Path, strokes: Path) -> None:
    """Write the micrograph and its strokes to files."""
    from skimage.data import immunohistochemistry

    from stroma.io import write_image

    image.parent.mkdir(parents=True, exist_ok=True)
    write_image(image, immunohistochemistry().transpose(2, 0, 1), axes="cyx", rgb=True)
    shutil.copyfile(STROKES, strokes)


WHAT = {
    "tissue.png": "the micrograph",
    "tissue_strokes.png": "the strokes",
    "tissue.pkl": "the model",
    "tissue_labels.tif": "the class of every pixel",
    "tissue_overlay.png": "the result as a picture",
    "tissue_components.csv": "connected parts with their areas",
    "tissue_summary.csv": "area of every class",
}


def _show(made: list[Path]) -> None:
    for path in made:
        typer.echo(f"{path}: {WHAT[path.name]}")
