"""Start `stroma paint` on an image, and open its page with everything that the page refers to.

open_page.py STROMA IMAGE
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from urllib.parse import urljoin

REFERENCE = re.compile(rb"""(?:src|href)="([^"#]+)"|(?:from|import) "([./][^"]+)";""")


def main() -> None:
    """Open the page, and end the program as its user would."""
    stroma, image = sys.argv[1:]
    command = [stroma, "paint", image, "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        try:
            said = run.stdout.readline()
            found = re.search(r"http://\S+", said)
            opened = list(everything(found[0])) if found else []
        finally:
            run.send_signal(signal.SIGINT)
    if not opened or run.returncode:
        sys.exit(f"The page did not open: said {said!r}, ended with {run.returncode}.")
    if not any(address.endswith(".js") for address in opened):
        sys.exit(f"The page opened, but nothing that it runs: {opened}.")
    print(f"The page and {len(opened) - 1} files it refers to were opened.")


def everything(page: str) -> Iterator[str]:
    """Open an address, and all that it refers to, and so on; yield each."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    waiting, seen = [page], {page}
    while waiting:
        address = waiting.pop()
        with browser.open(address) as answer:  # raises unless it is there
            text = answer.read()
        yield address
        for pair in REFERENCE.findall(text):
            target = urljoin(address, (pair[0] or pair[1]).decode())
            if target not in seen:
                seen.add(target)
                waiting.append(target)


if __name__ == "__main__":
    main()
