"""What ``train`` is given, sorted out: images, their labelled pixels, and their names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from stroma.data import strokes as painted
from stroma.data.classes import Class
from stroma.errors import LabelError, ParameterError, ShapeError, for_people
from stroma.pixel.door import Source, is_many, labelled_points, open_image
from stroma.pixel.training.learn import Labelled


class Given(NamedTuple):
    """Images with their labelled pixels, by name, and the classes that their files introduce."""

    strokes: dict[str, Labelled]
    new_classes: tuple[Class, ...]


def given_strokes(
    image: Any,
    annotations: Any,
    *,
    channel_mode: str,
    in_channels: Sequence[int] | None,
    memory_mode: bool,
    img_ids: Any,
    classes: Sequence[Class] = (),
) -> Given:
    """Return images with their labelled pixels; a class name has the same label in all files.

    Parameters
    ----------
    image, annotations : one each, or a list of each
        As ``ConvpaintModel.train`` takes them.
    channel_mode : {"single", "multi", "rgb"}
        What a 3-D array means.
    in_channels : sequence of int, optional
        Channels to use.
    memory_mode : bool
        Whether names are needed.
    img_ids : str, int or list of these
        Names of the images.
    classes : sequence of Class
        Classes that are known already.

    Raises
    ------
    ParameterError
        If the lists do not correspond, or names are missing.
    ShapeError, LabelError
        If an image and its annotations cannot be used, or not together.
    """
    images, notes, ids = _paired(image, annotations, memory_mode, img_ids)
    sources = [open_image(one, channel_mode, in_channels) for one in images]
    _require_equal(sources)
    strokes, known = {}, tuple(classes)
    for key, source, note in zip(ids, sources, notes, strict=True):
        labels, known = _labels(note, source, known)
        try:
            strokes[key] = Labelled(source, labelled_points(labels, source))
        except (ShapeError, LabelError) as error:
            if len(sources) == 1:
                raise
            where = f"Image {ids.index(key)}" + (f" ({key!r})" if memory_mode else "")
            raise type(error)(f"{where}: {error}", told=f"{where}: {for_people(error)}") from error
    return Given(strokes, known[len(classes) :])


def _labels(note: Any, source: Source, known: tuple[Class, ...]) -> tuple[Any, tuple[Class, ...]]:
    """Return annotations as labels, and the known classes with those a file names."""
    if isinstance(note, str | Path):
        from stroma.io import read_strokes

        note = read_strokes(note, source.image, classes=known)
    if not isinstance(note, painted.Strokes):
        return note, known
    taken = {c.label for c in known}
    return note.labels, (*known, *(c for c in note.classes if c.label not in taken))


def _require_equal(sources: Sequence[Source]) -> None:
    first = len(sources[0].channels)
    for i, source in enumerate(sources):
        if len(source.channels) != first:
            raise ShapeError(
                f"Image {i} has different number of channels ({len(source.channels)}) than image 0 "
                f"({first}). Choose channels with in_channels, or train on them separately.",
                told=f"The images have different numbers of channels ({first} and "
                f"{len(source.channels)}). Train on images of one kind.",
            )


def _paired(
    image: Any, annotations: Any, memory_mode: bool, img_ids: Any
) -> tuple[list[Any], list[Any], list[str]]:
    """Return lists of equal length: images, annotations and the names of the images."""
    if not is_many(image):
        if is_many(annotations) and len(annotations) == 1:
            annotations = annotations[0]
        if isinstance(img_ids, list | tuple):
            img_ids = img_ids[0] if len(img_ids) == 1 else _wrong_ids(img_ids, 1)
        return [image], [annotations], [str(img_ids if img_ids is not None else "image")]
    images = list(image)
    if not images:
        raise ParameterError(
            "There are no images to train on: the list is empty. Give at least one image with "
            "its annotations.",
            told="There is nothing to train on yet. Paint strokes of at least two classes.",
        )
    if not is_many(annotations) or len(annotations) != len(images):
        count = len(annotations) if is_many(annotations) else "no list of"
        raise ParameterError(
            f"Images and annotations must correspond: got {len(images)} images and {count} "
            f"annotations. Give one list each, of equal length."
        )
    if not memory_mode:
        return images, list(annotations), [str(i) for i in range(len(images))]
    names = [str(i) for i in img_ids] if isinstance(img_ids, list | tuple) else []
    if len(names) != len(images) or len(set(names)) != len(names):
        _wrong_ids(img_ids, len(images))
    return images, list(annotations), names


def _wrong_ids(img_ids: Any, count: int) -> Any:
    wanted = "one name" if count == 1 else f"{count} different names in a list"
    raise ParameterError(
        f"In memory mode, img_ids names every image: give {wanted}, got {img_ids!r}."
    )
