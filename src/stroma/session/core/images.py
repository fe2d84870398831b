"""Opening and closing images, and how they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stroma.blocks.box import Box
from stroma.data.image import Image
from stroma.errors import ShapeError, StromaError, for_people
from stroma.io.address import address_of, require_address
from stroma.session.core import operations as ops
from stroma.session.core.core import Core
from stroma.session.core.disk.reference import change, fingerprint, located, refer
from stroma.session.core.disk.reference import opened as reopened
from stroma.session.core.opening import opened, sized, without_channels
from stroma.session.core.sheet import Sheet
from stroma.session.core.view import View
from stroma.session.events import ImageChanged, Notice, Position

WAITS = (
    "It lies at {address}, which was not asked for it: this project was not opened here before, "
    "and a server learns from whom it is asked."
)


@dataclass(frozen=True)
class Added:
    """What became of files that were to be opened.

    Parameters
    ----------
    keys : tuple of str
        The images that were opened.
    failed : tuple of (Path, str)
        The files that were not, each with its reason.
    """

    keys: tuple[str, ...]
    failed: tuple[tuple[Path, str], ...]

    def __str__(self) -> str:
        """Say how many were opened, and why the others were not."""
        said = f"{len(self.keys)} of {len(self.keys) + len(self.failed)} opened"
        return "\n".join([said, *(f"{path}: {reason}" for path, reason in self.failed)])


class Images:
    """The images of a session.

    Parameters
    ----------
    core : Core
        Where they are.
    """

    def __init__(self, core: Core) -> None:
        self.core = core
        self._opened = 0
        self._own: dict[str, Image] = {}

    def add_image(
        self, data: Any, *, name: str = "", axes: str | None = None, series: int = 0
    ) -> str:
        """Open an image and return its key.

        Parameters
        ----------
        data : str, Path, Image or array-like
            A file, the address of an OME-Zarr image on a web server, or an array; arrays of 3
            dimensions are stacks of planes, unless an `Image` says otherwise.
        name : str
            For people; the file's name unless given.
        axes, series
            As for `stroma.io.read_image`; for files only.

        Raises
        ------
        MissingFileError, FormatError, ShapeError, ParameterError
            If there is no such file, or it cannot be used.
        FileError
            If it is on a web server that does not answer.
        """
        if isinstance(data, str | Path) and address_of(data):
            require_address(address_of(data))
        image = opened(data, axes, series)
        path = Path(data) if isinstance(data, str | Path) else None
        core = self.core
        seen = None if path is None else fingerprint(path)  # may take long: before the lock
        with core.lock:
            key = self._next_key()
            if path is None:
                reference = self._stored(key, image)
            else:
                reference = refer(path, self._folder, axes=axes, series=series, seen=seen)
            core.images[key] = image
            shown = name or (path.name if path else f"image {key}")
            core.do(ops.AddImage(key, shown, without_channels(image), reference))
        return key

    def add_images(self, paths: Iterable[str | Path]) -> Added:
        """Open many files; one that cannot be opened does not keep the others away.

        Every failure is returned with its reason.
        """
        keys, failed = [], []
        for path in map(Path, paths):
            try:
                keys.append(self.add_image(path))
            except (StromaError, OSError) as error:
                failed.append((path, str(error)))
        return Added(tuple(keys), tuple(failed))

    def _next_key(self) -> str:
        """Return a key that no image has, or had."""
        known = [int(k) for k in self.core.images if k.isdecimal()]
        self._opened = max([self._opened, *known]) + 1
        return str(self._opened)

    def _stored(self, key: str, image: Image) -> dict[str, Any]:
        """Put an image that is in no file into the project, if there is one; return where it is."""
        project = self.core.project
        if project is None:
            return {}
        return refer(project.store(image, key), self._folder, axes=None, series=0)

    @property
    def _folder(self) -> Path | None:
        return None if self.core.project is None else self.core.project.folder

    def source(self, key: str) -> Path | None:
        """Return the file of an image; None for one that is in memory only."""
        with self.core.lock:
            reference = self.core.document.sheet(key).reference
        return located(reference, self._folder) if reference else None

    def close_image(self, key: str) -> None:
        """Forget an image and its strokes; this cannot be undone."""
        core = self.core
        with core.lock:
            core.do(ops.CloseImage(key))
            del core.images[key]
            self._own.pop(key, None)
            core.missing.discard(key)

    def set_region(self, image: str, region: Box | None) -> None:
        """Restrict results to a rectangle, or (None) lift that."""
        self.core.do(ops.SetRegion(image, region))

    def set_display(self, image: str, display: Mapping[str, Any]) -> None:
        """Keep how an image is shown (any values that JSON knows), and tell the other views."""
        self.core.do(ops.SetDisplay(image, display))

    def mark_image(self, image: str, mark: str) -> None:
        """Say how far the work on an image is.

        Parameters
        ----------
        image : str
            Key of the image.
        mark : {"", "accepted", "skipped"}
            Empty where it is to be done (again).
        """
        self.core.do(ops.MarkImage(image, mark))

    def image_to_do(self, after: str = "") -> str:
        """Return the key of the next image that is not marked yet; empty where all are.

        Parameters
        ----------
        after : str
            Begin behind this image, and go round; at the first one, unless given.
        """
        with self.core.lock:
            sheets = list(self.core.document.sheets.values())
            known = [sheet.key for sheet in sheets]
            at = known.index(self.core.document.sheet(after).key) + 1 if after else 0
            return next((sheet.key for sheet in sheets[at:] + sheets[:at] if not sheet.mark), "")

    def set_pixel_size(self, image: str, size: Mapping[str, float]) -> None:
        """Say how large the pixels of an image are, or (empty) take what its file says again.

        Parameters
        ----------
        image : str
            Key of the image.
        size : mapping of str to float
            In µm along "y" and "x", and "z" of a volume. What is measured is told in it; nothing
            is written into the image's file.

        Raises
        ------
        ParameterError
            If a size is not possible, or the image has no such axis.
        """
        core = self.core
        with core.lock:
            own = self._own.setdefault(image, core.images[core.document.sheet(image).key])
            core.do(ops.SetSpacing(image, size))
            core.images[image] = sized(own, core.document.sheet(image).spacing)
            core.pixels_changed(image)
            core.tell(ImageChanged(image))
        core.worker.poke(cancels="all")

    def _put(self, key: str, image: Image) -> None:
        """Take the pixels of an image as they are in its file."""
        self._own[key] = image
        self.core.images[key] = sized(image, self.core.document.sheet(key).spacing)

    def copy_settings(self, source: str, targets: Iterable[str]) -> None:
        """Give other images the display settings and the region of interest of one.

        Raises
        ------
        UnknownNameError, ParameterError
            If an image is not there, or the region lies outside of it; nothing is changed then.
        """
        core = self.core
        with core.lock:
            given = core.document.sheet(source)
            wanted = [core.document.sheet(target) for target in targets]
            for sheet in wanted:
                sheet.require_inside(given.region)
            for sheet in wanted:
                core.do(ops.SetDisplay(sheet.key, given.display))
                core.do(ops.SetRegion(sheet.key, given.region))

    # ------------------------------------------------------------------ where somebody looks

    def look(
        self,
        image: str,
        box: Box | None = None,
        *,
        plane: Position | None = None,
        view: str = "main",
        beside: bool = False,
    ) -> None:
        """Say what is in view: it is predicted first, and what was looked at last before the rest.

        Parameters
        ----------
        image : str
            Key of the image.
        box : Box, optional
            Pixels in view; the whole plane unless given.
        plane : dict of str to int, optional
            Position along t and z, as far as the image has them.
        view : str
            Who is looking, where several are.
        beside : bool
            Whether it is seen beside something else, as the other planes of a volume are: a
            project opens anew at what was looked at itself.
        """
        core = self.core
        with core.lock:
            sheet = core.document.sheet(image)
            number = sheet.plane_number(plane)
            whole = Box.of(sheet.cuts.shape(number))
            seen = View(image, number, sheet.position(number), (box or whole).clipped(whole))
            core.views.pop(view, None)
            core.views[view] = seen
            core.looked = core.looked if beside else seen
        core.worker.poke(cancels="showing")

    def look_away(self, view: str = "main") -> None:
        """Say that a view is closed."""
        with self.core.lock:
            self.core.views.pop(view, None)

    # ------------------------------------------------------------------ images that moved

    def relocate(self, image: str, path: str | Path) -> None:
        """Say where the file of an image is now.

        Raises
        ------
        ShapeError
            If the image there has another size, so that strokes would not fit.
        ParameterError
            If it is an address that a project must not keep.
        """
        core = self.core
        if address_of(path):
            require_address(address_of(path))
        with core.lock:
            sheet = core.document.sheet(image)
            axes, series = sheet.reference.get("axes"), sheet.reference.get("series", 0)
            found = opened(Path(path), axes, series)
            if without_channels(found) != sheet.sizes:
                raise ShapeError(
                    f"The image {path} has {without_channels(found)} pixels, but strokes were "
                    f"painted on one of {sheet.sizes}."
                )
            reference = refer(Path(path), self._folder, axes=axes, series=series)
            self._put(image, found)
            core.missing.discard(image)
            core.do(ops.SetReference(image, reference))
            core.pixels_changed(image)
            core.tell(ImageChanged(image))
        core.worker.poke(cancels="all")

    def recognise(self, path: str | Path) -> bool:
        """Take a file for a missing image, if it is that image; tell whether it was one."""
        core = self.core
        with core.lock:
            references = {key: core.document.sheet(key).reference for key in core.missing}
        if not references:
            return False
        found = fingerprint(Path(path))
        for key, reference in references.items():
            if (reference.get("size"), reference.get("digest")) == found:
                self.relocate(key, path)
                return True
        return False

    def unasked(self) -> dict[str, str]:
        """Return the addresses of images on servers that were not asked yet, or in vain, by key."""
        with self.core.lock:
            missing = [key for key in self.core.document.sheets if key in self.core.missing]
            found = {key: address_of(self.source(key) or "") for key in missing}
        return {key: address for key, address in found.items() if address}

    def fetch(self, image: str) -> None:
        """Open an image where its project says that it lies; for one that waits to be asked for.

        Raises
        ------
        MissingFileError, FormatError, ShapeError, FileError
            If it cannot be had from there, or has another size now.
        """
        source = self.source(image)
        if source is not None:
            self.relocate(image, source)

    def find(self, folder: Path, *, servers: bool = True) -> list[Notice]:
        """Open the images of a project, and return what is to be said about them.

        Without ``servers``, those on a web server are left until they are asked for by `fetch`.
        """
        sheets = self.core.document.sheets
        said = {key: self._find(sheet, folder, servers) for key, sheet in sheets.items()}
        names = {key: sheet.name for key, sheet in self.core.document.sheets.items()}
        return [Notice(key, f"{names[key]}: {what}") for key, what in said.items() if what]

    def _find(self, sheet: Sheet, folder: Path, servers: bool) -> str:
        """Open an image, or put a blank one in its place; return what people should know."""
        core, key = self.core, sheet.key
        blank = np.broadcast_to(np.uint8(0), tuple(sheet.sizes.values()))
        core.images[key] = Image(blank, "".join(sheet.sizes))
        core.missing.add(key)
        if not sheet.reference:
            return "It was in no file."
        address = address_of(str(sheet.reference.get("path", "")))
        if address and not servers:
            return WAITS.format(address=address)
        said = ""
        try:
            said = change(sheet.reference, folder)
            found = reopened(sheet.reference, folder)
        except (StromaError, OSError, KeyError) as error:
            return said or for_people(error)
        if without_channels(found) != sheet.sizes:
            wrong = f"It has {without_channels(found)} pixels instead of {sheet.sizes}."
            return f"{said} {wrong}".strip()
        self._put(key, found)
        core.missing.discard(key)
        if said:
            core.pixels_changed(key)  # the model that was saved has seen other pixels
        return said
