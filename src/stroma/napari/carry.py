"""Beginning a session with a saved model, and with what another session holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stroma.pixel.model import ConvpaintModel
from stroma.session import Session
from stroma.session.events import Position


def with_model(path: Path, old: Session | None) -> Session:
    """Return a session that goes on with a saved model.

    Parameters
    ----------
    path : Path
        The model: ``.pkl``, or ``.yml`` for its settings alone.
    old : Session, optional
        Its images, classes and strokes are taken over.
    """
    model = ConvpaintModel(model_path=path)
    session = Session(model=model)
    classes = {c.label: c for c in (*(old.classes if old else ()), *model.classes)}
    while {c.label for c in session.classes} < classes.keys():
        session.add_class()
    for one in classes.values():
        session.change_class(one.label, name=one.name, color=one.color)
    if old is not None:
        if model.classifier is not None:
            session.set_mode("demand")  # to see what it does before it is taught more
        for image in old.images:
            key = session.add_image(image.image, name=image.name)
            _take_strokes(old, image.key, session, key)
    return session


def _take_strokes(old: Session, image: str, new: Session, key: str) -> None:
    outer = old.image(image).outer
    for number in np.unique(old.points(image).plane).tolist():
        at = np.unravel_index(number, tuple(outer.values()) or (1,))
        plane: Position = {axis: int(i) for axis, i in zip(outer, at, strict=False)}
        for box in old.painted(image, plane=plane):
            labels = old.strokes(image, box, plane=plane)
            for label in np.unique(labels[labels > 0]).tolist():
                new.stamp(
                    key, labels == label, corner=(box.top, box.left), label=label, plane=plane
                )
