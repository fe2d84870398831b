"""What the page can ask without changing anything: one call into the session, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from stroma.blocks.box import Box
from stroma.errors import ParameterError
from stroma.session import Session
from stroma.web import (
    contrast,
    exports,
    folders,
    groups,
    guidance,
    overview,
    pretrained,
    readout,
    tracks,
    uploads,
)
from stroma.web.commands import as_box

Values = Mapping[str, Any]
Plain = dict[str, Any]

PARTS_SHOWN = 2000
SAMPLES = 256
"""Places along each axis of a plane at which it is looked up whether there are results."""


def channels(session: Session, values: Values) -> list[Plain]:
    """Answer with the channels of an image, their contrast chosen by percentiles."""
    return [asdict(c) for c in contrast.automatic(session.image(values["image"]).image)]


def painted(session: Session, values: Values) -> Plain:
    """Answer with how much is painted on an image: pixels, planes and classes."""
    points = session.points(values["image"])
    return {
        "pixels": len(points.label),
        "planes": len(set(points.plane.tolist())),
        "labels": sorted(set(points.label.tolist())),
    }


def standing(session: Session, values: Values) -> Plain:
    """Answer with how the results on a plane stand: in view ("state", "reason") and in all of it.

    "stale" are the rectangles that are older than the strokes, "share" is how much of the plane is
    known, and equal tags mean equal results.
    """
    one, plane = session.image(values["image"]), values["plane"]
    seen = session.standing(one.key, as_box(values["box"]), plane=plane)
    whole = Box.of(one.plane_shape(plane))
    step, wanted = max(1, max(whole.shape) // SAMPLES), one.plane_region(plane) or whole
    shown = session.result(one.key, plane=plane, step=step)
    blocks = session.blocks(one.key, plane=plane)
    return {
        "state": seen.state,
        "reason": seen.reason,
        "whole": session.standing(one.key, plane=plane).state,
        "share": float((shown.values > 0).mean()) * whole.area / max(1, wanted.area),
        "stale": [asdict(block.box) for block in blocks if block.stale],
        "tag": shown.tag,
    }


def areas(session: Session, values: Values) -> list[Plain] | None:
    """Answer with the area and the number of components of every class on a plane.

    None where there is no whole result to measure.
    """
    found = session.areas(values["image"], plane=values["plane"]).result().value
    return None if found is None else [asdict(a) for a in found]


def parts(session: Session, values: Values) -> Plain | None:
    """Answer with the connected parts on a plane, the largest first; None without a whole result.

    "area" is that of a pixel in µm², None where that is not known; "count" is how many parts there
    are, of which no more than ``PARTS_SHOWN`` are told one by one.
    """
    task = session.measure(
        values["image"], plane=values["plane"], min_size=int(values.get("smallest", 0))
    )
    found = task.result().value
    if found is None:
        return None
    largest = sorted(found.components, key=lambda c: -c.area)
    return {
        "area": found.pixel_area,
        "count": len(largest),
        "parts": [asdict(one) for one in largest[:PARTS_SHOWN]],
        "sizes": [one.area for one in largest],
    }


def volumes(session: Session, values: Values) -> Plain:
    """Answer with the classes and parts of a whole volume, the largest part first.

    "volume" is that of a voxel in µm³, None where that is not known; "older" says so where the
    model does not know the latest strokes.
    """
    older = session.older()
    found = session.volumes(values["image"], plane=values["plane"]).result()
    largest = sorted(found.solids, key=lambda part: -part.area)
    return {
        "volume": found.voxel_volume,
        "older": older,
        "classes": [asdict(one) for one in found.coverage],
        "count": len(largest),
        "parts": [asdict(one) for one in largest[:PARTS_SHOWN]],
        "sizes": [one.area for one in largest],
    }


def code(session: Session, values: Values) -> dict[str, str]:
    """Write the strokes, and answer with the Python and the commands that start from them."""
    folder = exports.strokes_folder(session)
    session.export_all_strokes(folder)
    try:
        command = session.as_command(folder)
    except ParameterError as error:
        command = str(error)
    return {"python": session.as_code(folder), "command": command}


def stop_task(session: Session, values: Values) -> None:
    """Cancel a task."""
    session.tasks[values["task"]].cancel()


QUESTIONS = {
    "channels": channels,
    "painted": painted,
    "overview": overview.overview,
    "standing": standing,
    "readout": readout.readout,
    "parts": parts,
    "volumes": volumes,
    "areas": areas,
    "suggest": guidance.suggest,
    "validate": guidance.validate,
    "importance": guidance.importance,
    "compare": guidance.compare,
    "groups": groups.groups,
    "take-group": groups.take,
    "code": code,
    "stop-task": stop_task,
    "track": tracks.track,
    "solve-tracks": tracks.solve,
    "tails": tracks.tails,
    "lineage": tracks.lineage,
    "track-member": tracks.member,
    "needs": pretrained.needs,
    "extractors": pretrained.extractors,
    "download": pretrained.download,
    "see-with": pretrained.see_with,
    "open-folder": folders.join_folder,
    "leave-folder": folders.leave_folder,
    "open-series": uploads.open_series,
    "leave-file": uploads.leave_file,
    "export": exports.export,
    "apply": exports.apply,
    "retry": exports.retry,
    "latest-batch": exports.latest,
    "save-model": exports.save_model,
    "save-strokes": exports.save_strokes,
}
"""Questions by name; they are answered as they come, and may take long."""
