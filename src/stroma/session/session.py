"""One session: a core, the benches around it, and everything that is done with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from stroma.data.classes import Class
from stroma.pixel.model import ConvpaintModel
from stroma.session.assembly import Parts, blank, by
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
from stroma.session.strokes.teaching import Teaching
from stroma.session.tracks.tracking import Tracking

if TYPE_CHECKING:
    from stroma.training.model import Network


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
        self._assemble(blank(benches), model or ConvpaintModel(alias), mode, benches)

    def _assemble(
        self, document: Document, model: ConvpaintModel, mode: str, benches: Sequence[Fitting]
    ) -> None:
        parts = Parts(document, model, mode, benches)
        self.core, self._parts, self._model = parts.core, parts.by_name, parts.model
        self._storage, self._exports, self._images = parts.storage, parts.exports, parts.images
        self._screen, self._objects, self._kinds = parts.screen, parts.objects, parts.kinds

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
        project, contents = projects.load(Path(folder), lambda: blank(benches), lambda _: None)
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

    save_as = by(Storage.save_as)
    save = by(Storage.save)
    flush = by(Storage.flush)

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

    image = by(Core.image)
    add_image = by(Images.add_image)
    add_images = by(Images.add_images)
    close_image = by(Images.close_image)
    source = by(Images.source)
    set_region = by(Images.set_region)
    set_display = by(Images.set_display)
    set_pixel_size = by(Images.set_pixel_size)
    copy_settings = by(Images.copy_settings)
    mark_image = by(Images.mark_image)
    image_to_do = by(Images.image_to_do)
    relocate = by(Images.relocate)
    unasked = by(Images.unasked)
    fetch = by(Images.fetch)
    recognise = by(Images.recognise)
    look = by(Images.look)
    look_away = by(Images.look_away)

    # ------------------------------------------------------------------ strokes and classes

    @property
    def classes(self) -> tuple[Class, ...]:
        """The classes, by label."""
        return tuple(self._model.bench.classes.values())

    add_class = by(ClassList.add_class)
    set_classes = by(ClassList.set_classes)
    name_classes = by(ClassList.name_classes)
    reset_classes = by(ClassList.reset_classes)
    change_class = by(ClassList.change_class)
    remove_class = by(ClassList.remove_class)

    paint = by(Painting.paint)
    erase = by(Painting.erase)
    fill = by(Painting.fill)
    stamp = by(Painting.stamp)
    paint_alike = by(Picking.paint_alike)
    remove_stroke = by(Picking.remove_stroke)
    fill_in = by(Picking.fill_in)
    take_group = by(Painting.take_group)
    clear = by(Painting.clear)
    strokes = by(Painting.strokes)
    painted = by(Painting.painted)
    painted_pixels = by(Painting.painted_pixels)
    points = by(Painting.points)
    import_strokes = by(StrokeFiles.import_strokes)
    export_strokes = by(StrokeFiles.export_strokes)

    # ------------------------------------------------------------------ what was done

    undo = by(Core.undo)
    redo = by(Core.redo)
    listen = by(Core.listen)

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

    set_mode = by(StrokeModel.set_mode)
    set_training = by(StrokeModel.set_training)
    set_channels = by(StrokeModel.set_channels)
    set_alias = by(StrokeModel.set_alias)
    set_params = by(StrokeModel.set_params)
    see_with = by(StrokeModel.see_with)
    train = by(StrokeModel.train)

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

    standing = by(Screen.standing)
    cancel = by(Worker.give_up)
    wait = by(Worker.wait)
    result = by(Looking.result)
    blocks = by(Looking.blocks)
    planes_shown = by(Looking.planes_shown)
    known_planes = by(Looking.known_planes)
    segment = by(Looking.segment)

    # ------------------------------------------------------------------ tasks and guidance

    @property
    def tasks(self) -> dict[int, Task[Any]]:
        """The latest tasks, by number."""
        return self.core.tasks.known

    start = by(Tasks.start)
    teach_network = by(Teaching.teach_network)
    suggest = by(Guidance.suggest)
    suggest_anywhere = by(Guidance.suggest_anywhere)
    validate = by(Guidance.validate)
    compare = by(Guidance.compare)
    importance = by(Guidance.importance)
    distribution = by(Guidance.distribution)
    areas = by(Measuring.areas)
    measure = by(Measuring.measure)
    volumes = by(Measuring.volumes)
    groups = by(Measuring.groups)
    export_labels = by(Exports.export_labels)
    older = by(Exports.older)
    written = by(Exports.written)
    all_written = by(Exports.all_written)
    apply = by(Exports.apply)

    # ------------------------------------------------------------------ objects

    @property
    def object_classes(self) -> tuple[Class, ...]:
        """The classes of objects, by label; all images share them."""
        return self._kinds.object_classes

    @property
    def object_settings(self) -> ObjectSettings:
        """How classes of objects are learnt; ``set_object_model`` changes it."""
        return self._objects.model.now

    object_source = by(ObjectWork.object_source)
    follow_objects = by(ObjectWork.follow_objects)
    find_objects = by(ObjectWork.find_objects)
    set_objects = by(ObjectWork.set_objects)
    no_objects = by(ObjectWork.no_objects)
    objects = by(ObjectWork.objects)
    object_labels = by(ObjectWork.object_labels)
    object_at = by(ObjectWork.object_at)
    label_objects = by(ObjectKinds.label_objects)
    next_object = by(ObjectKinds.next_object)
    object_accuracy = by(ObjectKinds.object_accuracy)
    correct_objects = by(Correcting.correct_objects)
    add_object_class = by(ObjectKinds.add_object_class)
    change_object_class = by(ObjectKinds.change_object_class)
    remove_object_class = by(ObjectKinds.remove_object_class)
    set_object_model = by(ObjectModel.set_object_model)
    join_table = by(JoinTables.join_table)
    save_object_model = by(ObjectExports.save_object_model)
    export_objects = by(ObjectExports.export_objects)

    # ------------------------------------------------------------------ click, get an object

    prepare_prompts = by(Prompting.prepare_prompts)
    leave_prompts = by(Prompting.leave_prompts)
    propose = by(Prompting.propose)
    proposal = by(Prompting.proposal)
    commit_object = by(Prompting.commit_object)
    carry_object = by(CarryObjects.carry_object)
    find_everything = by(FindEverything.find_everything)

    # ------------------------------------------------------------------ carve objects

    carving = by(CarveObjects.carving)
    prepare_carving = by(Cutting.prepare_carving)
    set_boundaries = by(CarveObjects.set_boundaries)
    carve_stroke = by(CarveObjects.carve_stroke)
    take_back_carving = by(CarveObjects.take_back_carving)
    clear_carving = by(CarveObjects.clear_carving)
    carved = by(CarveObjects.carved)
    commit_carved = by(CarveObjects.commit_carved)
    reopen_carved = by(CarveObjects.reopen_carved)
    lock_carved = by(CarveObjects.lock_carved)

    # ------------------------------------------------------------------ tracks

    track = by(Tracking.track)
    tracks = by(Tracking.tracks)
    has_tracks = by(Tracking.has_tracks)
    solve_tracks = by(Tracking.solve_tracks)
    correct_tracks = by(Tracking.correct_tracks)
    export_tracks = by(Tracking.export_tracks)

    # ------------------------------------------------------------------ as code

    as_code = by(Repeating.as_code)
    as_command = by(Repeating.as_command)
    export_all_strokes = by(Repeating.export_all_strokes)
