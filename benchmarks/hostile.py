"""Damaged and misleading files: how many crash, hang, fill the memory, or raise something foreign.

    python benchmarks/hostile.py                     thirty thousand cases, some twenty minutes
    python benchmarks/hostile.py --count 2000 --only tiff
    python benchmarks/hostile.py --smoke             a few of every kind

Every case is a small sound file, damaged at places that its number says, so that one that fails can
be made again: ``--only tiff --first 1234 --count 1 --keep folder``. Cases run in a process of their
own, which is started again behind a case that ends it. What is opened must give an image, or raise
an error of Stroma that names the file.

To try other files, add a line to ``TARGETS``.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from stroma.data.image import Image  # noqa: E402
from stroma.errors import StromaError  # noqa: E402
from stroma.io import read_image, read_strokes, series_of, write_strokes  # noqa: E402

SECONDS = 10
"""A case that takes longer hangs."""

BYTES = 2**29
"""A case that needs more memory than this fills it."""

LIMIT = 2**33
"""Address space of the process that opens the files."""

LARGEST = 2**24
"""Values of an image that are all read; of larger ones, a corner is."""

TROUBLES = ("crash", "hang", "memory", "foreign error", "unnamed file")


@dataclass(frozen=True)
class Target:
    """One kind of file to damage.

    Parameters
    ----------
    make : callable
        Writes sound files to a folder.
    open : callable
        Does with a file what a user would.
    """

    make: Callable[[Path], None]
    open: Callable[[Path], object]


def main() -> None:
    """Run the cases and print what became of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--count", type=int, default=30_000, help="cases in all")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--only", choices=sorted(TARGETS), help="one kind of file")
    parser.add_argument("--keep", type=Path, help="folder for the files that made trouble")
    parser.add_argument("--smoke", action="store_true", help="a few cases of every kind")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    count = 10 * len(TARGETS) if args.smoke else args.count
    names = [args.only] if args.only else sorted(TARGETS)
    if args.work:
        _work(args.only, args.first, count, args.work)
        return
    found: Counter[str] = Counter()
    for name in names:
        each = -(-count // len(names))
        counts = run(name, args.first, each, keep=args.keep)
        found += counts
        print(f"{name:8} {_line(counts)}", flush=True)
    print(f"{'all':8} {_line(found)}")
    sys.exit(1 if any(found[t] for t in TROUBLES) else 0)


def _line(counts: Counter[str]) -> str:
    shown = ("read", "refused", *TROUBLES)
    return ", ".join(f"{counts[what]} {what}" for what in shown)


def run(name: str, first: int, count: int, *, keep: Path | None = None) -> Counter[str]:
    """Open damaged files of one kind, and count what became of them."""
    found: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        at = first
        while at < first + count:
            log = work / "log.jsonl"
            log.write_text("")
            command = [sys.executable, __file__, "--only", name, "--first", str(at)]
            command += ["--count", str(first + count - at), "--work", str(work)]
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            lines = [json.loads(line) for line in log.read_text().splitlines()]
            ended = [line for line in lines if "what" in line]
            for line in ended:
                found[line["what"]] += 1
                if line["what"] in TROUBLES:
                    print(f"{name} {line['number']}: {line['what']}: {line['said']}", flush=True)
                    _keep(name, line["number"], keep)
            at += len(ended)
            if at < first + count:  # the process is gone in the midst of a case
                what = "hang" if done.returncode == -signal.SIGALRM else "crash"
                if done.returncode == 0 or not any("what" not in line for line in lines):
                    raise RuntimeError(done.stderr[-2000:])
                found[what] += 1
                print(f"{name} {at}: {what}: exit {done.returncode}", flush=True)
                _keep(name, at, keep)
                at += 1
    return found


def _keep(name: str, number: int, folder: Path | None) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch:
            TARGETS[name].make(Path(scratch))
            made = damaged(Path(scratch), number)
            shutil.rmtree(folder / f"{number}_{made.name}", ignore_errors=True)
            shutil.move(made, folder / f"{number}_{made.name}")


def _work(name: str, first: int, count: int, folder: Path) -> None:
    """Open cases one after the other; write a line before and after each."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, _too_long)
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
    sound = folder / "sound"
    if not sound.exists():
        sound.mkdir()
        TARGETS[name].make(sound)
    with (folder / "log.jsonl").open("a") as log:
        for number in range(first, first + count):
            print(json.dumps({"number": number}), file=log, flush=True)
            path = damaged(sound, number, folder)
            signal.alarm(SECONDS)
            what, said = _outcome(TARGETS[name].open, path)
            signal.alarm(0)
            print(json.dumps({"number": number, "what": what, "said": said}), file=log, flush=True)
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


class TooLong(BaseException):
    """A case takes longer than it may."""


def _too_long(*_: object) -> None:
    # Code that holds the interpreter never comes here twice: then the signal ends the process.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(SECONDS)
    raise TooLong


def _outcome(read: Callable[[Path], object], path: Path) -> tuple[str, str]:
    """Return what became of a case, and what was said."""
    before, start = _peak(), time.monotonic()
    try:
        read(path)
        what, said = "read", ""
    except StromaError as error:
        named = path.name in str(error) or path.stem in str(error)
        what, said = "refused" if named else "unnamed file", str(error)[:300]
    except TooLong:
        signal.signal(signal.SIGALRM, _too_long)
        return "hang", f"more than {SECONDS} s"
    except BaseException as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        what, said = "foreign error", f"{error!r:.200} at {place.filename}:{place.lineno}"
    grown = _peak() - before
    if grown > BYTES:
        return "memory", f"{grown >> 20} MiB in {time.monotonic() - start:.1f} s"
    return what, said


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


# Damaging


def damaged(sound: Path, number: int, folder: Path | None = None) -> Path:
    """Return a damaged copy of one of the sound files, the same for the same number."""
    rng = np.random.default_rng(number)
    files = sorted(p for p in sound.iterdir() if not p.name.startswith("."))
    source = files[number % len(files)]
    target = (folder or sound) / f"case_{source.name}"
    if source.is_dir():
        shutil.copytree(source, target)
        inner = sorted(p for p in target.rglob("*") if p.is_file())
        texts = [p for p in inner if p.name.startswith(".z") or p.name == "zarr.json"]
        part = _one(rng, texts if rng.random() < 0.75 else inner)
        part.write_bytes(_damage(part.read_bytes(), rng))
    else:
        target.write_bytes(_damage(source.read_bytes(), rng))
        if source.suffix == ".png" and rng.random() < 0.8:
            target.write_bytes(_with_right_checksums(target.read_bytes()))
    return target


def _with_right_checksums(data: bytes) -> bytes:
    """Return a PNG whose damage its checksums do not tell."""
    parts, at = [data[:8]], 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        body = data[at + 4 : at + 8 + length]
        parts += [data[at : at + 4], body, zlib.crc32(body).to_bytes(4, "big")]
        at += 12 + length
    return b"".join(parts)


def _one(rng: np.random.Generator, things: Sequence[Any]) -> Any:
    return things[int(rng.integers(len(things)))]


def _damage(data: bytes, rng: np.random.Generator) -> bytes:
    is_text = data[:1] in (b"{", b"[")
    ways = TEXT_WAYS if is_text and rng.random() < 0.8 else BYTE_WAYS
    for _ in range(int(rng.integers(1, 4))):
        data = _one(rng, ways)(data, rng) if data else data
    return data


def _flip(data: bytes, rng: np.random.Generator) -> bytes:
    """Change one bit, most often near the beginning."""
    changed = bytearray(data)
    changed[_near(data, rng)] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _number(data: bytes, rng: np.random.Generator) -> bytes:
    """Write a number that is seldom meant."""
    size = int(_one(rng, (1, 2, 4, 8)))
    value = int(_one(rng, NUMBERS)) % 2 ** (8 * size)
    at = _near(data, rng)
    written = value.to_bytes(size, _one(rng, ("little", "big")))
    return data[:at] + written + data[at + size :]


def _cut(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: int(rng.integers(len(data)))]


def _copy(data: bytes, rng: np.random.Generator) -> bytes:
    """Write a part of the file over another part."""
    size = int(rng.integers(1, 64))
    a, b = _near(data, rng), _near(data, rng)
    return data[:b] + data[a : a + size] + data[b + size :]


def _insert(data: bytes, rng: np.random.Generator) -> bytes:
    at = _near(data, rng)
    return data[:at] + rng.bytes(int(rng.integers(1, 16))) + data[at:]


def _near(data: bytes, rng: np.random.Generator) -> int:
    top = len(data) if rng.random() < 0.4 else min(len(data), 400)
    return int(rng.integers(top))


def _token(data: bytes, rng: np.random.Generator) -> bytes:
    """Put something else in the place of a number, word or bracket of a text."""
    found = list(re.finditer(rb"-?\d+(?:\.\d+)?|\"[^\"]*\"|null|true|false|[\[\]{}:,]", data))
    if not found:
        return data
    spot = _one(rng, found)
    return data[: spot.start()] + _one(rng, TOKENS) + data[spot.end() :]


def _nest(data: bytes, rng: np.random.Generator) -> bytes:
    many = int(_one(rng, (3, 100, 100_000)))
    at = int(rng.integers(len(data)))
    return data[:at] + b"[" * many + data[at:]


NUMBERS = (
    *(0, 1, 2, 3, 127, 128, 255, 256, 32767, 65535, 65536, 10**6),
    *(2**31 - 1, 2**31, 2**32 - 1, 2**33, 2**40, 2**63 - 1, 2**63, 2**64 - 1),
)
TOKENS = (
    *(b"0", b"-1", b"1e999", b"NaN", b"null", b"true", b'""', b'"x"', b"[]", b"{}", b"[0]"),
    *(b"1000000000000000000000000000000", b"9" * 5000, b"0.5", b'"../../x"', b'"<f8"', b'"|O"'),
    *(b'"blosc"', b'"zlib"', b'"pickle"', b"[[[]]]", b'{"name":"x"}', b"4294967295", b"1", b'"."'),
)
BYTE_WAYS = (_flip, _flip, _number, _number, _number, _cut, _copy, _insert)
TEXT_WAYS = (_token, _token, _token, _nest)


# What is opened


def _corpus(*endings: str) -> Callable[[Path], None]:
    """Return what writes the files of the corpus of the tests that have some endings."""

    def make(folder: Path) -> None:
        from tests.io.corpus import CASES

        for case in CASES:
            if case.name.endswith(endings):
                case.make(folder / case.name)

    return make


def look_at_image(path: Path) -> None:
    """List the images of a file, and read one: all of it, or a corner if it is large."""
    series_of(path)
    image = read_image(path)
    if np.prod(image.shape, dtype=object) <= LARGEST:
        image.read()
    else:
        image.read({a: slice(0, 64) for a in image.sizes})


def _strokes(folder: Path) -> None:
    """Write the same strokes in every format that holds marks."""
    image = Image(np.zeros((2, 64, 80), np.uint8), "zyx")
    labels = np.zeros((2, 64, 80), np.uint16)
    labels[0, 4:20, 5:50], labels[1, 30:60, 2:9], labels[0, 30:40, 30:40] = 1, 2, 3
    from stroma.data.strokes import Strokes

    for ending in (".zip", ".geojson"):
        write_strokes(folder / f"strokes{ending}", Strokes(labels, "zyx"), image)
    from stroma.data.shapes import Area
    from stroma.io.imagej.write import encode
    from stroma.io.marks import Mark

    square = np.array([[2, 2], [9, 2], [9, 9], [2, 9]], np.float64)
    (folder / "one.roi").write_bytes(
        encode(Mark(Area((square,)), {"z": 0}, "nucleus", 1, "#ff0000", "nucleus-1"))
    )


def look_at_strokes(path: Path) -> None:
    """Read strokes for an image."""
    read_strokes(path, Image(np.zeros((2, 64, 80), np.uint8), "zyx"))


def look_at_labels(path: Path) -> None:
    """Read an image file as labels."""
    read_strokes(path, Image(np.zeros((8, 9), np.uint8), "yx"))


TARGETS: dict[str, Target] = {
    "tiff": Target(_corpus(".tif", ".lsm", ".stk", ".svs"), look_at_image),
    "png": Target(_corpus(".png"), look_at_image),
    "pictures": Target(_corpus(".jpg", ".bmp", ".gif", ".webp"), look_at_image),
    "npy": Target(_corpus(".npy"), look_at_image),
    "zarr": Target(_corpus(".zarr"), look_at_image),
    "mrc": Target(_corpus(".mrc", ".mrc.gz"), look_at_image),
    "nifti": Target(_corpus(".nii", ".nii.gz"), look_at_image),
    "strokes": Target(_strokes, look_at_strokes),
    "labels": Target(
        _corpus("plain.tif", "palette.png", ".npy", ".gif", "plane.nii"), look_at_labels
    ),
}
"""Name -> what is damaged and how it is opened."""


if __name__ == "__main__":
    main()
