"""What the site has beside docs/: the changes, the guide for contributors, and the examples.

Pages name these files where they lie in the repository; in the site they lie beside the pages.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("CHANGELOG.md", "CONTRIBUTING.md")
EXAMPLES = "examples"


def on_files(files: Any, config: Any) -> Any:
    """Add the files that lie outside docs/."""
    from mkdocs.structure.files import File

    beside = [
        *PAGES,
        *(
            path.relative_to(ROOT).as_posix()
            for path in sorted((ROOT / EXAMPLES).rglob("*"))
            if path.suffix in (".ipynb", ".py", ".toml", ".md") and "__pycache__" not in path.parts
        ),
    ]
    for name in beside:
        files.append(File(name, str(ROOT), config.site_dir, config.use_directory_urls))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Point links at files outside docs/ to where they lie in the site."""
    return relinked(markdown, page.file.src_uri)


def relinked(markdown: str, page: str) -> str:
    """Return the text of a page with links as the site has them.

    Parameters
    ----------
    markdown : str
        The text.
    page : str
        Path of the page, seen from docs/ or, for pages outside it, from the repository.
    """
    if page in PAGES:
        return re.sub(r"\]\(docs/", "](", markdown)
    up = "../" * (page.count("/") + 1)
    names = "|".join((*map(re.escape, PAGES), rf"{EXAMPLES}/"))
    moved = re.sub(rf"\]\({re.escape(up)}({names})", rf"]({up.removeprefix('../')}\1", markdown)
    return re.sub(r"\((\S*extractor_plugin/)\)", r"(\1README.md)", moved)
