"""Images that wait for somebody to correct them, the least sure first, kept in a folder.

After corrections the network is trained again, always from the one that all began with and on all
images that were accepted so far, as in Cellpose 2 (Pachitariu and Stringer 2022, doi
10.1038/s41592-022-01663-4): a network that is trained on and on leans towards the latest images.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stroma.errors import FormatError, MissingFileError, ParameterError
from stroma.io import read_image, write_labels
from stroma.io.atomic import replaced
from stroma.io.points import read_points
from stroma.workflow.applying.load import load
from stroma.workflow.learning.adapt import how_sure
from stroma.workflow.learning.learn import learn
from stroma.workflow.learning.pairs import all_images
from stroma.workflow.scoring.compared import label_values

if TYPE_CHECKING:
    from stroma.training.learning.loop import Told
    from stroma.training.model import Network

STATE = "queue.json"
VERSION = 1
PAINTED = ("classes", "instances")
"""What can be corrected as an image of labels; points are corrected as tables."""


@dataclass(frozen=True)
class Queue:
    """A folder of corrections; every change is on the disk before it is returned.

    Parameters
    ----------
    folder : Path
        Where it is kept: ``queue.json``, ``labels/`` and the networks.
    base : str
        The network that every training begins with.
    model : str
        The network that proposes: the base, or the one that was trained last.
    images : tuple of str
        All images.
    sure : mapping of str to float
        How sure the network is of each, 0 to 1.
    accepted : mapping of str to str
        Images that were corrected, or found right, with the files of their labels.
    rounds : int
        How often it was trained.
    """

    folder: Path
    base: str
    model: str
    images: tuple[str, ...]
    sure: Mapping[str, float] = field(default_factory=dict)
    accepted: Mapping[str, str] = field(default_factory=dict)
    rounds: int = 0

    @classmethod
    def begin(cls, folder: str | Path, *, base: str | Path, images: Any) -> Queue:
        """Put images into a queue.

        Parameters
        ----------
        folder : path
            Is made; has no queue yet.
        base : path
            A network (.safetensors) that finds classes, objects or points.
        images : folder, or list of paths
            What is to be corrected.

        Raises
        ------
        ParameterError
            If the folder has a queue, images are no files, or the network makes other results.
        """
        place = Path(folder)
        if (place / STATE).exists():
            raise ParameterError(
                f"{place} has a queue already. Go on with it (Queue.open), or give another folder."
            )
        paths = [Path(p).resolve() for p in all_images(images) if isinstance(p, str | Path)]
        if not paths or len(paths) < len(all_images(images)):
            raise ParameterError("A queue is of images in files. Give a folder, or paths.")
        start = str(Path(base).resolve())
        made = cls(place, start, start, tuple(map(str, paths)))
        _require_correctable(made.network())
        place.mkdir(parents=True, exist_ok=True)
        return made._judged()

    @classmethod
    def open(cls, folder: str | Path) -> Queue:
        """Return the queue in a folder, as it was left.

        Raises
        ------
        MissingFileError, FormatError
            If there is none, or it is damaged.
        """
        path = Path(folder) / STATE
        if not path.exists():
            raise MissingFileError(f"There is no queue in {folder}. Begin one with Queue.begin.")
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            if said.pop("version") > VERSION:
                raise FormatError(f"{path} was written by a newer version. Update Stroma.")
            found = cls(Path(folder), **{**said, "images": tuple(said["images"])})
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            if isinstance(error, FormatError):
                raise
            raise FormatError(f"{path} is damaged: {error}.") from error
        return found

    @property
    def waiting(self) -> tuple[Path, ...]:
        """Images that nobody has accepted, those that the network is least sure of first."""
        left = [image for image in self.images if image not in self.accepted]
        return tuple(map(Path, sorted(left, key=lambda image: self.sure.get(image, 0.0))))

    def network(self) -> Network:
        """Return the network that proposes."""
        loaded: Any = load(self.model)
        found: Network = loaded
        return found

    def proposed(self, image: str | Path) -> Any:
        """Return what the network makes of an image: labels, objects or points to be corrected."""
        return self.network().segment(read_image(self._known(image)))

    def accept(self, image: str | Path, labels: Any) -> Queue:
        """Take labels for right, and return the queue without the image.

        Parameters
        ----------
        image : path
            One of the queue; one that was accepted before gets these labels instead.
        labels : array of the image's size, or path
            Classes or objects by number; of points a CSV file. Copied into the folder.

        Raises
        ------
        ShapeError, FormatError, LabelError, ParameterError, MissingFileError
            If they do not fit the image, or are none.
        """
        name = self._known(image)
        place = self.folder / "labels"
        place.mkdir(exist_ok=True)
        number = self.images.index(name)
        painted = self.network().target.truth in PAINTED
        path = place / f"{number:04}{'.tif' if painted else '.csv'}"
        if _is_path(labels) and not Path(labels).exists():
            raise MissingFileError(f"There is no file {str(labels)!r}.")
        if painted:
            values = label_values(Path(labels)) if _is_path(labels) else labels
            write_labels(path, values, like=read_image(name))
        elif _is_path(labels):
            read_points(Path(labels))  # what is no table of points is refused now, not when trained
            with replaced(path) as new:
                shutil.copyfile(labels, new)
        else:
            raise ParameterError("Points are accepted as a CSV file with columns y and x.")
        accepted = {**self.accepted, name: str(Path("labels") / path.name)}
        return replace(self, accepted=accepted)._kept()

    def retrained(
        self,
        *,
        minutes: float = 5.0,
        tell: Callable[[Told], None] | None = None,
        cancel: Callable[[], bool] | None = None,
        **options: Any,
    ) -> Queue:
        """Train from the base on all accepted images, and return the queue in its new order.

        Parameters
        ----------
        minutes : float
            Time for the training.
        tell, cancel : callable, optional
            As for ``stroma.learn``.
        **options
            Further options of ``stroma.learn``, such as ``steps``.

        Raises
        ------
        ParameterError
            If nothing was accepted yet.
        """
        if not self.accepted:
            raise ParameterError("No image was accepted yet, so there is nothing to learn from.")
        made = learn(
            [str(name) for name in self.accepted],
            [str(self.folder / path) for path in self.accepted.values()],
            base=self.base,
            minutes=minutes,
            tell=tell,
            cancel=cancel,
            **options,
        )
        path = made.save(self.folder / f"round_{self.rounds + 1}.safetensors")
        trained = replace(self, model=str(path.resolve()), rounds=self.rounds + 1)
        return trained._kept()._judged()

    def _judged(self) -> Queue:
        """Ask the network how sure it is of the images that wait."""
        network, sure = self.network(), dict(self.sure)
        for image in self.waiting:
            sure[str(image)] = how_sure(network, str(image)).share
        return replace(self, sure=sure)._kept()

    def _kept(self) -> Queue:
        said = {k: v for k, v in asdict(self).items() if k != "folder"}
        with replaced(self.folder / STATE) as new:
            new.write_text(json.dumps({"version": VERSION, **said}, indent=2), encoding="utf-8")
        return self

    def _known(self, image: str | Path) -> str:
        name = str(Path(image).resolve())
        if name not in self.images:
            raise ParameterError(f"{image} is not in this queue; it has {_some(self.images)}.")
        return name


def _require_correctable(network: Any) -> None:
    target = getattr(network, "target", None)
    if target is None or target.truth not in (*PAINTED, "points") or target.result == "several":
        raise ParameterError(
            "A queue is for networks that find classes, objects or points. Give the file of one, "
            "as `stroma learn` writes it."
        )


def _is_path(labels: Any) -> bool:
    return isinstance(labels, str | Path)


def _some(images: Sequence[str]) -> str:
    more = f" and {len(images) - 3} more" if len(images) > 3 else ""
    return ", ".join(Path(image).name for image in images[:3]) + more
