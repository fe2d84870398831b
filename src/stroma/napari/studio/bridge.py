"""Between a session and a viewer: what happens in one is shown in the other.

Events of the session come from its workers; they wait in a queue until `pump` is called in the
thread of the viewer. Without Qt, the caller pumps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from napari.layers import Image as ImageLayer
from napari.layers import Layer
from psygnal import Signal

from stroma.blocks.box import Box
from stroma.napari.layers import pictures, viewport
from stroma.napari.layers.board import FRAME, MARK, SEGMENTATION, STROKES, Board
from stroma.napari.layers.pictures import Picture
from stroma.napari.layers.placed import Placed
from stroma.napari.layers.viewport import Look
from stroma.napari.studio.gaze import Gaze
from stroma.session import Session
from stroma.session import events as ev
from stroma.session.events import Event, Position
from stroma.session.strokes.bench import Strokes

OUTLINE = 2
"""Pixels of an outline."""
PLACE_EVENTS = ("scale", "translate", "rotate", "shear", "affine", "units")


class Bridge:
    """Shows a session in a viewer.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        The viewer.
    session : Session
        The session.
    wake : callable, optional
        Called, in any thread, when `pump` should be called in the viewer's.
    later : callable, optional
        Calls what it is given after the viewer has answered its user. napari takes a tenth of a
        second to add a layer, so each is added on its own.

    Attributes
    ----------
    told : Signal
        Emitted for every event of the session, in the viewer's thread.
    choosing : Signal
        Emitted before another image is shown; layers may come and go until it is.
    chosen : Signal
        Emitted when another image is shown, or none.
    shown : Signal
        Emitted when a layer of strokes or results appears, is hidden, or is removed.
    placed : Signal
        Emitted when the image that is shown was moved, scaled or turned.
    moved : Signal
        Emitted when something else comes into view; call `look` when it has come to rest.
    gaze : Gaze
        Where one looks.
    hands_full : bool
        Whether somebody holds another tool than the brush, which is not taken by itself then.
    """

    told = Signal(Event)
    choosing = Signal()
    chosen = Signal()
    shown = Signal()
    placed = Signal()
    moved = Signal()

    def __init__(
        self,
        viewer: Any,
        session: Session,
        wake: Callable[[], object] = lambda: None,
        later: Callable[[Callable[[], object]], object] = lambda action: action(),
    ) -> None:
        self.viewer = viewer
        self.session = session
        self.gaze = Gaze(viewer, session, self.layers)
        self._wake, self._later = wake, later
        self._events: deque[Event] = deque()
        self._pictures: dict[str, Picture] = {}
        self._looks: dict[str, Look] = {}
        self._outlined = self.hands_full = False
        self._visible = {STROKES, SEGMENTATION}
        self._coming: set[str] = set()
        self._stop = session.listen(self._heard)
        viewer.layers.events.removed.connect(self._removed)
        for emitter in self._movements():
            emitter.connect(self._on_moved)

    def close(self) -> None:
        """Let go of the viewer; the session goes on."""
        self.gaze.close()
        self._stop()
        self._events.clear()  # also for a `pump` that is under way
        self.choose(None)
        for picture in self._pictures.values():
            for layer in picture.layers:
                layer.metadata.pop(MARK, None)
        self.viewer.layers.events.removed.disconnect(self._removed)
        for emitter in self._movements():
            emitter.disconnect(self._on_moved)

    def _movements(self) -> Sequence[Any]:
        dims, camera = self.viewer.dims.events, self.viewer.scene.camera.events
        return dims.point, dims.ndisplay, dims.order, camera.center, camera.zoom

    # ------------------------------------------------------------------ images

    @property
    def board(self) -> Board | None:
        """Strokes and results of the image that is shown."""
        return self.gaze.board

    @property
    def image(self) -> str | None:
        """Key of the image that is shown."""
        return None if self.board is None else self.board.image

    def key_of(self, layer: Layer) -> str | None:
        """Return the key of the image whose pixels a layer shows."""
        return next((k for k, p in self._pictures.items() if layer in p.layers), None)

    def layers(self, image: str) -> Sequence[Layer]:
        """Return the layers that show the pixels of an image."""
        return tuple(self._pictures[image].layers) if image in self._pictures else ()

    def axes(self, image: str) -> str:
        """Return what the axes of the layers of an image are, colours left out."""
        return self._pictures[image].axes

    def candidates(self) -> list[Layer]:
        """Return the layers of the viewer that can be painted over."""
        return [
            layer
            for layer in self.viewer.layers
            if isinstance(layer, ImageLayer) and not layer.metadata.get(MARK)
        ]

    def paint_on(self, layers: Sequence[Layer], axes: str) -> str:
        """Take a layer of the viewer as an image (or several as its channels), and show it.

        Parameters
        ----------
        layers : sequence of Image layers
            One layer, or one per channel.
        axes : str
            One letter of ``tczyx`` per axis of the layers, colours left out.
        """
        known = self.key_of(layers[0])
        if known is None or self._pictures[known].axes != axes:
            one = len(layers) == 1
            make = pictures.image_of_channels
            image = pictures.image_of(layers[0], axes) if one else make(layers, axes)
            data: Any = image.source if pictures.in_file(image) else image
            known = self.session.add_image(data, name=layers[0].name)
            self._pictures[known] = Picture(axes, list(layers))
        self.choose(known)
        return known

    def show_image(self, key: str) -> None:
        """Show an image of the session; layers are made for it where there are none."""
        self.choosing.emit()
        picture = self._pictures.get(key)
        if picture is None or not picture.layers:
            opened = self.session.image(key)
            axes = opened.image.kept_axes.replace("c", "")
            picture = self._pictures[key] = Picture(axes)
            for data, options in pictures.layers_of(opened.image, opened.name):
                picture.layers.append(self.viewer.add_image(data, **options))
        for other, hidden in self._pictures.items():
            for layer in hidden.layers:
                layer.visible = other == key
        old = self.image
        if old is not None and old != key:
            self._looks[old] = viewport.looked(self.viewer)
        self.choose(key)
        if old != key:
            self._frame(key)

    def show_again(self, key: str) -> None:
        """Show an image whose file was found: its layers held zeros."""
        for layer in self.layers(key):
            self.viewer.layers.remove(layer)
        self.choose(None)
        self.show_image(key)

    def _frame(self, key: str) -> None:
        """Look at an image as it was looked at last; at first, at all of its middle plane."""
        assert self.board is not None
        if key in self._looks:
            viewport.look_again(self.viewer, self._looks[key])
            return
        viewport.turn_to(self.viewer, self.board, viewport.middle_plane(self.board))
        self.viewer.reset_view(layers=self._pictures[key].layers)

    def show_change(self, events: Sequence[Event]) -> None:
        """Bring into view what an edit changed, where it lies elsewhere."""
        changed = [e for e in events if isinstance(e, ev.StrokesChanged) and self.is_open(e.image)]
        if not changed:
            return
        first = changed[0]
        if first.image != self.image:
            self.show_image(first.image)
        if self.board is None:
            return
        box = self.gaze.seen_of(changed)
        if not box.area:
            self.gaze.turn_towards(first)
            box = self.gaze.seen_of(changed)
        if not box.clipped(self.gaze.view()).area:
            viewport.centre(self.viewer, self.board, box, self.gaze.view())

    def choose(self, key: str | None) -> None:
        """Show the strokes and results of an image, in place of those of another."""
        if key == self.image:
            return
        self.choosing.emit()
        visible = set(self._visible)
        old, self.gaze.board = self.board, None
        if old is not None:
            there = {r for r in visible if old.layer(r) is not None}  # none that the user removed
            visible = there | {STROKES} | self._coming & visible
            self._follow(old, follow=False)
        self._coming = set()
        if key is not None:
            self.gaze.board = board = self._new_board(key)
            if old is not None:
                board.take_over(old)
            self._follow(board, follow=True)
            self._show_all(visible)
            self._later(self.gaze.look)
        elif old is not None:
            old.take_down()
        self.chosen.emit()

    def _show_all(self, roles: set[str]) -> None:
        """Show layers of the image: strokes at once, the others when these can be painted."""
        self._coming = roles - {STROKES}
        self.show(STROKES)
        self._later(partial(self._paint_with, self.board))
        for role in sorted(roles - {STROKES}):
            self._later(partial(self._show_on, self.board, role))

    def _paint_with(self, board: Board | None) -> None:
        """Take the brush, unless another image was chosen meanwhile or the layer removed."""
        layer: Any = board.layer(STROKES) if board is not None and board is self.board else None
        if layer is not None and not self.hands_full:
            self.viewer.layers.selection.active = layer
            layer.mode = "paint"

    def _show_on(self, board: Board | None, role: str) -> None:
        if board is not self.board:
            return
        self._coming.discard(role)
        if role in self._visible:
            self.show(role)

    def _new_board(self, key: str) -> Board:
        picture, opened = self._pictures[key], self.session.image(key)
        sizes = pictures.overlay_sizes(opened.image, picture.axes)
        placed = Placed.like(picture.layers[0], len(sizes))
        made = Board(self.viewer, self.session, key, sizes, placed)
        made.pen.show = self.show_change
        return made

    def _follow(self, board: Board, *, follow: bool) -> None:
        """Move the board with its image, or stop."""
        for layer in self._pictures[board.image].layers[:1]:
            for name in PLACE_EVENTS:
                emitter = getattr(layer.events, name)
                emitter.connect(self._on_placed) if follow else emitter.disconnect(self._on_placed)

    def _on_placed(self) -> None:
        if self.board is not None:
            [first, *_] = self._pictures[self.board.image].layers
            self.board.place(Placed.like(first, len(self.board.sizes)))
            self.placed.emit()

    def _removed(self, event: Any) -> None:
        """Take note that the user removed a layer; what it showed stays in the session."""
        layer = event.value
        for picture in self._pictures.values():
            picture.layers = [kept for kept in picture.layers if kept is not layer]
        if self.board is not None:
            self.board.forget(layer)
            self.shown.emit()

    # ------------------------------------------------------------------ strokes and results

    def show(self, role: str, *, label: int | None = None) -> None:
        """Show a layer of the image: "strokes", "segmentation", "uncertainty", "probability"."""
        self._visible.add(role)
        if self.board is not None:
            if role == "probability" and label is None and self.session.classes:
                label = self.session.classes[-1].label
            there = self.board.layer(role)
            layer: Any = self.board.show(role, label=label)
            if role == SEGMENTATION and there is None:
                layer.contour = OUTLINE if self._outlined else 0
            layer.events.visible.connect(self._on_shown)
            self._on_shown()

    def outline(self, on: bool) -> None:
        """Show the segmentation as outlines, under which the colours of the image stay."""
        self._outlined = on
        layer: Any = None if self.board is None else self.board.layer(SEGMENTATION)
        if layer is not None:
            layer.contour = OUTLINE if on else 0

    def _on_shown(self) -> None:
        self.shown.emit()

    def hide(self, role: str) -> None:
        """Hide a layer of the image."""
        self._visible.discard(role)
        if self.board is not None:
            self.board.hide(role)

    def is_shown(self, role: str) -> bool:
        """Tell whether a layer of the image is there and visible."""
        layer = None if self.board is None else self.board.layer(role)
        return layer is not None and layer.visible

    def is_coming(self, role: str) -> bool:
        """Tell whether a layer of the image will be made and visible in a moment."""
        return role in self._coming & self._visible

    # ------------------------------------------------------------------ looking

    def lead_to(self, image: str, plane: Position, box: Box) -> None:
        """Bring a box of any image into the middle of the view, and frame it."""
        if image != self.image:
            self.show_image(image)
        self.gaze.turn_to(plane)
        self.gaze.go_to(box)

    def is_open(self, key: str) -> bool:
        """Tell whether the session has an image of that key."""
        return any(one.key == key for one in self.session.images)

    def _on_moved(self) -> None:
        self.moved.emit()

    # ------------------------------------------------------------------ what the session says

    @property
    def waiting(self) -> bool:
        """Whether something happened that `pump` has not shown yet."""
        return bool(self._events)

    def _heard(self, event: Event) -> None:
        self._events.append(event)
        self._wake()

    def pump(self) -> None:
        """Show what happened since the last call; to be called in the thread of the viewer."""
        results = strokes = False
        while self._events:
            event = self._events.popleft()
            if self.board is not None:
                strokes |= self._changes_strokes(event, self.board)
                results |= self._changes_results(event, self.board)
                if isinstance(event, ev.StrokesChanged):
                    self.board.drop(FRAME)
                if isinstance(event, ev.ClassesChanged):
                    self.board.recolor(event.classes)
                if isinstance(event, ev.ImageClosed) and event.image == self.board.image:
                    self.choose(None)
            self.told.emit(event)
        if self.board is not None and (strokes or results):
            self.board.refresh(strokes=strokes, results=results)

    def _changes_strokes(self, event: Event, board: Board) -> bool:
        if not isinstance(event, ev.StrokesChanged) or event.image != board.image:
            return False
        return event.revision not in board.pen.own

    def _changes_results(self, event: Event, board: Board) -> bool:
        if isinstance(event, ev.BlockReady | ev.RoundFinished) and event.bench != Strokes.name:
            return False
        if isinstance(event, ev.BlockReady):
            # In space all planes are drawn at once, which is slow, so that is done at the end.
            in_space = self.viewer.dims.ndisplay == 3
            return event.image == board.image and not in_space and event.plane == self.gaze.plane()
        return isinstance(event, ev.ImageChanged | ev.RoundFinished)
