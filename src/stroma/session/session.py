"""One session: a core, the benches around it, and everything that is done with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar

from stroma.data.classes import Class
from stroma.pixel.model import ConvpaintModel
from stroma.session.core.core import Core, Fitting
from stroma.session.core.disk import project as projects
from stroma.session.core.document import Document, Edit
from stroma.session.core.images import Images
from stroma.session.core.opening import OpenImage
from stroma.session.core.screen import Screen
from stroma.session.core.status import Status
from stroma.session.core.storage import Storage
from stroma.session.core.tasks import Task, Tasks
from stroma.session.core.worker import Worker
from stroma.session.events import Notice, Position
from stroma.session.objects.bench import ObjectBench
from stroma.session.objects.carrying import CarryObjects
from stroma.session.objects.carving.carve import CarveObjects
from stroma.session.objects.carving.cutting import Cutting
from stroma.session.objects.correcting import Correcting
from stroma.session.objects.everything import FindEverything
from stroma.session.objects.exports import ObjectExports
from stroma.session.objects.joining import JoinTables
from stroma.session.objects.kinds import ObjectKinds
from stroma.session.objects.learning import ObjectModel, ObjectSettings
from stroma.session.objects.prompting import Prompting
from stroma.session.objects.working import ObjectWork
from stroma.session.picking import Picking
from stroma.session.repeat import Repeating
from stroma.session.strokes.bench import Strokes
from stroma.session.strokes.classes import ClassList
from stroma.session.strokes.exports import Exports
from stroma.session.strokes.files import StrokeFiles
from stroma.session.strokes.guidance import Guidance
from stroma.session.strokes.looking import Looking
from stroma.session.strokes.measuring import Measuring
from stroma.session.strokes.model import StrokeModel
from stroma.session.strokes.painting import Painting
from stroma.session.strokes.settings import Settings
from stroma.session.tracks.bench import TrackBench
from stroma.session.tracks.tracking import Tracking

if TYPE_CHECKING:
    from stroma.training.model import Network

Part = TypeVar("Part")
Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def _by(
    method: Callable[Concatenate[Part, Given], Answer],
) -> Callable[Concatenate[Session, Given], Answer]:
    """Return a method of the session that is done by the part of it that has the method."""
    part = method.__qualname__.split(".")[0]

    @wraps(method)
    def call(self: Session, /, *args: Given.args, **values: Given.kwargs) -> Answer:
        return method(self._parts[part], *args, **values)

    return call


class Session:
    """Open, paint, undo, train, look, save.

    A session begins in memory, or in a project (``create``, ``open``). In a project, everything
    that is done is on the disk within a second. Use it as a context manager, or ``close`` it.
    All methods may be called from any thread.

    Parameters
    ----------
    alias : str
        Configuration of the model; ``stroma models`` lists them.
    mode : {"live", "demand", "paused"}
        Train after every stroke; only when asked; or do nothing by itself.
    model : ConvpaintModel, optional
        A model to begin with, instead of an alias.
    benches : sequence of Fitting
        Benches beside that for strokes.
    """

    def __init__(
        self,
        alias: str = "stroma",
        *,
        mode: str = "live",
        model: ConvpaintModel | None = None,
        benches: Sequence[Fitting] = (),
    ) -> None:
        self.notices: tuple[Notice, ...] = ()
        self._assemble(_blank(benches), model or ConvpaintModel(alias), mode, benches)

    def _assemble(
        self, document: Document, model: ConvpaintModel, mode: str, benches: Sequence[Fitting]
    ) -> None:
        self.core = core = Core(document)
        self._model = StrokeModel(core, model, mode)
        core.add(self._model)
        core.worker.resume(Strokes.name, self._model.learner.revision)
        objects = ObjectModel(core, self._model)
        core.add(objects)
        for fitting in benches:
            if fitting.learning is not None:
                core.add(fitting.learning(core))
        self._storage, self._exports = Storage(core), Exports(core, self._model)
        self._images, files = Images(core), StrokeFiles(core)
        self._screen, looking = Screen(core), Looking(core, self._model)
        self._objects = ObjectWork(core, objects, looking)
        self._kinds, correcting = ObjectKinds(core, self._objects), Correcting(core, self._objects)
        cutting = Cutting(core, self._objects, self._model)
        parts = [
            *(core, core.worker, core.tasks, self._storage, self._images, self._model),
            *(ClassList(core), Painting(core), Picking(core), files, looking),
            *(Guidance(core, self._model), Measuring(core, self._model), self._exports),
            *(self._screen, Repeating(core, self._model, files), Tracking(core)),
            *(objects, self._objects, ObjectExports(core, objects)),
            *(
                JoinTables(core),
                self._kinds,
                correcting,
                CarryObjects(core, self._objects, correcting),
            ),
            Prompting(core, self._objects, correcting, lambda: self._model.now.channels),
            FindEverything(core, self._objects),
            *(cutting, CarveObjects(core, self._objects, correcting, cutting)),
        ]
        self._parts: dict[str, Any] = {type(part).__name__: part for part in parts}

    def __enter__(self) -> Self:
        """Return the session."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the session."""
        self.close()

    # ------------------------------------------------------------------ projects

    @classmethod
    def create(
        cls,
        folder: str | Path,
        alias: str = "stroma",
        *,
        mode: str = "live",
        benches: Sequence[Fitting] = (),
    ) -> Self:
        """Begin a session in a new project, a folder that is named ``something.stroma``.

        Raises
        ------
        FileError
            If the folder exists and is not empty, or cannot be made.
        """
        session = cls(alias, mode=mode, benches=benches)
        session.save_as(folder)
        return session

    @classmethod
    def open(
        cls, folder: str | Path, *, benches: Sequence[Fitting] = (), servers: bool = True
    ) -> Self:
        """Go on with a project; ``notices`` says if images moved or changed since.

        Parameters
        ----------
        folder : str or Path
            The project.
        benches : sequence of Fitting
            What else is worked on, as of who made it.
        servers : bool
            Ask web servers for images that lie there. Otherwise these stay missing until `fetch`
            is called for them: who opens a project of somebody else may want to know first.

        Raises
        ------
        MissingFileError, FormatError
            If there is no such project, or it is damaged.
        FileError
            If another session has it open.
        """
        project, contents = projects.load(Path(folder), lambda: _blank(benches), lambda _: None)
        session = cls.__new__(cls)
        try:
            session._assemble(contents.document, ConvpaintModel("stroma"), "live", benches)
            notes = [Notice("", said) for said in session._storage.resume(project, contents)]
            session.notices = (*notes, *session._images.find(project.folder, servers=servers))
        except BaseException:
            project.close()
            raise
        session._storage.attach(project)
        return session

    @property
    def path(self) -> Path | None:
        """The folder of the project; None for a session in memory."""
        return self._storage.path

    @property
    def unsaved(self) -> str:
        """What keeps strokes from the disk at present, and what to do; empty where nothing does."""
        return self._storage.unsaved

    save_as = _by(Storage.save_as)
    save = _by(Storage.save)
    flush = _by(Storage.flush)

    def close(self) -> None:
        """Stop all work, save, give the project free, and let go of the features in memory.

        Raises
        ------
        FileError
            If something cannot be written; the session is closed all the same.
        """
        try:
            self._storage.close()
        finally:
            self._model.learner.cache.clear()

    # ------------------------------------------------------------------ images

    @property
    def images(self) -> tuple[OpenImage, ...]:
        """The images, in the order in which they were opened."""
        return self.core.all_images()

    @property
    def looked(self) -> tuple[str, Position] | None:
        """The image that somebody looked at last, also before the project was opened; its plane."""
        seen = self.core.looked
        return None if seen is None else (seen.image, seen.position)

    image = _by(Core.image)
    add_image = _by(Images.add_image)
    add_images = _by(Images.add_images)
    close_image = _by(Images.close_image)
    source = _by(Images.source)
    set_region = _by(Images.set_region)
    set_display = _by(Images.set_display)
    set_pixel_size = _by(Images.set_pixel_size)
    copy_settings = _by(Images.copy_settings)
    mark_image = _by(Images.mark_image)
    image_to_do = _by(Images.image_to_do)
    relocate = _by(Images.relocate)
    unasked = _by(Images.unasked)
    fetch = _by(Images.fetch)
    recognise = _by(Images.recognise)
    look = _by(Images.look)
    look_away = _by(Images.look_away)

    # ------------------------------------------------------------------ strokes and classes

    @property
    def classes(self) -> tuple[Class, ...]:
        """The classes, by label."""
        return tuple(self._model.bench.classes.values())

    add_class = _by(ClassList.add_class)
    set_classes = _by(ClassList.set_classes)
    name_classes = _by(ClassList.name_classes)
    reset_classes = _by(ClassList.reset_classes)
    change_class = _by(ClassList.change_class)
    remove_class = _by(ClassList.remove_class)

    paint = _by(Painting.paint)
    erase = _by(Painting.erase)
    fill = _by(Painting.fill)
    stamp = _by(Painting.stamp)
    paint_alike = _by(Picking.paint_alike)
    remove_stroke = _by(Picking.remove_stroke)
    fill_in = _by(Picking.fill_in)
    take_group = _by(Painting.take_group)
    clear = _by(Painting.clear)
    strokes = _by(Painting.strokes)
    painted = _by(Painting.painted)
    painted_pixels = _by(Painting.painted_pixels)
    points = _by(Painting.points)
    import_strokes = _by(StrokeFiles.import_strokes)
    export_strokes = _by(StrokeFiles.export_strokes)

    # ------------------------------------------------------------------ what was done

    undo = _by(Core.undo)
    redo = _by(Core.redo)
    listen = _by(Core.listen)

    @property
    def undoable(self) -> Edit | None:
        """The edit that ``undo`` would unmake."""
        return self.core.undoable()

    @property
    def redoable(self) -> Edit | None:
        """The edit that ``redo`` would make."""
        return self.core.redoable()

    @property
    def revision(self) -> int:
        """Counts the changes of strokes and settings that a model answers to."""
        return self._model.bench.revision

    # ------------------------------------------------------------------ the model

    @property
    def settings(self) -> Settings:
        """How the session learns; ``set_params`` and its like change it."""
        return self._model.now

    @property
    def model(self) -> ConvpaintModel:
        """The model, as it was last trained; not to be changed."""
        return self._model.model

    set_mode = _by(StrokeModel.set_mode)
    set_training = _by(StrokeModel.set_training)
    set_channels = _by(StrokeModel.set_channels)
    set_alias = _by(StrokeModel.set_alias)
    set_params = _by(StrokeModel.set_params)
    see_with = _by(StrokeModel.see_with)
    train = _by(StrokeModel.train)

    @property
    def network(self) -> Network | None:
        """The network that was loaded and says what is seen, until strokes are learned from."""
        return self._model.network

    def set_model(self, model: ConvpaintModel | Network) -> None:
        """Go on with another model, see `StrokeModel.set_model`; a project is saved at once.

        Raises
        ------
        ShapeError
            If it was trained on other channels than an image has; nothing is changed then.
        ParameterError
            If it is a network that finds something else than classes.
        FileError
            If the project cannot be saved; the model is in use all the same.
        """
        self._model.set_model(model)
        self._exports.forget()
        if self.path is not None:
            self.save()

    # ------------------------------------------------------------------ rounds and results

    @property
    def status(self) -> Status:
        """What is under way, and how things stand wherever somebody looks."""
        return self._screen.status(Strokes.name)

    standing = _by(Screen.standing)
    cancel = _by(Worker.give_up)
    wait = _by(Worker.wait)
    result = _by(Looking.result)
    blocks = _by(Looking.blocks)
    planes_shown = _by(Looking.planes_shown)
    known_planes = _by(Looking.known_planes)
    segment = _by(Looking.segment)

    # ------------------------------------------------------------------ tasks and guidance

    @property
    def tasks(self) -> dict[int, Task[Any]]:
        """The latest tasks, by number."""
        return self.core.tasks.known

    start = _by(Tasks.start)
    suggest = _by(Guidance.suggest)
    suggest_anywhere = _by(Guidance.suggest_anywhere)
    validate = _by(Guidance.validate)
    compare = _by(Guidance.compare)
    importance = _by(Guidance.importance)
    distribution = _by(Guidance.distribution)
    areas = _by(Measuring.areas)
    measure = _by(Measuring.measure)
    volumes = _by(Measuring.volumes)
    groups = _by(Measuring.groups)
    export_labels = _by(Exports.export_labels)
    older = _by(Exports.older)
    written = _by(Exports.written)
    all_written = _by(Exports.all_written)
    apply = _by(Exports.apply)

    # ------------------------------------------------------------------ objects

    @property
    def object_classes(self) -> tuple[Class, ...]:
        """The classes of objects, by label; all images share them."""
        return self._kinds.object_classes

    @property
    def object_settings(self) -> ObjectSettings:
        """How classes of objects are learnt; ``set_object_model`` changes it."""
        return self._objects.model.now

    object_source = _by(ObjectWork.object_source)
    follow_objects = _by(ObjectWork.follow_objects)
    find_objects = _by(ObjectWork.find_objects)
    set_objects = _by(ObjectWork.set_objects)
    no_objects = _by(ObjectWork.no_objects)
    objects = _by(ObjectWork.objects)
    object_labels = _by(ObjectWork.object_labels)
    object_at = _by(ObjectWork.object_at)
    label_objects = _by(ObjectKinds.label_objects)
    next_object = _by(ObjectKinds.next_object)
    object_accuracy = _by(ObjectKinds.object_accuracy)
    correct_objects = _by(Correcting.correct_objects)
    add_object_class = _by(ObjectKinds.add_object_class)
    change_object_class = _by(ObjectKinds.change_object_class)
    remove_object_class = _by(ObjectKinds.remove_object_class)
    set_object_model = _by(ObjectModel.set_object_model)
    join_table = _by(JoinTables.join_table)
    save_object_model = _by(ObjectExports.save_object_model)
    export_objects = _by(ObjectExports.export_objects)

    # ------------------------------------------------------------------ click, get an object

    prepare_prompts = _by(Prompting.prepare_prompts)
    leave_prompts = _by(Prompting.leave_prompts)
    propose = _by(Prompting.propose)
    proposal = _by(Prompting.proposal)
    commit_object = _by(Prompting.commit_object)
    carry_object = _by(CarryObjects.carry_object)
    find_everything = _by(FindEverything.find_everything)

    # ------------------------------------------------------------------ carve objects

    carving = _by(CarveObjects.carving)
    prepare_carving = _by(Cutting.prepare_carving)
    set_boundaries = _by(CarveObjects.set_boundaries)
    carve_stroke = _by(CarveObjects.carve_stroke)
    take_back_carving = _by(CarveObjects.take_back_carving)
    clear_carving = _by(CarveObjects.clear_carving)
    carved = _by(CarveObjects.carved)
    commit_carved = _by(CarveObjects.commit_carved)
    reopen_carved = _by(CarveObjects.reopen_carved)
    lock_carved = _by(CarveObjects.lock_carved)

    # ------------------------------------------------------------------ tracks

    track = _by(Tracking.track)
    tracks = _by(Tracking.tracks)
    has_tracks = _by(Tracking.has_tracks)
    solve_tracks = _by(Tracking.solve_tracks)
    correct_tracks = _by(Tracking.correct_tracks)
    export_tracks = _by(Tracking.export_tracks)

    # ------------------------------------------------------------------ as code

    as_code = _by(Repeating.as_code)
    as_command = _by(Repeating.as_command)
    export_all_strokes = _by(Repeating.export_all_strokes)


def _blank(benches: Sequence[Fitting]) -> Document:
    more = (fitting.bench() for fitting in benches)
    return Document(Strokes(), ObjectBench(), TrackBench(), *more)
