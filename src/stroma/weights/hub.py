"""The Hugging Face hub as its own library and environment describe it.

``HF_ENDPOINT``, ``HF_TOKEN``, ``HF_HUB_CACHE``, ``HF_HOME`` and ``HF_HUB_OFFLINE`` mean here what
they mean there, because ``huggingface_hub`` is asked.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from stroma.errors import MissingExtraError, install
from stroma.weights.catalogue import Source
from stroma.weights.http import Remote


def is_offline() -> bool:
    """Tell whether the environment forbids asking the hub."""
    return bool(_constants().HF_HUB_OFFLINE)


def page(repository: str) -> str:
    """Return the address of a repository's page."""
    return f"{_constants().ENDPOINT}/{repository}"


def remote(repository: str, source: Source) -> Remote:
    """Return where a file lies, with the user's token."""
    from huggingface_hub import get_token

    revision, file = quote(source.revision, safe=""), quote(source.file)
    return Remote(
        f"{page(repository)}/resolve/{revision}/{file}",
        token=get_token(),
        timeout=float(_constants().HF_HUB_DOWNLOAD_TIMEOUT),
    )


def cached(repository: str, source: Source) -> Path | None:
    """Return the file in the cache of ``huggingface_hub``; None where it is not there."""
    if find_spec("huggingface_hub") is None:
        return None
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(
        repository, source.file, cache_dir=_constants().HF_HUB_CACHE, revision=source.revision
    )
    return Path(found) if isinstance(found, str) else None


def commit_of(path: Path) -> str:
    """Return the commit a file of that cache belongs to (``snapshots/<commit>/<file>``)."""
    return path.parent.name if path.parent.parent.name == "snapshots" else ""


def _constants() -> Any:
    try:
        from huggingface_hub import constants
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"Fetching weights needs huggingface_hub. Install it with: {install('deep')}"
        ) from error
    return constants
