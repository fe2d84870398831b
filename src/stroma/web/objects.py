"""Objects for the page: what it asks about them, what it changes, and the tiles that show them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stroma.errors import ParameterError
from stroma.features import EXTRACTORS
from stroma.objects.classes import features_of
from stroma.session import Session
from stroma.session.objects.book import finding_to_json
from stroma.web import exports
from stroma.web.views import AGAIN, asked, nothing, session_of

Values = Mapping[str, Any]
Plain = dict[str, Any]

ALWAYS = ("label", "top", "left", "bottom", "right")
LEARNT = ("class", "uncertainty")
DIGITS = 6
SETTINGS = ("split", "boundary", "min_size", "max_size", "size_in", "border")


def routes() -> list[Route]:
    """Return the addresses."""
    return [Route("/images/{key}/objects/{factor:int}/{row:int}/{column:int}", tile)]


def tile(request: Request) -> Response:
    """Answer with the numbers of objects row by row, four bytes each, the lowest first."""
    one, plane, factor, box = asked(request)
    labels = session_of(request).object_labels(one.key, box, plane=plane, step=factor)
    if not labels.any():
        return nothing()
    shape = " ".join(map(str, labels.shape))
    headers = {"Cache-Control": AGAIN, "Content-Encoding": "deflate", "X-Shape": shape}
    packed = zlib.compress(np.ascontiguousarray(labels, "<u4").data.cast("B"), 1)
    return Response(packed, media_type="application/octet-stream", headers=headers)


# ---------------------------------------------------------------------- questions


def objects(session: Session, values: Values) -> Plain:
    """Answer with the objects of a plane's frame: how they stand, where they are, their classes."""
    image = values["image"]
    seen, held = session.objects(image, plane=values["plane"]), session.object_source(image)
    settings = session.object_settings
    answer: Plain = {
        "state": seen.state,
        "reason": seen.reason,
        "lacking": seen.lacking,
        "kept": held.kept,
        "how": None if held.how is None else finding_to_json(held.how),
        "source": held.source,
        "classes": [asdict(one) for one in session.object_classes],
        "classifier": settings.classifier,
        "columns": settings.columns,
        "extractors": list(settings.extractors),
        "measures": [],
        "given": seen.given.tolist(),
        "rows": {name: [] for name in (*ALWAYS, *LEARNT)},
    }
    if seen.found is not None:
        table = seen.found.table
        answer["measures"] = list(features_of(table))
        answer["rows"] = {
            name: _plain(table[name]) if name in table else None for name in (*ALWAYS, *LEARNT)
        }
    return answer


def object_values(session: Session, values: Values) -> Plain:
    """Answer with some measures of the objects of a plane's frame; null where there is none."""
    found = session.objects(values["image"], plane=values["plane"]).found
    if found is None:
        return {}
    return {name: _plain(found.table[name]) for name in map(str, values["names"])}


def _plain(column: Any) -> list[Any]:
    """Return a column as JSON knows it, numbers to six digits."""
    numbers = np.asarray(column)
    if numbers.dtype.kind != "f":
        found: list[Any] = numbers.tolist()
        return found
    return [float(f"{v:.{DIGITS}g}") if np.isfinite(v) else None for v in numbers.tolist()]


def object_at(session: Session, values: Values) -> int:
    """Answer with the number of the object at a place; 0 where there is none."""
    place = float(values["y"]), float(values["x"])
    return session.object_at(values["image"], place, plane=values["plane"])


def next_object(session: Session, values: Values) -> Plain | None:
    """Answer with the object that it would help most to label."""
    found = session.next_object(values["image"], plane=values["plane"])
    return None if found is None else asdict(found)


def object_accuracy(session: Session, values: Values) -> float:
    """Answer with the share of labelled objects that are classed rightly when left out."""
    return session.object_accuracy().result()


def inside(session: Session, values: Values) -> list[str]:
    """Answer with extractors whose features inside objects may be measured."""
    return list(EXTRACTORS)


def find_objects(session: Session, values: Values) -> int:
    """Segment the whole image, and hold the objects in it; answer with how many."""
    return session.find_objects(values["image"], label=values["label"], **_how(values)).result()


def export_objects(session: Session, values: Values) -> list[str]:
    """Write objects among the results, and answer with the names of the files."""
    folder = exports.results_folder(session)
    formats = [str(name) for name in values["formats"]]
    if not formats:
        raise ParameterError("Choose at least one kind of file.")
    task = session.export_objects(values["image"], folder, formats=formats)
    names = [path.name for path in task.result()]
    if values.get("model"):
        names.append(session.save_object_model(folder / "object_classes.pkl").name)
    return names


# ---------------------------------------------------------------------- changes


def follow_objects(session: Session, values: Values) -> None:
    """Find objects in the segmentation from now on."""
    session.follow_objects(values["image"], label=values["label"], **_how(values))


def _how(values: Values) -> Plain:
    """Return how objects are found, as far as the page says it."""
    given = {name: values[name] for name in SETTINGS if values.get(name) is not None}
    return given


def no_objects(session: Session, values: Values) -> None:
    """Have no objects any more."""
    session.no_objects(values["image"])


def label_objects(session: Session, values: Values) -> None:
    """Say of which class objects are; 0 takes it back."""
    session.label_objects(
        values["image"], values["objects"], values["label"], plane=values["plane"]
    )


def correct_objects(session: Session, values: Values) -> None:
    """Correct objects by hand."""
    session.correct_objects(
        values["image"],
        str(values["kind"]),
        values.get("objects", []),
        points=[(y, x) for y, x in values.get("points", [])],
        plane=values["plane"],
    )


def add_class(session: Session, values: Values) -> int:
    """Add a class, and answer with its label."""
    return session.add_object_class().label


def change_class(session: Session, values: Values) -> None:
    """Rename or recolour a class."""
    session.change_object_class(values["label"], name=values.get("name"), color=values.get("color"))


def remove_class(session: Session, values: Values) -> None:
    """Remove a class, and what was said to be of it."""
    session.remove_object_class(values["label"])


def object_model(session: Session, values: Values) -> None:
    """Choose what learns classes, and from which measures (null: all) and features."""
    given = {
        name: values[name] for name in ("classifier", "columns", "extractors") if name in values
    }
    session.set_object_model(**given)


QUESTIONS = {
    "objects": objects,
    "object-values": object_values,
    "object-at": object_at,
    "next-object": next_object,
    "object-accuracy": object_accuracy,
    "object-features": inside,
    "find-objects": find_objects,
    "export-objects": export_objects,
}
"""Questions about objects, by name."""

CHANGES = {
    "follow-objects": follow_objects,
    "no-objects": no_objects,
    "label-objects": label_objects,
    "correct-objects": correct_objects,
    "add-object-class": add_class,
    "change-object-class": change_class,
    "remove-object-class": remove_class,
    "object-model": object_model,
}
"""What the page can change of objects, by name."""
