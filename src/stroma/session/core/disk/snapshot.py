"""A whole document as plain values, and back; what comes from a file is checked throughout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stroma.session.core import checks
from stroma.session.core import operations as ops
from stroma.session.core.disk.reference import checked
from stroma.session.core.document import Document, Edit

KEPT_EDITS = 1000
KEPT_PARTS = 20_000
KEPT_ALWAYS = 20
"""Steps of undo that are left when a snapshot is made, the parts of their changes (lines across a
large image have hundreds), and how many steps are left however many parts they have."""

OLDEST = "strokes"
"""The bench that was there before there were several, and before steps named theirs."""


def to_json(document: Document) -> dict[str, Any]:
    """Return a document as plain values."""
    return {
        "images": [
            {
                "image": sheet.key,
                "name": sheet.name,
                "sizes": sheet.sizes,
                "reference": sheet.reference,
                "region": ops.plain(sheet.region),
                "display": sheet.display,
                "spacing": sheet.spacing,
                "mark": sheet.mark,
            }
            for sheet in document.sheets.values()
        ],
        "benches": {name: bench.to_json() for name, bench in document.benches.items()},
        "done": [_edit(e, document) for e in document.done],
        "undone": [_edit(e, document) for e in document.undone],
        "last_edit": document.last_edit,
    }


def read(values: Any, document: Document) -> Document:
    """Fill an empty document with what ``to_json`` gave, and return it.

    Raises
    ------
    ParameterError, LabelError, KeyError, ValueError
        If the values are not those of a document with these benches.
    """
    given = checks.mapping(values, "a snapshot")
    for image in checks.listed(given["images"], "images"):
        _add(document, checks.mapping(image, "an image"))
    for name, kept in checks.mapping(given.get("benches", {OLDEST: given}), "benches").items():
        document.benches[name].read(checks.mapping(kept, "a bench"))
    document.done = [_read_edit(e, document) for e in checks.listed(given["done"], "edits")]
    document.undone = [_read_edit(e, document) for e in checks.listed(given["undone"], "edits")]
    document.last_edit = checks.whole(given["last_edit"], "the number of an edit", 0, 2**53)
    return document


def _add(document: Document, image: Mapping[str, Any]) -> None:
    key, reference = image["image"], checked(image["reference"])
    document.apply(ops.AddImage(key, image["name"], image["sizes"], reference))
    document.apply(ops.SetRegion(key, image["region"]))
    document.apply(ops.SetDisplay(key, image["display"]))
    document.apply(ops.SetSpacing(key, image.get("spacing", {})))
    document.apply(ops.MarkImage(key, image.get("mark", "")))


def _edit(edit: Edit, document: Document) -> dict[str, Any]:
    changed = document.benches[edit.bench].change_to_json(edit.change)
    return {"number": edit.number, "kind": edit.kind, "bench": edit.bench, **changed}


def _read_edit(values: Any, document: Document) -> Edit:
    given = checks.mapping(values, "an edit")
    bench = str(given.get("bench", OLDEST))
    change = document.benches[bench].read_change(given)
    number = checks.whole(given["number"], "the number of an edit", 1, 2**53)
    return Edit(number, checks.text(given["kind"], "a kind"), bench, change)
