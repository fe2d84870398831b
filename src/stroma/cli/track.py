"""``stroma track``: objects over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from stroma.cli.settings import Series
from stroma.cli.show import AsJson, as_json, progress
from stroma.cli.unused import refuse, require_company

Labels = Annotated[
    Path,
    typer.Argument(
        metavar="LABELS",
        help="Folder of label images, one for each frame; a stack of them; or a table of points "
        "(.csv with t, y, x). With --model, the movie itself.",
        show_default=False,
    ),
]
Formats = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        metavar="ctc|trackmate|csv|geff|zarr",
        help="Format of the tracks; may be repeated.",
        show_default="ctc, of points csv",
    ),
]


NEEDS = {"label": ("model",), "min_size": ("model",), "diameter": ("model",)}


def track(
    context: typer.Context,
    labels: Labels,
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("tracks"),
    formats: Formats = None,
    model: Annotated[
        Path | None,
        typer.Option(
            help="Model that finds the objects (of strokes, a network, or of another program, as "
            "`stroma segment` takes it): LABELS is then the movie itself.",
            show_default=False,
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            "--class",
            help="Number or name of the class of the model whose connected parts are objects.",
            show_default="of two classes the second",
        ),
    ] = None,
    min_size: Annotated[
        int, typer.Option(help="Pixels of a part of a class that is an object, at least.")
    ] = 20,
    diameter: Annotated[
        float | None,
        typer.Option(
            help="Models that ask for it: diameter of most objects, in pixels.",
            show_default="as the model says",
        ),
    ] = None,
    cost: Annotated[
        str | None,
        typer.Option(
            help="What makes two objects the same: distance, overlap, size, intensity, measures of "
            "a table, joined by +, with weights if wanted (2*overlap+distance); or a file of "
            "links that `stroma learn --target links` wrote.",
            show_default="overlap+distance, of points distance",
        ),
    ] = None,
    solver: Annotated[
        str,
        typer.Option(metavar="lap|greedy|ilp|hypotheses", help="How links are chosen."),
    ] = "lap",
    penalty: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MEASURE=WEIGHT",
            help="A measure whose difference makes two objects more distant, as in TrackMate; may "
            "be repeated.",
        ),
    ] = None,
    max_distance: Annotated[
        float | None,
        typer.Option(
            help="How far an object gets from frame to frame, in the unit of the pixel size.",
            show_default="found from the data",
        ),
    ] = None,
    max_gap: Annotated[int, typer.Option(help="Frames in which an object may be missing.")] = 1,
    divisions: Annotated[
        bool, typer.Option("--divisions/--no-divisions", help="Whether objects may divide.")
    ] = True,
    merges: Annotated[
        bool, typer.Option("--merges/--no-merges", help="Whether two objects may become one.")
    ] = False,
    motion: Annotated[
        str,
        typer.Option(
            metavar="auto|none|brownian|velocity",
            help="Whether objects are expected where they were, where a Kalman filter thinks that "
            "they were, or where they were heading; auto looks whether they run on steadily.",
        ),
    ] = "auto",
    image: Annotated[
        Path | None,
        typer.Option(
            help="The movie itself, for the cost intensity and for links learned with it.",
            show_default=False,
        ),
    ] = None,
    axes: Annotated[
        str | None,
        typer.Option(help="Axes of a stack that does not name them, such as tzyx."),
    ] = None,
    series: Series = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace earlier tracks.")] = False,
    json: AsJson = False,
) -> None:
    """Track objects of label images, of points, or of a movie and a model.

    A run that was cut off goes on when the same command is given again.
    """
    require_company(context, NEEDS)
    from stroma.tracking.track import Linking
    from stroma.workflow.applying.applied import result_of
    from stroma.workflow.moving.track import POINTS, cost_of, track_files

    points = labels.suffix.lower() in POINTS
    if points and model is None:
        refuse(context, ("axes", "series"), f"goes with images; {labels} is a table of points.")
    how = Linking(
        cost=cost_of(cost or ("distance" if points else "overlap+distance")),
        solver=solver,
        max_distance=max_distance,
        max_gap=max_gap,
        divisions=divisions,
        merges=merges,
        motion=motion,  # type: ignore[arg-type]  # checked there
        penalties=_penalties(penalty or ()),
    )
    finds = _loaded(model, diameter)
    if finds is not None and result_of(finds) == "instances":
        refuse(context, ("label", "min_size"), "goes with models of classes; this finds objects.")
    with progress("frames") as report:
        found = track_files(
            labels,
            out,
            how=how,
            image=image,
            model=finds,
            label=label,
            smallest=min_size,
            formats=tuple(formats or (["csv"] if points else ["ctc"])),
            axes=axes,
            series=series,
            overwrite=overwrite,
            progress=lambda done, total: report(labels.name, done, total),
            finding=lambda done, total: report(f"objects of {labels.name}", done, total),
        )
    if json:
        as_json(asdict(found))
        return
    typer.echo(f"{found.detections} objects in {found.tracks} tracks, {found.divisions} divisions.")
    typer.echo(f"Written to {out}: {found.paths[0].name} to {found.paths[-1].name}")


def _loaded(model: Path | None, diameter: float | None) -> Any:
    """Return the model of a file; None where none is given."""
    if model is None:
        return None
    import stroma
    from stroma.workflow.applying.applied import sized

    return sized(stroma.load(model), diameter)


def _penalties(given: Sequence[str]) -> dict[str, float]:
    """Return weights by measure, of words like "area=1"."""
    weights = {}
    for word in given:
        name, _, weight = word.partition("=")
        try:
            weights[name.strip()] = float(weight)
        except ValueError as error:
            raise typer.BadParameter(f"A penalty is written like area=1, got {word!r}.") from error
    return weights
