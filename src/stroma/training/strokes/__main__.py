"""Train the network for strokes, look at its curve, export its weights.

``python -m stroma.training.strokes FOLDER --minutes 600`` trains, or goes on; with ``--curve`` it
shows what was logged, with ``--kinds`` how the network does on every kind of scene, and with
``--export FILE.npz`` it writes the weights and a record beside them.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from stroma.errors import StromaError
from stroma.training.strokes.export import export
from stroma.training.strokes.loop import Settings, Training
from stroma.training.strokes.report import curve, kinds


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m stroma.training.strokes",
        description=__doc__.partition("\n")[0],
    )
    parser.add_argument("folder", type=Path, help="of checkpoint and log")
    parser.add_argument("--export", type=Path, metavar="FILE", help="write weights; train no more")
    parser.add_argument("--curve", action="store_true", help="print the curve; train no more")
    parser.add_argument("--kinds", action="store_true", help="print scores by kind of scene")
    for setting in fields(Settings):
        kind = type(setting.default)
        parser.add_argument(f"--{setting.name}", type=kind, default=setting.default)
    given = parser.parse_args(arguments)
    try:
        _do(given)
    except StromaError as error:
        sys.exit(str(error))


def _do(given: argparse.Namespace) -> None:
    if given.export:
        export(given.folder, given.export)
    elif given.curve:
        print(curve(given.folder))
    elif given.kinds:
        print(kinds(given.folder))
    else:
        logging.basicConfig(level=logging.INFO, format="%(message)s")
        values = {setting.name: getattr(given, setting.name) for setting in fields(Settings)}
        Training(given.folder, Settings(**values)).run()


if __name__ == "__main__":
    main()
