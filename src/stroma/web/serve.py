"""Running the server: an address of its own, a token, and a browser that opens it."""

from __future__ import annotations

import html
import os
import secrets
import socket
import tempfile
import threading
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from stroma.errors import FileError
from stroma.session import Session
from stroma.web.app import create_app
from stroma.web.connections import Connection
from stroma.web.gate import Address
from stroma.web.room import MAX_MESSAGE
from stroma.web.start.shelf import Shelf
from stroma.web.start.stage import Opens, Stage, gated

HERE = ("127.0.0.1", "localhost", "[::1]")
GRACE_SECONDS = 2
NOWHERE = ("192.0.2.1", 9)
"""An address that nobody has (RFC 5737); asking for the way there sends nothing."""

OPENS = """<!doctype html><meta charset="utf-8"><title>Stroma</title>
<meta http-equiv="refresh" content="0; url={url}"><a href="{url}">Open Stroma</a>
"""


@dataclass(frozen=True)
class Place:
    """A port that is ours, and what it is called.

    Parameters
    ----------
    listening : socket.socket
        Bound and listening.
    address : Address
        Where the server is reached, and the token.
    """

    listening: socket.socket
    address: Address


def show(
    session: Session,
    say: Callable[[str, int], object],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    browser: bool = True,
    opens: Opens | None = None,
    roots: Sequence[Path] = (),
    samples: Sequence[str] = (),
) -> None:
    """Serve a session until the process is asked to stop.

    Parameters
    ----------
    session : Session
        What is served.
    say : callable
        Told the address of the page and its port, before anybody can open it.
    host, port
        As for ``claim_for``.
    browser : bool
        Open the page in the user's browser.
    opens, roots, samples
        As for ``begin``: of a page to choose on, to which this one leads back. None unless given.
    """
    place = claim_for(session.path, host, port)
    say(place.address.url, place.address.port)

    with opening(place.address, session.path) as file:

        def ready() -> None:
            if browser:
                _browse(file)

        if opens is None:
            with suppress(KeyboardInterrupt):  # how a person ends it
                server(session, place, ready=ready).run(sockets=[place.listening])
        else:
            _run(Stage(opens, Shelf(roots), samples, ready, first=session), place)


def begin(
    opens: Opens,
    say: Callable[[str, int], object],
    *,
    roots: Sequence[Path],
    samples: Sequence[str] = (),
    host: str = "127.0.0.1",
    port: int = 0,
    browser: bool = True,
) -> None:
    """Serve a page on which something is chosen and opened, and then that, until the end.

    Parameters
    ----------
    opens : callable
        Given paths and the name of a sample, returns the session; it is closed at the end.
    say, host, port, browser
        As for ``show``.
    roots : sequence of Path
        Folders that may be looked into from the page.
    samples : sequence of str
        Names of samples.
    """
    place = claim(host, port)
    say(place.address.url, place.address.port)
    with opening(place.address, None) as file:
        _run(Stage(opens, Shelf(roots), samples, lambda: _browse(file) if browser else None), place)


def _run(stage: Stage, place: Place) -> None:
    """Serve until the process is asked to stop, and close what is open then."""
    try:
        with suppress(KeyboardInterrupt):
            uvicorn_of(gated(stage, place.address)).run(sockets=[place.listening])
    finally:
        if stage.session is not None:
            stage.session.close()


def _browse(file: Path) -> None:
    """Open a file in the user's browser."""
    started = threading.Thread(target=webbrowser.open, args=(file.as_uri(),))
    started.daemon = True  # some browsers return only when they are closed
    started.start()


@contextmanager
def opening(address: Address, project: Path | None) -> Iterator[Path]:
    """Yield a file that leads to the page; nobody else can read it, and it goes at the end.

    Browsers are told this file and not the address, since other users of a machine can read the
    command lines of its programs.
    """
    with tempfile.TemporaryDirectory(prefix="stroma-") as private:
        file = Path(project or private).resolve() / "open-page.html"
        file.unlink(missing_ok=True)  # of a program that was killed
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, "w", encoding="utf-8") as written:
                written.write(OPENS.format(url=html.escape(address.url)))
            yield file
        finally:
            file.unlink(missing_ok=True)


def claim_for(project: Path | None, host: str = "127.0.0.1", port: int = 0) -> Place:
    """Return a port, and a new token for it.

    Unless one is asked for, a project has the same port each time, if that is free: a page that was
    left open when the program stopped finds it again, with what was painted meanwhile.

    Raises
    ------
    FileError
        If the address is not this machine's, or the port that was asked for is taken.
    """
    if port or project is None:
        return claim(host, port)
    try:
        return claim(host, usual_port(project))
    except FileError:
        return claim(host)


def usual_port(project: Path) -> int:
    """Return the port of a project, below those that systems give away by themselves."""
    digest = blake2b(str(project.resolve()).encode(), digest_size=4).digest()
    return 20_000 + int.from_bytes(digest) % 12_000


def claim(host: str = "127.0.0.1", port: int = 0) -> Place:
    """Return a free port, and a new token for it.

    Parameters
    ----------
    host : str
        Address to listen at; "0.0.0.0" for all of this machine.
    port : int
        Port; 0 for any that is free.

    Raises
    ------
    FileError
        If the address is not this machine's, or the port is taken.
    """
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen()
    except (OSError, OverflowError) as error:
        listening.close()
        raise FileError(
            f"Cannot listen at {host}, port {port}: {error}. "
            "Leave out --port for one that is free, and --host for this machine only."
        ) from error
    token = secrets.token_urlsafe(32)
    return Place(listening, Address(names_of(host), listening.getsockname()[1], token))


def names_of(host: str) -> tuple[str, ...]:
    """Return what a browser may call this machine, the best name first."""
    if host in ("127.0.0.1", "localhost", "::1"):
        return HERE
    if host not in ("0.0.0.0", "::"):
        return (f"[{host}]" if ":" in host else host, *HERE)
    name = socket.gethostname()
    others = [*_outward(), socket.getfqdn(), name, *_addresses(name)]
    return tuple(dict.fromkeys([*(n for n in others if not _is_here(n)), *HERE]))


def _outward() -> list[str]:
    """Return the address that other machines see, where there is a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect(NOWHERE)
        except OSError:
            return []
        return [str(asked.getsockname()[0])]


def _addresses(name: str) -> list[str]:
    try:
        found = socket.getaddrinfo(name, None, socket.AF_INET)
    except OSError:  # the machine does not know its own name
        return []
    return sorted({str(entry[4][0]) for entry in found})


def _is_here(name: str) -> bool:
    return name.startswith(("127.", "localhost", "ip6-"))


def server(
    session: Session, place: Place, *, ready: Callable[[], object] = lambda: None
) -> uvicorn.Server:
    """Return a server that is not running yet.

    Parameters
    ----------
    session : Session
        What is served.
    place : Place
        Where.
    ready : callable
        Called when the page can be opened.
    """
    return uvicorn_of(create_app(session, place.address, ready=ready))


def uvicorn_of(app: ASGIApp) -> uvicorn.Server:
    """Return a server of an application, not running yet."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            http=Connection,
            server_header=False,
            ws="websockets-sansio",
            ws_max_size=2 * MAX_MESSAGE,  # beyond it the connection breaks, without a word
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
            h11_max_incomplete_event_size=64 * 1024,
        )
    )
