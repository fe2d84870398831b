"""Firefox, spoken to as WebDriver BiDi says: what the tests of the page need of it, and no more.

https://w3c.github.io/webdriver-bidi describes the messages. Debian's firefox-esr understands them
by itself: no driver stands in between.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from tests.patience import PATIENCE
from websockets.sync.client import ClientConnection, connect

FIREFOX = (
    os.environ.get("STROMA_FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox") or ""
)
SETTINGS = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "messaging-system.rsexperimentloader.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.unified": False,
}
LISTENS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")


class Firefox:
    """A window of Firefox.

    Parameters
    ----------
    socket : ClientConnection
        To the browser.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = count(1)
        self.wrong: list[str] = []
        """Errors of the page, as they came."""
        self.ask("session.new", capabilities={})
        self.ask("session.subscribe", events=["log.entryAdded"])
        self._window = self.ask("browsingContext.getTree")["contexts"][0]["context"]

    def ask(self, method: str, **values: Any) -> dict[str, Any]:
        """Say something to the browser, and return its answer."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": values}))
        while True:
            told = json.loads(self._socket.recv(timeout=PATIENCE))
            if told.get("method") == "log.entryAdded" and told["params"]["level"] == "error":
                self.wrong.append(told["params"]["text"])
            if told.get("id") == number:
                assert told["type"] == "success", told
                return told["result"]

    def open(self, url: str, *, width: int = 1280, height: int = 800) -> None:
        """Open a page, in a window of a size."""
        size = {"width": width, "height": height}
        self.ask("browsingContext.setViewport", context=self._window, viewport=size)
        self.ask("browsingContext.navigate", context=self._window, url=url, wait="complete")

    def value(self, expression: str) -> Any:
        """Return what a script says: a number, a text, or whether."""
        found = self.ask(
            "script.evaluate",
            expression=expression,
            target={"context": self._window},
            awaitPromise=True,
        )
        assert found["type"] == "success", found
        return found["result"].get("value")

    def wait(self, expression: str) -> Any:
        """Return what a script says as soon as that is anything; the page looks at each frame."""
        return self.value(
            f"""new Promise((resolve) => {{
              const look = () => {{
                const found = {expression};
                if (found) resolve(found);
                else setTimeout(look, 20);
              }};
              look();
            }})"""
        )

    def press(self, key: str) -> None:
        """Press a key, and let it go."""
        kinds = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
        self._act({"type": "key", "id": "keys", "actions": kinds})

    def click(self, selector: str) -> None:
        """Click the middle of what a selector finds, once it can be clicked."""
        self.wait(f"document.querySelector({json.dumps(selector)})?.disabled === false")
        box = json.loads(
            self.value(
                f"""(() => {{
                  const one = document.querySelector({json.dumps(selector)});
                  one.scrollIntoView({{ block: "nearest" }});
                  return JSON.stringify(one.getBoundingClientRect());
                }})()"""
            )
        )
        self.drag([(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)])

    def drag(self, places: list[tuple[float, float]]) -> None:
        """Press the button of the mouse at the first place (x, y), move on, and let it go."""
        moves = [
            {"type": "pointerMove", "x": round(x), "y": round(y), "duration": 20} for x, y in places
        ]
        button = [{"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp")]
        actions = [moves[0], button[0], *moves[1:], button[1]]
        self._act({"type": "pointer", "id": "mouse", "actions": actions})

    def picture(self) -> bytes:
        """Return what is on the screen, as PNG."""
        found = self.ask("browsingContext.captureScreenshot", context=self._window)
        return base64.b64decode(found["data"])

    def _act(self, source: dict[str, Any]) -> None:
        self.ask("input.performActions", context=self._window, actions=[source])


@contextmanager
def running(folder: Path) -> Iterator[Firefox]:
    """Run Firefox with a profile of its own in a folder."""
    folder.mkdir()
    lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in SETTINGS.items()]
    (folder / "user.js").write_text("\n".join(lines))
    command = [FIREFOX, "--headless", "--no-remote", "--new-instance", "--profile", str(folder)]
    command += ["--remote-debugging-port", "0"]
    said = folder / "said.txt"
    with said.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file) as process:
        try:
            where = f"{_address(process, said)}/session"
            with connect(where, open_timeout=PATIENCE, max_size=None, ping_interval=None) as socket:
                yield Firefox(socket)
        finally:
            process.kill()


def _address(process: subprocess.Popen[bytes], said: Path) -> str:
    """Return where Firefox listens, as soon as it says so."""
    for _ in range(PATIENCE * 20):
        found = LISTENS.search(said.read_text(errors="replace"))
        if found:
            return found[1]
        assert process.poll() is None, said.read_text(errors="replace")
        time.sleep(0.05)
    raise AssertionError("Firefox did not start")


def until(reached: Callable[[], bool], firefox: Firefox) -> None:
    """Wait until something is so; the browser is asked to wait in between."""
    for _ in range(PATIENCE * 20):
        if reached():
            return
        firefox.value("new Promise((resolve) => setTimeout(resolve, 50))")
    raise AssertionError("it did not come to that")
