"""The version of a source: that of its tag, read when it is built.

A source archive says its own. A clone at a tag ``v1.2.3`` is 1.2.3; some commits later it is
1.2.4.dev5, on the way to the next. Where there is no git, no tag, or another repository around, it
is what ``src/stroma/__init__.py`` says.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TAG = re.compile(r"v(\d+)\.(\d+)\.(\d+)-(\d+)-g[0-9a-f]+")


def version(root: Path = ROOT) -> str:
    """Return the version of the source in a folder."""
    said = root / "PKG-INFO"
    if said.is_file():
        found = re.search(r"^Version: (\S+)$", said.read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            return found[1]
    return _of_tag(root) or written(root)


def written(root: Path = ROOT) -> str:
    """Return the version that the code says."""
    code = (root / "src" / "stroma" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^WRITTEN = "([^"]+)"$', code, re.MULTILINE)
    assert found, "src/stroma/__init__.py says WRITTEN"
    return found[1]


def _of_tag(root: Path) -> str:
    """Return the version by the last tag; "" where git does not tell."""
    top = _git(root, "rev-parse", "--show-toplevel")
    if not top or Path(top).resolve() != root.resolve():
        return ""
    told = TAG.fullmatch(_git(root, "describe", "--tags", "--long", "--match", "v[0-9]*"))
    if told is None:
        return ""
    major, minor, patch, commits = map(int, told.groups())
    return f"{major}.{minor}.{patch + 1}.dev{commits}" if commits else f"{major}.{minor}.{patch}"


def _git(root: Path, *command: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *command], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
