"""The classes that strokes stand for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from stroma.data.classes import Class, free_color, free_label, told_apart
from stroma.errors import LabelError
from stroma.session.core.core import Core
from stroma.session.strokes import operations as ops
from stroma.session.strokes.bench import FIRST_CLASSES, Classes, Strokes


class ClassList:
    """Adding, naming, colouring and removing classes.

    Parameters
    ----------
    core : Core
        Of which session.
    """

    def __init__(self, core: Core) -> None:
        self.core = core

    @property
    def _known(self) -> Classes:
        return self.core.bench(Strokes).classes

    @property
    def classes(self) -> tuple[Class, ...]:
        """The classes, by label."""
        return tuple(self._known.values())

    def add_class(self, name: str = "", color: str = "") -> Class:
        """Add a class with the next free label."""
        with self.core.lock:
            label = free_label(self.classes)
            new = Class(label, name, color or free_color(self.classes, label))
            self.core.do(ops.SetClass(new.label, new.name, new.color))
        return new

    def set_classes(self, classes: Iterable[Class], *, continues: int = 0) -> int:
        """Add classes, or change those that have the same labels, in one step of undo.

        Returns the number of the edit.

        Parameters
        ----------
        classes : iterable of Class
            One for a label at most.
        continues : int
            As for ``paint``.

        Raises
        ------
        ParameterError
            If there are several for one label.
        """
        with self.core.lock:
            self.core.do(ops.SetClasses(tuple(classes), continues))
            return self.core.document.last_edit

    def name_classes(self, named: Iterable[Class]) -> None:
        """Name classes as a list does, in one step of undo; new labels become classes.

        Those that the list gives no colour of its own keep theirs; new ones get another colour
        where theirs is taken.
        """
        with self.core.lock:
            listed = [self._with_own_color(c) for c in named]
            after = {**self._known, **{c.label: c for c in listed if c.label in self._known}}
            self.set_classes(told_apart(listed, after.values()))

    def _with_own_color(self, one: Class) -> Class:
        """Return a class as it is listed, in the colour it has if it is known and given none."""
        known = self._known.get(one.label)
        if known is None or one.color != Class(one.label).color:
            return one
        return replace(one, color=known.color)

    def reset_classes(self) -> None:
        """Give all classes their first names and colours, in one step of undo."""
        first = {c.label: c for c in FIRST_CLASSES}
        with self.core.lock:
            self.set_classes(first.get(label, Class(label)) for label in self._known)

    def change_class(
        self, label: int, *, name: str | None = None, color: str | None = None
    ) -> None:
        """Rename or recolour a class.

        Raises
        ------
        LabelError
            If there is no such class, or the colour is not "#rrggbb".
        """
        with self.core.lock:
            old = self._class(label)
            new = Class(label, name or old.name, color or old.color)
            self.core.do(ops.SetClass(new.label, new.name, new.color))

    def remove_class(self, label: int) -> None:
        """Remove a class and its strokes, on all images; one step of undo."""
        self.core.do(ops.RemoveClass(label))

    def _class(self, label: int) -> Class:
        if label not in self._known:
            raise LabelError(f"There is no class with the label {label}. Add it first.")
        return self._known[label]
