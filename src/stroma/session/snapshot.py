"""A whole document as plain values, and back; what comes from a file is checked throughout."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from stroma.blocks.box import Box
from stroma.data.classes import Class
from stroma.errors import ParameterError
from stroma.session import checks
from stroma.session import operations as ops
from stroma.session.document import Document, Edit
from stroma.session.reference import checked
from stroma.session.strokes import TILE, Delta, unpacked

KEPT_EDITS = 1000
"""Steps of undo that are left when a snapshot is made."""


def to_json(document: Document) -> dict[str, Any]:
    """Return a document as plain values."""
    return {
        "images": [
            {
                "image": sheet.key,
                "name": sheet.name,
                "sizes": sheet.sizes,
                "reference": sheet.reference,
                "region": None if sheet.region is None else _edges(sheet.region),
                "display": sheet.display,
                "result": None if sheet.result is None else sheet.result.to_json(),
                "tiles": [[list(key), _text(data)] for key, data in sheet.strokes.packed()],
            }
            for sheet in document.sheets.values()
        ],
        "classes": _classes(document.classes.values()),
        "done": [_edit(e) for e in document.done],
        "undone": [_edit(e) for e in document.undone],
        "last_edit": document.last_edit,
        "revision": document.revision,
    }


def from_json(values: Any) -> Document:
    """Return the document that ``to_json`` gave plain values for.

    Raises
    ------
    ParameterError, LabelError, KeyError, ValueError
        If they are not those of a document.
    """
    given = checks.mapping(values, "a snapshot")
    document = Document()
    document.classes = {}
    for image in checks.listed(given["images"], "images"):
        _add(document, checks.mapping(image, "an image"))
    document.classes = {c.label: c for c in _read_classes(given["classes"])}
    document.done = [_read_edit(e, document) for e in checks.listed(given["done"], "edits")]
    document.undone = [_read_edit(e, document) for e in checks.listed(given["undone"], "edits")]
    document.last_edit = checks.whole(given["last_edit"], "the number of an edit", 0, 2**53)
    document.revision = checks.whole(given["revision"], "a revision", 0, 2**53)
    return document


def _add(document: Document, image: Mapping[str, Any]) -> None:
    key, reference = image["image"], checked(image["reference"])
    document.apply(ops.AddImage(key, image["name"], image["sizes"], reference))
    document.apply(ops.SetRegion(key, image["region"]))
    document.apply(ops.SetDisplay(key, image["display"]))
    if image.get("result") is not None:
        result = checks.mapping(image["result"], "a result")
        document.apply(ops.SetResult(key, result["path"], result["answers"]))
    strokes = document.sheet(key).strokes
    for place, data in map(checks.tile, checks.listed(image["tiles"], "tiles")):
        strokes.put(place, data)


def _edit(edit: Edit) -> dict[str, Any]:
    return {
        "number": edit.number,
        "kind": edit.kind,
        "changes": [
            [image, list(d.key), _edges(d.box), _text(d.before), _text(d.after)]
            for image, d in edit.changes
        ],
        "classes": None if edit.classes is None else [_classes(c) for c in edit.classes],
    }


def _read_edit(values: Any, document: Document) -> Edit:
    given = checks.mapping(values, "an edit")
    changes = tuple(_read_change(c, document) for c in checks.listed(given["changes"], "changes"))
    classes = given["classes"]
    if classes is not None:
        before, after = checks.listed(classes, "the classes of an edit")
        classes = (_read_classes(before), _read_classes(after))
    number = checks.whole(given["number"], "the number of an edit", 1, 2**53)
    return Edit(number, checks.text(given["kind"], "a kind"), changes, classes)


def _read_change(values: Any, document: Document) -> tuple[str, Delta]:
    image, place, edges, before, after = checks.listed(values, "a change")
    strokes = document.sheet(image).strokes
    (plane, row, column), _ = checks.tile((place, b""))
    box = checks.box(edges)
    tile = Box(row * TILE, column * TILE, (row + 1) * TILE, (column + 1) * TILE)
    if plane >= strokes.planes or box.clipped(tile).clipped(Box.of(strokes.shape)) != box:
        raise ParameterError("A change lies outside its tile.")
    delta = Delta((plane, row, column), box, checks.data(before), checks.data(after))
    for data in (delta.before, delta.after):
        unpacked(data, box.shape)
    return image, delta


def _classes(classes: Any) -> list[dict[str, Any]]:
    return [{"label": c.label, "name": c.name, "color": c.color} for c in classes]


def _read_classes(values: Any) -> tuple[Class, ...]:
    return tuple(checks.one_class(c) for c in checks.listed(values, "classes"))


def _edges(box: Box) -> list[int]:
    return [box.top, box.left, box.bottom, box.right]


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
