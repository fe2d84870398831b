"""The page that is shown before a project is open."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tests.web.browsing import PATIENCE, until
from tests.web.served import served_to_choose

from stroma.errors import FormatError, ParameterError
from stroma.io import write_image
from stroma.io.address import address_of
from stroma.session import Session
from stroma.session.recent import KEPT, recent, remember
from stroma.web.start import shelf as shelves
from stroma.web.start.shelf import Shelf

EMPTY = np.zeros((16, 16), np.uint8)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STROMA_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an image, a table, a folder and a project."""
    made = tmp_path / "data"
    (made / "plate").mkdir(parents=True)
    write_image(made / "cells.tif", EMPTY, axes="yx")
    (made / "notes.txt").write_text("none")
    (made / ".hidden.tif").write_bytes(b"")
    Session.create(made / "old.stroma").close()
    return made


def opens(paths: Sequence[Path], sample: str) -> Session:
    """Open what was chosen, as the command line does."""
    if paths and paths[0].suffix == ".stroma":
        return Session.open(paths[0])
    made = Session()
    for path in paths:
        made.add_image(path)
    if sample:
        made.add_image(EMPTY, name=sample)
    return made


def test_a_folder_lists_projects_folders_and_images_alone(folder) -> None:
    found = Shelf([folder]).listing(folder)
    assert [(e.kind, e.name) for e in found.entries] == [
        ("project", "old.stroma"),
        ("folder", "plate"),
        ("image", "cells.tif"),
    ]
    inner = Shelf([folder]).listing(folder / "plate")
    assert [e.name for e in inner.above] == ["data", "plate"]


def test_of_a_very_long_folder_it_is_said_how_many_are_left_out(folder, monkeypatch) -> None:
    monkeypatch.setattr(shelves, "MOST", 2)
    found = Shelf([folder]).listing(folder)
    assert (len(found.entries), found.left_out) == (2, 1)


@pytest.mark.parametrize("way", ["..", "link", "/"])
def test_nothing_outside_the_chosen_folders_is_shown_or_opened(way, folder, tmp_path) -> None:
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(ParameterError, match="outside the folders"):
        Shelf([folder]).require(folder / way)


def test_the_latest_projects_are_remembered_once_and_only_while_they_are_there(tmp_path) -> None:
    made = [tmp_path / f"{i}.stroma" for i in range(KEPT + 2)]
    for one in [*made, made[5]]:
        one.mkdir(exist_ok=True)
        (one / "project.json").touch()
        remember(one)
    (made[-1] / "project.json").unlink()
    found = recent()
    assert found[:2] == [made[5], made[-2]]
    assert len(found) == KEPT - 1


DAMAGED = (b"", b"{", b'[1, null, "a\\u0000b"]', b'{"a": 1}', b"\xff")


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_list_of_projects_is_no_list(content, tmp_path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "recent.json").write_bytes(content)
    assert recent() == []


def test_what_is_chosen_takes_the_place_of_the_page_to_choose_on(folder) -> None:
    with served_to_choose(opens, Shelf([folder])) as (client, _):
        assert b"/static/start.js" in client.get("/").body
        body = json.dumps({"paths": [str(folder / "cells.tif")]}).encode()
        assert client.post("/start/open", body).status == 200
        assert b"/static/main.js" in client.get("/").body
        with client.tab() as tab:
            assert [one["name"] for one in tab.state()["images"]] == ["cells.tif"]


@pytest.mark.parametrize("path", ["a\0b", "\ud800", "n" * 5000])
def test_what_is_no_path_is_refused(path, folder) -> None:
    with pytest.raises((ParameterError, OSError)):
        Shelf([folder]).listing(folder / path)
    with pytest.raises(ParameterError):
        Shelf([folder]).require(Path(path))


def test_a_request_that_is_none_is_refused_and_the_page_goes_on(folder) -> None:
    with served_to_choose(opens, Shelf([folder])) as (client, stage):
        assert client.get("/start/folder?path=%00").status == 400
        for body in (b"{", b"\xff\xfe", b"", b"[" * 60_000, b'{"paths": ["\\u0000"]}', b"[1]"):
            assert client.post("/start/open", body).status == 400
        assert stage.session is None


def test_a_refused_choice_is_said_and_another_can_be_made(folder) -> None:
    (folder / "bad.tif").write_bytes(b"none")
    with served_to_choose(opens, Shelf([folder])) as (client, stage):
        for paths in ([str(folder / "bad.tif")], [str(folder / "..")], [], "cells.tif"):
            answer = client.post("/start/open", json.dumps({"paths": paths}).encode())
            assert answer.status == 400
            assert answer.body
        assert stage.session is None
        assert client.post("/start/open", b'{"sample": "coins"}').status == 200
        assert stage.session is not None


def test_a_project_that_was_opened_lately_is_opened_from_wherever_it_lies(folder, tmp_path) -> None:
    Session.create(tmp_path / "far.stroma").close()
    body = json.dumps({"paths": [str(tmp_path / "far.stroma")]}).encode()
    with served_to_choose(opens, Shelf([folder])) as (client, _):
        assert client.post("/start/open", body).status == 400
        remember(tmp_path / "far.stroma")
        assert client.post("/start/open", body).status == 200


def test_images_are_chosen_and_opened_with_the_mouse(browser, folder) -> None:
    with served_to_choose(opens, Shelf([folder])) as (client, _):
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(client.address.url)
        page.locator("#open:disabled").wait_for()
        page.get_by_text("cells.tif").click()
        page.locator("#open:enabled").click()
        page.wait_for_selector("#image-select option", state="attached")
        assert page.locator("#image-select").input_value() != ""
        page.close()


def test_an_address_is_typed_and_opened_and_what_is_none_is_said(browser, folder, tmp_path) -> None:
    opened = []

    def opens_noting(paths: Sequence[Path], sample: str) -> Session:
        opened.extend(paths)
        if "gone" in str(paths[0]):
            raise FormatError("gone.zarr cannot be read.")
        return opens([], "cells")

    with served_to_choose(opens_noting, Shelf([folder])) as (client, _):
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(client.address.url)
        page.get_by_text("cells.tif").wait_for()
        for wrong in ("file:///etc/passwd", str(folder / "cells.tif")):
            page.fill("#address", wrong)
            page.press("#address", "Enter")
            page.wait_for_selector("#said.bad >> text=begin with http:// or https://")
        page.fill("#address", "https://host/gone.zarr")
        page.press("#address", "Enter")
        page.wait_for_selector("#said.bad >> text=gone.zarr cannot be read.")
        page.fill("#address", " https://host/b/cells.zarr/ ")
        page.click("#open-address")
        page.wait_for_selector("#image-select option:has-text('cells')", state="attached")
        page.close()
    assert list(map(address_of, opened)) == ["https://host/gone.zarr", "https://host/b/cells.zarr"]


def test_the_way_back_closes_the_project_for_all_tabs_and_another_is_chosen(
    browser, folder
) -> None:
    closed = []

    def opens_noting(paths: Sequence[Path], sample: str) -> Session:
        made = opens(paths, sample)
        close = made.close
        made.close = lambda: (closed.append(sample), close())
        return made

    with served_to_choose(opens_noting, Shelf([folder])) as (client, stage):
        page, other = browser.new_page(), browser.new_page()
        for tab in (page, other):
            tab.set_default_timeout(PATIENCE)
        page.goto(client.address.url)
        page.get_by_role("button", name="coins").click()
        page.wait_for_selector("#image-select option", state="attached")
        other.goto(client.address.url)
        other.wait_for_selector("#image-select option", state="attached")
        page.click("#leave")
        for tab in (page, other):
            tab.get_by_role("button", name="coins").wait_for()
        until(page, lambda: closed == ["coins"])
        page.get_by_role("button", name="old.stroma").click()
        page.locator("#leave").wait_for()
        assert stage.session.path == folder / "old.stroma"
        page.close()
        other.close()


def test_dropped_files_become_a_new_project_in_the_folder_that_is_shown(browser, folder) -> None:
    Session.create(folder / "dropped.stroma").close()
    with served_to_choose(opens, Shelf([folder])) as (client, stage):
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(client.address.url)
        page.get_by_text("cells.tif").wait_for()
        page.evaluate(
            """async () => {
              const canvas = new OffscreenCanvas(16, 16);
              canvas.getContext("2d").fillRect(0, 0, 16, 16);
              const picture = await canvas.convertToBlob();
              const dataTransfer = new DataTransfer();
              dataTransfer.items.add(new File([picture], "dropped.png"));
              dataTransfer.items.add(new File(["none"], "bad.png"));
              document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true }));
            }"""
        )
        page.wait_for_selector("#image-select option:has-text('dropped.png')", state="attached")
        page.wait_for_selector("#notices >> text=/bad.png: It was not opened/")
        assert stage.session.path == folder / "dropped-2.stroma"
        assert [one.name for one in stage.session.images] == ["dropped.png"]
        page.close()


@pytest.mark.parametrize("new", ["none.txt", "../a.png", ".png"])
def test_a_new_project_gets_no_name_that_an_image_cannot_have(new, folder) -> None:
    body = json.dumps({"new": new, "folder": str(folder)}).encode()
    before = sorted(folder.iterdir())
    with served_to_choose(opens, Shelf([folder])) as (client, stage):
        assert client.post("/start/open", body).status == 400
        assert stage.session is None
    assert sorted(folder.iterdir()) == before
