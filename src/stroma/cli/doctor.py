"""``stroma doctor``: what is installed, what it can run on, and what it keeps."""

from __future__ import annotations

import os
import platform
import re
from importlib import metadata, util
from pathlib import Path
from typing import Any

import typer

import stroma
from stroma.blocks.run import default_workers
from stroma.cli.codes import MISSING
from stroma.cli.show import AsJson, as_json, table
from stroma.errors import DISTRIBUTION, install


def doctor(json: AsJson = False) -> None:
    """Say what is installed, and what it runs on.

    Exits with 3 when a package that Stroma always needs is missing.
    """
    groups = packages()
    found = {
        "stroma": metadata.version(DISTRIBUTION),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": groups,
        "devices": devices(),
        "caches": caches(),
    }
    as_json(found) if json else _show(found)
    if None in groups["base"].values():
        raise typer.Exit(MISSING)


def packages() -> dict[str, dict[str, str | None]]:
    """Return the version of every dependency, None where missing, by extra ("base" for none)."""
    groups: dict[str, dict[str, str | None]] = {"base": {}}
    for requirement in metadata.requires(DISTRIBUTION) or []:
        name = re.match(r"[\w.-]+", requirement)
        extra = re.search(r"extra == ['\"]([\w-]+)['\"]", requirement)
        group = groups.setdefault(extra[1] if extra else "base", {})
        if name and name[0] != "stroma":
            group[name[0]] = _version(name[0])
    for union in ("all", "test"):
        groups.pop(union, None)
    return groups


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def devices() -> dict[str, Any]:
    """Return the processors, the memory in bytes, and the accelerators that torch sees."""
    return {"cores": default_workers(), "memory": _memory(), "accelerators": _accelerators()}


def _memory() -> int | None:
    """Return the memory of this machine, None where the system does not say (Windows)."""
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", {}):
        return None
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _accelerators() -> list[str]:
    if util.find_spec("torch") is None:
        return []
    import torch

    names = [f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count())]
    return names + ["mps"] * torch.backends.mps.is_available()


def caches() -> dict[str, dict[str, Any]]:
    """Return the folders in which things are kept between runs, with their sizes in bytes."""
    from stroma.weights.store import cache_folder

    kernels = Path(os.environ.get("NUMBA_CACHE_DIR", Path(stroma.__file__).parent))
    return {
        "compiled kernels": _cache(kernels, "*.nb[ic]"),
        "pretrained weights": _cache(cache_folder()),
        "Hugging Face hub": _cache(_hub_cache()),
    }


def _hub_cache() -> Path:
    """Return where the library of the hub keeps files, whether or not it is installed."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    hub = Path(os.environ.get("HF_HOME") or Path(home) / "huggingface") / "hub"
    return Path(os.environ.get("HF_HUB_CACHE") or hub)


def _cache(folder: Path, pattern: str = "*") -> dict[str, Any]:
    files = (path for path in folder.rglob(pattern) if path.is_file() and not path.is_symlink())
    return {"path": str(folder), "bytes": sum(path.stat().st_size for path in files)}


def _show(found: dict[str, Any]) -> None:
    typer.echo(f"stroma {found['stroma']}, Python {found['python']}, {found['platform']}\n")
    rows = [
        (extra, name, version or "missing")
        for extra, group in found["packages"].items()
        for name, version in group.items()
    ]
    table(("extra", "package", "version"), rows)
    lacking = [extra for extra, group in found["packages"].items() if None in group.values()]
    for extra in lacking:
        typer.echo(f"Complete {extra!r} with: {install('' if extra == 'base' else extra)}")
    machine = found["devices"]
    memory = (
        f"{machine['memory'] / 2**30:.1f} GiB memory" if machine["memory"] else "memory unknown"
    )
    typer.echo(f"\n{machine['cores']} processor cores, {memory}")
    typer.echo("Accelerators: " + (", ".join(machine["accelerators"]) or "none"))
    for what, cache in found["caches"].items():
        typer.echo(f"Cache of {what}: {cache['path']} ({cache['bytes'] / 2**20:.1f} MiB)")
