"""``stroma paint``: paint and see, in the browser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from stroma.cli.settings import several
from stroma.io.address import address_of, require_address
from stroma.registry import Registry

if TYPE_CHECKING:
    from stroma.session import Session

FRONT_ENDS = Registry(
    "front end",
    {"browser": "stroma.web.serve:show", "start": "stroma.web.serve:begin"},
    extras={"browser": "web", "start": "web"},
)

SAMPLES = {
    "tissue": "immunohistochemistry",
    "cell": "cell",
    "coins": "coins",
    "vessels": "microaneurysms",
    "retina": "retina",
}
"""Images that come with scikit-image, and their names there."""

SHOWN = 3
"""Files that a message says something of."""

HERE = "127.0.0.1"
EXPOSED = """\
Whoever has the address above can read the opened images and change the project, and what travels
is not encrypted. On a shared network, leave out --host and use an SSH tunnel instead:
    ssh -L {port}:127.0.0.1:{port} THIS-MACHINE, with --port {port} here
"""

Images = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="IMAGE...",
        help="Images, folders of them, addresses of OME-Zarr images, or a project to go on with.",
        show_default=False,
    ),
]
Configuration = Annotated[
    str | None,
    typer.Option(
        "--alias",
        help="Configuration of the model; `stroma models` lists them.",
        show_default="stroma, or that of the project",
    ),
]
Project = Annotated[
    Path | None,
    typer.Option(
        "--project",
        "-p",
        help="Folder for strokes, model and results.",
        show_default="beside the first image or folder: its name, ending in .stroma",
    ),
]


def paint(
    images: Images = None,
    project: Project = None,
    alias: Configuration = None,
    series: Annotated[
        str | None,
        typer.Option(
            metavar="0,2",
            help="Images to open of files that hold several, counted from 0, or all.",
            show_default="all, or the first where there are more than 12",
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            help="A model or a network to go on with: it segments at once, until strokes train "
            "a model anew.",
            show_default=False,
        ),
    ] = None,
    tracks: Annotated[
        Path | None,
        typer.Option(
            metavar="LABELS",
            help="Label images of the movie (a folder, or a stack): its objects are tracked, to be "
            "seen and corrected in the panel Tracks. A project that has tracks keeps its own.",
            show_default=False,
        ),
    ] = None,
    sample: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"An image to try it on, which comes with scikit-image: {', '.join(SAMPLES)}.",
            show_default=False,
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen at; 0.0.0.0 is all of this machine's.")
    ] = HERE,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 is any that is free.")] = 0,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Only print the address of the page.")
    ] = False,
) -> None:
    """Paint a few strokes in the browser, and watch the segmentation follow.

    Without an image, a page opens on which images, projects and samples are chosen. Everything is
    kept in the project: run the same command again, and go on where you stopped.
    """

    def begun(paths: list[Path], sample: str | None) -> Session:
        return remembered(opened_with(paths, sample, project))

    def another(paths: list[Path], sample: str | None) -> Session:
        """Open something else: what was said of the first does not hold for it."""
        session = opened_as(paths, sample_project(sample), None, None)
        if sample is not None:
            add_sample(session, sample)
        return remembered(session)

    def opened_with(paths: list[Path], sample: str | None, project: Path | None) -> Session:
        session = opened_as(paths, project or sample_project(sample), alias, several(series))
        if sample is not None:
            add_sample(session, sample)
        if model is not None:
            take_model(session, model)
        if tracks is not None:
            take_tracks(session, tracks)
        return session

    def say(url: str, at_port: int) -> None:
        typer.echo(f"Stroma paints at {url}")
        if host not in (HERE, "localhost", "::1"):
            typer.echo(EXPOSED.format(port=at_port), err=True)

    where: dict[str, Any] = {"host": host, "port": port, "browser": not no_browser}
    if not images and project is None and sample is None:
        choose(begun, say, **where)
        return
    if series is not None and not sorted_out(images or [], project)[0]:
        raise typer.BadParameter("--series goes with images that are named. Leave it out.")
    session = begun(images or [], sample)

    def say_all(url: str, at_port: int) -> None:
        say(url, at_port)
        typer.echo(f"Project: {session.path}\nCtrl+C ends it.")

    try:
        FRONT_ENDS["browser"](session, say_all, **choices(another), **where)
    finally:
        session.close()


def choose(
    begun: Callable[[list[Path], str | None], Session],
    say: Callable[[str, int], object],
    **where: Any,
) -> None:
    """Show the page on which something is chosen."""

    def say_more(url: str, at_port: int) -> None:
        say(url, at_port)
        typer.echo("Choose there what to open. Ctrl+C ends it.")

    FRONT_ENDS["start"](say=say_more, **choices(begun), **where)


def choices(begun: Callable[[list[Path], str | None], Session]) -> dict[str, Any]:
    """Return what a page to choose on offers, and what opens it."""
    from stroma.errors import ParameterError

    def opens(paths: Sequence[Path], sample: str) -> Session:
        try:
            return begun(list(paths), sample or None)
        except typer.BadParameter as error:
            raise ParameterError(error.message) from error

    roots = dict.fromkeys([Path.cwd(), Path.home()])
    return {"opens": opens, "roots": list(roots), "samples": list(SAMPLES)}


def sample_project(sample: str | None) -> Path | None:
    """Return where the project of a sample lies: here; none without one."""
    return Path(f"{require_sample(sample)}.stroma") if sample else None


def remembered(session: Session) -> Session:
    """Note which project was opened, for the page to choose on, and return its session.

    Where servers wait for somebody to agree that they are asked, that is noted once they were.
    """
    from stroma.session.recent import is_known, remember

    if session.path is not None and (is_known(session.path) or not session.unasked()):
        remember(session.path)
    return session


def opened_as(
    paths: list[Path],
    project: Path | None = None,
    alias: str | None = None,
    series: tuple[int, ...] | Literal["all"] | None = None,
) -> Session:
    """Return the session of what was named: images, folders, a project."""
    from stroma.session.events import Notice
    from stroma.workflow.applying.find import find_images

    images, project = sorted_out(paths, project)
    files = find_images(images)
    if project is None:
        project = beside(images[0] if images[0].is_dir() else files[0])
    wanted, left = readable(files, {path.absolute() for path in images}, series)
    session = opened(wanted, project, alias, every=series is not None)
    if left:
        session.notices += (Notice("", told(left, len(files))),)
    return session


def readable(
    files: list[Path], named: set[Path], series: tuple[int, ...] | Literal["all"] | None
) -> tuple[list[tuple[Path, int]], list[str]]:
    """Return the images that can be opened, and what is wrong with other files of a folder.

    One damaged file does not keep away those that lie beside it; a file that was named is wanted.

    Raises
    ------
    StromaError
        If a file that was named cannot be opened, or none of a folder can.
    """
    from stroma.errors import StromaError
    from stroma.io import read_image
    from stroma.session.series import numbers

    wanted, wrong = [], []
    for path in files:
        try:
            chosen = [(path, number) for number in numbers(path, series)]
            for one, number in chosen:
                read_image(one, series=number)
            wanted += chosen
        except (StromaError, OSError) as error:
            if path.absolute() in named or (path == files[-1] and not wanted):
                raise
            wrong.append(str(error))
    return wanted, wrong


def told(wrong: list[str], count: int) -> str:
    """Say which files of a folder were not opened, and why."""
    more = f" And {len(wrong) - SHOWN} more." if len(wrong) > SHOWN else ""
    return f"{len(wrong)} of {count} images were not opened. {' '.join(wrong[:SHOWN])}{more}"


def require_sample(name: str) -> str:
    """Return the name of a sample.

    Raises
    ------
    typer.BadParameter
        If there is none of that name.
    """
    if name not in SAMPLES:
        raise typer.BadParameter(
            f"There is no sample {name!r}; there are {', '.join(SAMPLES)}.", param_hint="--sample"
        )
    return name


def add_sample(session: Session, name: str) -> None:
    """Open a sample, unless the project has it already; it is kept in the project."""
    if any(one.name == name for one in session.images):
        return
    import numpy as np
    import skimage.data

    from stroma.data.image import Image

    values = getattr(skimage.data, SAMPLES[name])()
    colours = values.ndim > 2
    image = Image(np.moveaxis(values, -1, 0), "cyx", rgb=True) if colours else Image(values, "yx")
    session.add_image(image, name=name)


def take_model(session: Session, path: Path) -> None:
    """Go on with a model from a file; the session is closed if that cannot be."""
    from stroma.workflow.applying.load import load

    try:
        session.set_model(load(path))
    except BaseException:
        session.close()
        raise


def take_tracks(session: Session, labels: Path) -> None:
    """Track the one movie of a session; the session is closed if that cannot be.

    Raises
    ------
    typer.BadParameter
        If several images are open.
    """
    try:
        keys = [one.key for one in session.images]
        if len(keys) != 1:
            raise typer.BadParameter(
                f"Label images are those of one movie, here are {len(keys)}.", param_hint="--tracks"
            )
        if not session.has_tracks(keys[0]):
            session.track(keys[0], labels)
    except BaseException:
        session.close()
        raise


def sorted_out(paths: list[Path], project: Path | None) -> tuple[list[Path], Path | None]:
    """Return the images, and the project if it is named, whichever way.

    Raises
    ------
    typer.BadParameter
        If several projects are named.
    """
    projects = [path for path in paths if is_project(path)]
    projects += [project] if project is not None else []
    if len({path.resolve() for path in projects}) > 1:
        names = ", ".join(map(str, projects))
        raise typer.BadParameter(f"Only one project is open at a time, got {names}.")
    images = [path for path in paths if not is_project(path)]
    for path in images:
        if address_of(path):
            require_address(address_of(path))
    return images, projects[0] if projects else None


def is_project(path: Path) -> bool:
    """Tell whether a folder is a project, or once was one."""
    return path.is_dir() and (path.suffix == ".stroma" or (path / "project.json").is_file())


def beside(image: Path) -> Path:
    """Return the project that belongs to an image, or a folder, unless another is named.

    That of an image on a web server lies in the current folder.
    """
    from stroma.io import stem_of
    from stroma.session.code import safe_stem

    if address_of(image):
        return Path(f"{safe_stem(address_of(image).rpartition('/')[2])}.stroma")
    whole = image.resolve() if image.is_dir() else image
    stem = whole.name if whole.is_dir() and whole.suffix != ".zarr" else stem_of(whole)
    return whole.with_name(f"{stem}.stroma")


def opened(
    wanted: list[tuple[Path, int]], project: Path, alias: str | None, *, every: bool = False
) -> Session:
    """Return the session of a project, new or not, with images that are not in it yet."""
    from stroma.session import Session
    from stroma.session.recent import is_known

    if project.exists():
        session = Session.open(project, servers=is_known(project))
        if alias is not None:
            session.set_alias(alias)
    else:
        session = Session.create(project, alias or "stroma")
    _join(session, wanted, every=every)
    return session


def _join(session: Session, wanted: list[tuple[Path, int]], *, every: bool) -> None:
    """Open images that are not open yet; of a file that is, more only if ``every`` one counts."""
    from stroma.session.series import add

    known = [(Path(one.image.source).resolve(), one.image.read_with) for one in session.images]
    there = {(path, (with_ or {}).get("series", 0)) for path, with_ in known}
    paths = {path for path, _ in known}
    for path, number in wanted:
        own = path.resolve()
        if (own, number) in there or (own in paths and not every):
            continue
        if not session.recognise(path):
            add(session, path, [number])
