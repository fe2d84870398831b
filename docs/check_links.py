"""Ask for every address outside that the pages link to: make links.

Needs a network, and asks servers that are not ours, so it is no part of the tests; these check all
links between the pages (tests/docs/test_links.py).
"""

from __future__ import annotations

import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"\]\(<?(https?://[^)\s>]+)>?(?:\s+\"[^\"]*\")?\)|<(https?://[^>\s]+)>")
CODE = re.compile(r"^(```|~~~).*?^\1[^\n]*$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
SECONDS = 30
AT_ONCE = 8

CLOSED = (401, 403, 405, 429)
"""Answers of a server that is there, and does not talk with programs."""


def pages() -> list[Path]:
    """Return all pages."""
    found = [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "examples").rglob("*.md")]
    return sorted(found)


def addresses(every: Iterable[Path]) -> dict[str, list[Path]]:
    """Return the addresses that pages link to, and which pages; what is code is no link."""
    found: dict[str, list[Path]] = {}
    for page in every:
        text = CODE.sub("", page.read_text(encoding="utf-8"))
        for pair in LINK.findall(text):
            found.setdefault((pair[0] or pair[1]).partition("#")[0], []).append(page)
    return found


def problem(address: str) -> str:
    """Return why an address cannot be had; empty if it can."""
    asked = urllib.request.Request(address, headers={"User-Agent": "Mozilla/5.0 (link check)"})
    try:
        with urllib.request.urlopen(asked, timeout=SECONDS) as answer:
            answer.read(1)
    except urllib.error.HTTPError as error:
        return "" if error.code in CLOSED else f"{error.code} {error.reason}"
    except OSError as error:
        return str(getattr(error, "reason", error))
    return ""


def main() -> None:
    """Check all, say those that cannot be had, and exit with 1 if there are some."""
    found = addresses(pages())
    with ThreadPoolExecutor(AT_ONCE) as pool:
        said = dict(zip(found, pool.map(problem, found), strict=True))
    for address, wrong in sorted(said.items()):
        if wrong:
            where = ", ".join(str(page.relative_to(ROOT)) for page in dict.fromkeys(found[address]))
            print(f"{address}: {wrong} (in {where})")
    bad = sum(bool(wrong) for wrong in said.values())
    print(f"{len(said)} addresses, {bad} cannot be had.")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
