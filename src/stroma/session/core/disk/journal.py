"""The journal of a project: one line of JSON for everything that was done, on the disk at once."""

from __future__ import annotations

import json
import math
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from stroma.errors import FormatError
from stroma.io.atomic import flush as to_disk
from stroma.io.atomic import replaced
from stroma.session.core.disk.regular import open_regular
from stroma.session.events import Event, Saved, SaveFailed

MAX_LINE = 2**28
RETRY_SECONDS = 1.0
ENDING = ".jsonl"
BEGINNING = b'{"n":'
SAVE_ELSEWHERE = (
    "Nothing more is written there. All of it is still in memory: save it as another project."
)


class Journal:
    """Writes lines, and the settings, in a thread of its own; nothing is lost if the disk is full.

    Parameters
    ----------
    folder : Path
        Of the project.
    last : int
        Number of the last line that is there.
    tell : callable
        Is given `Saved` and `SaveFailed`.
    lost : callable
        Returns why the project is not this session's any more; empty while it is.
    """

    def __init__(
        self,
        folder: Path,
        last: int,
        tell: Callable[[Event], object],
        lost: Callable[[], str] = lambda: "",
    ) -> None:
        self.last = last
        self._lost_project = lost
        self._folder, self.tell = folder, tell
        self._state = threading.Condition()
        self._lines: list[bytes] = []
        self._settings: dict[str, Any] | None = None
        self._file, self._path = -1, folder
        self._written = 0
        self._closed = self._fresh = False
        self.problem = ""
        """What keeps lines from the disk, and what to do; empty where nothing does."""
        self._thread = threading.Thread(target=self._work, name="stroma-journal", daemon=True)
        self._thread.start()

    def append(self, operation: bytes) -> None:
        """Add a line, an object of JSON; it is on the disk a moment later."""
        with self._state:
            self.last += 1
            self._lines.append(b'{"n":%d,%s\n' % (self.last, operation.removeprefix(b"{")))
            self._state.notify_all()

    def set_settings(self, settings: Mapping[str, Any]) -> None:
        """Replace ``settings.json``, a moment later."""
        with self._state:
            self._settings = dict(settings)
            self._state.notify_all()

    def begin(self) -> None:
        """Go on in a new file."""
        with self._state:
            self._fresh = True

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until everything is on the disk; tell whether that was reached in time."""
        with self._state:
            return self._state.wait_for(lambda: self._is_empty, timeout)

    def close(self) -> bool:
        """Write what is left, and stop; tell whether everything is on the disk."""
        with self._state:
            self._closed = True
            self._state.notify_all()
        self._thread.join()
        with self._state:
            self._close_file()
            return self._is_empty

    @property
    def _is_empty(self) -> bool:
        return not self._lines and self._settings is None

    def _work(self) -> None:
        while True:
            with self._state:
                self._state.wait_for(lambda: self._closed or not self._is_empty)
                if self._is_empty:
                    return
            failed = self._write_all()
            with self._state:
                self._state.notify_all()
                if failed and self._closed:
                    return
                if failed:
                    self._state.wait_for(lambda: self._closed, RETRY_SECONDS)

    def _write_all(self) -> bool:
        """Write what there is, and say how that went; tell whether it failed."""
        wrong = self.lost()
        try:
            if not wrong:
                self._write_lines()
                self._write_settings()
        except (OSError, FormatError) as error:
            wrong = _advice(self._folder, error)
        if wrong:
            known, self.problem = self.problem, wrong
            if not known:
                self.tell(SaveFailed(str(self._folder), self.problem))
            return True
        self.problem = ""
        self.tell(Saved(str(self._folder)))
        return False

    def lost(self) -> str:
        """Return why nothing may be written any more; empty while all is well.

        A journal that was deleted would go on growing unseen, and be gone when it is closed.
        """
        said = self._lost_project()
        with self._state:  # the writer may be about to close the file and begin another
            if said or self._file < 0:
                return said
            try:
                there = os.path.samestat(os.fstat(self._file), os.lstat(self._path))
            except OSError:
                there = False
        return "" if there else f"{self._path} was removed while it was open. {SAVE_ELSEWHERE}"

    def _write_lines(self) -> None:
        with self._state:
            lines = list(self._lines)
            if self._fresh:
                self._close_file()
            if lines and self._file < 0:
                self._open_file(self.last - len(lines) + 1)
            file, start = self._file, self._written
        if not lines:
            return
        data = b"".join(lines)
        os.lseek(file, start, os.SEEK_SET)  # over what an earlier attempt left behind
        view = memoryview(data)
        while view:
            view = view[os.write(file, view) :]
        os.fsync(file)
        with self._state:
            del self._lines[: len(lines)]
            self._written = start + len(data)

    def _open_file(self, first: int) -> None:
        path = self._folder / "events" / f"{first:010}{ENDING}"
        self._file, self._path = open_regular(path, os.O_RDWR | os.O_CREAT), path
        self._written = 0
        to_disk(path.parent)

    def _close_file(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        self._fresh = False

    def _write_settings(self) -> None:
        with self._state:
            settings = self._settings
        if settings is None:
            return
        write_json(self._folder / "settings.json", settings)
        with self._state:
            if self._settings is settings:
                self._settings = None


def write_json(path: Path, values: Any) -> None:
    """Write a JSON file that appears whole or not at all."""
    with replaced(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        json.dump(values, file, allow_nan=False)


def read_json(data: bytes | str) -> Any:
    """Return plain values from JSON.

    Raises
    ------
    ValueError
        If it is not JSON, or holds NaN, or is nested too deeply.
    """

    def refuse(constant: str) -> None:
        raise ValueError(f"the number {constant}")

    def finite(text: str) -> float:
        number = float(text)
        if not math.isfinite(number):
            refuse(text[:20])
        return number

    try:
        return json.loads(data, parse_constant=refuse, parse_float=finite)
    except RecursionError as error:
        raise ValueError("too many levels") from error


def lines(folder: Path, after: int) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield the lines of a project's journal with numbers above ``after``, with their file.

    A last line that was cut short, when the program or the computer stopped while it was written,
    is dropped.

    Raises
    ------
    FormatError
        If another line is damaged or missing.
    """
    files = sorted((folder / "events").glob("*" + ENDING))
    for path in files:
        _first(path)
    expected = after + 1
    for position, path in enumerate(files):
        following = files[position + 1] if position + 1 < len(files) else None
        if following is not None and _first(following) <= expected:
            continue  # all of its lines are part of the snapshot
        for row, line in enumerate(_read(path), 1):
            values = _parsed(line)
            if values is None:
                if following is None and _nothing_after(path, row):
                    break
                raise _damage(path, row, "is damaged")
            if values["n"] < expected:
                continue
            if values["n"] > expected:
                raise _damage(path, row, f"has the number {values['n']} instead of {expected}")
            expected += 1
            yield path, values


def cut_torn_line(folder: Path) -> None:
    """Remove the rest of a line that was being written when the program stopped."""
    files = sorted((folder / "events").glob("*" + ENDING))
    if not files:
        return
    whole = 0
    for row, line in enumerate(_read(files[-1]), 1):
        if _parsed(line) is None:
            begun = BEGINNING.startswith(line[: len(BEGINNING)]) or not line.strip(b"\0")
            if not whole and not begun:
                raise FormatError(
                    f"{files[-1]} is damaged, or no journal of a project. Restore it from a "
                    f"backup; or remove it, if it does not belong there."
                )
            if _nothing_after(files[-1], row):
                _cut(files[-1], whole)
            return
        whole += len(line)


def _cut(path: Path, length: int) -> None:
    with os.fdopen(open_regular(path, os.O_RDWR), "r+b") as file:
        file.truncate(length)


def _read(path: Path) -> Iterator[bytes]:
    with os.fdopen(open_regular(path), "rb") as file:
        while line := file.readline(MAX_LINE):
            yield line


def _parsed(line: bytes) -> Mapping[str, Any] | None:
    if not line.endswith(b"\n"):
        return None
    with suppress(ValueError):
        values = read_json(line)
        if isinstance(values, dict) and type(values.get("n")) is int:
            return values
    return None


def _nothing_after(path: Path, row: int) -> bool:
    """Tell whether no whole line follows a damaged one."""
    return all(_parsed(line) is None for i, line in enumerate(_read(path), 1) if i > row)


def _first(path: Path) -> int:
    try:
        return int(path.stem)
    except ValueError as error:
        raise FormatError(f"{path} is no part of a project's journal; remove it.") from error


def _damage(path: Path, row: int, what: str) -> FormatError:
    return FormatError(
        f"Line {row} of {path} {what}, though lines follow it. Restore the file from a backup, "
        f"or delete this line and those after it to go on with what was done before."
    )


def _advice(folder: Path, error: OSError | FormatError) -> str:
    reason = getattr(error, "strerror", None) or error
    return (
        f"{folder} cannot be written: {reason}. Nothing is lost while Stroma "
        f"runs; make room or restore the rights, and it is tried again every second."
    )
