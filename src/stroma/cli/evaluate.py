"""``stroma evaluate``: results beside the truth."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stroma.cli.show import AsJson, as_json, refuse_existing, table

if TYPE_CHECKING:
    from stroma.workflow.scoring.evaluate import Evaluation


def evaluate(
    results: Annotated[
        Path,
        typer.Argument(
            metavar="RESULTS",
            help="Label image, or folder of them (as `stroma segment` writes), or of tracks.",
            show_default=False,
        ),
    ],
    truth: Annotated[
        Path,
        typer.Argument(
            metavar="TRUTH", help="The right labels; folders pair by name.", show_default=False
        ),
    ],
    ignore: Annotated[
        list[int] | None,
        typer.Option(help="Label of the truth that does not count; may be repeated."),
    ] = None,
    tolerance: Annotated[
        float, typer.Option(help="How far borders may be apart for surface Dice, in their unit.")
    ] = 1.0,
    kind: Annotated[
        str,
        typer.Option(
            metavar="classes|objects|points|images|tracks|categories|object-classes",
            help="What the results are.",
            show_default="by their names, such as NAME_objects",
        ),
    ] = "auto",
    cutoff: Annotated[
        float, typer.Option(help="How far a point may be from a true one, in pixels.")
    ] = 3.0,
    tracks: Annotated[bool, typer.Option("--tracks", help="The same as --kind tracks.")] = False,
    outlines: Annotated[
        Path | None,
        typer.Option(help="Folder of true outlines of some frames of tracks.", show_default=False),
    ] = None,
    objects: Annotated[
        Path | None,
        typer.Option(
            help="Label images of the objects of results that are their classes; folder or file.",
            show_default=False,
        ),
    ] = None,
    true_objects: Annotated[
        Path | None,
        typer.Option(
            help="Label images that the true classes are of, where these are other objects: then "
            "those are the same whose IoU is above 0.5.",
            show_default=False,
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.html",
            help="Write scores and pictures as one page too.",
            show_default=False,
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a report that is there.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Compare label images, or tracks, with the truth.

    Classes: IoU, Dice, surface Dice, Hausdorff distance. Objects: average precision at an IoU of
    0.5 to 0.95, F1, panoptic quality, adapted Rand error, variation of information. Points: F1
    within a cutoff, counts. Images: PSNR, SSIM. Classes of whole images (classes.csv; TRUTH is a
    table with the columns file and class, or has a folder of images for every class): accuracy, and
    which are taken for which. Classes of objects (NAME_table.csv; TRUTH are tables with the columns
    label and class, or marks on objects): accuracy, recall, precision, and which are taken for
    which.
    Tracks (folders of the Cell Tracking Challenge): TRA, DET, LNK, CHOTA, divisions, and SEG where
    there are outlines.

    A class that neither image has does not count; one that only one of them has counts as 0.
    """
    from stroma.workflow.scoring.evaluate import evaluate as compare

    if report is not None:
        if report.suffix.lower() not in (".html", ".htm"):
            raise typer.BadParameter(f"A report is an .html, got {report}.", param_hint="--report")
        refuse_existing(report, overwrite=overwrite)
    if tracks and kind not in ("auto", "tracks"):
        raise typer.BadParameter(f"--tracks are not --kind {kind}; give one.", param_hint="--kind")
    found = compare(
        results,
        truth,
        ignore=tuple(ignore or ()),
        tolerance=tolerance,
        kind="tracks" if tracks else kind,
        cutoff=cutoff,
        outlines=outlines,
        objects=objects,
        true_objects=true_objects,
    )
    if report is not None:
        from stroma.workflow.scoring.report import write_report

        typer.echo(
            f"{write_report(report, found, results, truth, cutoff=cutoff)}: the report", err=True
        )
    if json:
        as_json(found.overall if found.kind == "tracks" else asdict(found))
        return
    _show(found)


SHOWN = {
    "objects": {
        "AP50": "ap 0.50",
        "mean AP": "mean ap",
        "F1": "f1",
        "PQ": "pq",
        "ARAND": "arand",
        "VoI split": "voi split",
        "VoI merge": "voi merge",
    },
    "points": {"F1": "f1", "precision": "precision", "recall": "recall"},
    "images": {"SI-PSNR": "si psnr", "PSNR": "psnr", "SSIM": "ssim", "NRMSE": "nrmse"},
}
COUNTED = ("true", "found")
OF_EACH = ("recall", "precision")


def _show_means(found: Evaluation) -> None:
    shown = SHOWN[found.kind]
    counted = [key for key in COUNTED if key in found.overall]
    every = [*found.images, {"name": "mean", **found.overall}]
    every += [{"name": "spread", **found.spread}] if found.spread else []
    rows = [
        [
            one["name"],
            *(_text(one[key]) for key in shown.values()),
            *(f"{one[key]:.6g}" for key in counted),
        ]
        for one in every
    ]
    table(["image", *shown, *counted], rows)


def _show_categories(found: Evaluation) -> None:
    rows = [
        [name, *map(str, counts), _text(found.overall.get(f"recall {name}"))]
        for name, counts in zip(found.labels, found.overall["confusion"], strict=True)
    ]
    table(["true class", *(f"found {name}" for name in found.labels), "recall"], rows)
    accuracy, balanced = found.overall["accuracy"], found.overall["balanced accuracy"]
    typer.echo(f"accuracy {_text(accuracy)}, balanced accuracy {_text(balanced)}")


def _show_object_classes(found: Evaluation) -> None:
    overall = found.overall
    rows = [
        [name, *map(str, counts), *(_text(overall.get(f"{s} {name}")) for s in OF_EACH)]
        for name, counts in zip(found.labels, overall["confusion"], strict=True)
    ]
    table(["true class", *(f"found {name}" for name in found.labels), "missed", *OF_EACH], rows)
    accuracy, balanced = overall["accuracy"], overall["balanced accuracy"]
    extra = f", {overall['made up']} made up" if overall["made up"] else ""
    typer.echo(f"accuracy {_text(accuracy)}, balanced accuracy {_text(balanced)}{extra}")


def _show(found: Evaluation) -> None:
    if found.kind == "tracks":
        table(["score", ""], [(key, _text(value, 4)) for key, value in found.overall.items()])
        return
    if found.kind == "object-classes":
        _show_object_classes(found)
        return
    if found.kind == "categories":
        _show_categories(found)
        return
    if found.kind != "classes":
        _show_means(found)
        return
    heads = ["image", *(f"IoU {n}" for n in found.labels)]
    rows = [[one["name"], *(_text(one[f"iou {n}"]) for n in found.labels)] for one in found.images]
    if found.spread:
        rows.append(["spread", *(_text(found.spread.get(f"iou {n}")) for n in found.labels)])
    rows.append(["all pixels", *(_text(found.overall[f"iou {n}"]) for n in found.labels)])
    table(heads, rows)
    means = (found.overall["mean iou"], found.overall["mean dice"])
    typer.echo(f"mean IoU {_text(means[0])}, mean Dice {_text(means[1])}")


def _text(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
