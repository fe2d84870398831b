"""Programs that are killed, disks that are full, imports that are large: nothing is lost."""

from __future__ import annotations

import re
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from tests.web.browsing import (
    BLUE,
    PATIENCE,
    SIZE,
    settled,
    stroke,
    until,
    wait_for_colour,
    wait_for_image,
)
from tests.web.served import Client, served

from stroma.io import write_image
from stroma.session import Session
from stroma.web.gate import Address
from stroma.web.serve import claim_for, usual_port

RUN = "from stroma.cli.app import main; main()"
DOT = {"image": "1", "plane": {}, "radius": 0}


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return write_image(tmp_path / "cells.tif", np.zeros((64, 64), np.uint8), axes="yx")


@contextmanager
def program(image: Path) -> Iterator[tuple[subprocess.Popen[str], Client]]:
    """Run ``stroma paint`` until the block ends; yield it and somebody who has its address."""
    command = [sys.executable, "-c", RUN, "paint", str(image), "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        try:
            url = urlsplit(re.search(r"http://\S+", run.stdout.readline())[0])
            token = parse_qs(url.query)["token"][0]
            yield run, Client(Address((url.hostname,), url.port, token))
        finally:
            run.send_signal(signal.SIGINT)
            run.wait(PATIENCE / 1000)


def dots(count: int) -> list[list[list[int]]]:
    return [[[i // 64, i % 64]] for i in range(count)]


def test_kill_9_while_painting_loses_nothing_that_was_said_to_be_saved(image) -> None:
    with program(image) as (run, client), client.tab() as tab:
        for points in dots(20):
            tab.ask("paint", points=points, label=1, **DOT)
        tab.send("paint", points=dots(21)[20], label=1, **DOT)  # so that a save is yet to come
        tab.until(event="saved")
        for points in dots(2000)[21:]:
            tab.send("paint", points=points, label=2, **DOT)
            if len(points) and points[0] == [10, 0]:
                run.kill()
                break
    assert run.returncode == -signal.SIGKILL
    with program(image) as (_, client), client.tab() as tab:
        assert tab.hear()["state"]["notices"] == []
    with Session.open(image.with_name("cells.stroma")) as session:
        painted = session.strokes("1").ravel()
    count = np.count_nonzero(painted)
    assert count >= 19  # the last two may have been painted while the others were being saved
    assert painted[:count].tolist() == ([1] * 21 + [2] * 2000)[:count]


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are Linux's")
def test_a_full_disk_is_said_on_the_page_until_there_is_room_and_strokes_are_kept(image) -> None:
    with program(image) as (run, client), client.tab() as tab:
        assert tab.hear()["state"]["unsaved"] == ""
        _, hard = resource.prlimit(run.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(run.pid, resource.RLIMIT_FSIZE, (600, hard))  # as if it were full
        sent = {tab.send("paint", points=points, label=1, **DOT) for points in dots(20)}
        said = ""
        while sent or not said:  # none may still be on its way when the program is killed
            told = tab.hear()
            sent.discard(told.get("re", ""))
            said = told.get("state", {}).get("unsaved") or said
        assert "Nothing is lost while Stroma runs; make room" in said
        refused = client.post("/uploads/images?name=large.png", b"x" * 100_000)
        assert refused.status == 500
        assert "large.png cannot be written into the project" in refused.body.decode()
        with client.tab() as late:
            assert late.hear()["state"]["unsaved"]
        resource.prlimit(run.pid, resource.RLIMIT_FSIZE, (hard, hard))
        tab.state(unsaved="")
        run.kill()
    with Session.open(image.with_name("cells.stroma")) as session:
        assert session.strokes("1").ravel()[:20].tolist() == [1] * 20


def test_a_disk_that_is_full_shows_until_it_is_not(page, session, monkeypatch) -> None:
    full = threading.Event()
    write = session.core.project.journal._write_lines

    def refuse() -> None:
        if full.is_set():
            raise OSError(28, "No space left on device")
        write()

    monkeypatch.setattr(session.core.project.journal, "_write_lines", refuse)
    full.set()
    stroke(page, (60, 40), (60, 80))
    page.wait_for_selector("#saved >> text=Not saved")
    page.wait_for_selector("#notices >> text=/No space left on device. Nothing is lost while/")
    full.clear()
    page.wait_for_selector("#saved >> text=Saved in first.stroma")
    page.wait_for_selector("#notices >> text=Everything is saved again.")
    assert page.locator("#notices .bad").count() == 0


def test_a_page_that_was_left_open_goes_on_when_the_program_is_started_again(
    browser, session, folder
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    project = session.path
    with served(session, claim_for(project)) as client:
        page.goto(client.address.url)
        page.wait_for_selector("text=Paint a few strokes")
        stroke(page, (60, 40), (60, 80))
        wait_for_colour(page, (60, 60), BLUE)
        page.wait_for_selector("#undo:not([disabled])")
    session.close()
    page.wait_for_selector("text=Connection lost")
    stroke(page, (100, 40), (100, 80))
    page.wait_for_selector("text=What you do meanwhile is kept (1)")
    with Session.open(project) as again, served(again, claim_for(project)) as client:
        started = context.new_page()
        started.set_default_timeout(PATIENCE)
        started.goto(client.address.url)  # as the program does when it starts
        page.wait_for_selector("#connection:empty", state="attached")
        wait_for_colour(page, (100, 60), BLUE)
        end = time.monotonic() + PATIENCE / 1000
        while not again.strokes("1")[100, 60] and time.monotonic() < end:
            page.wait_for_timeout(50)
        assert again.strokes("1")[60, 60] == again.strokes("1")[100, 60] == 1
        assert page.locator("#notices .bad").count() == 0
    context.close()


def test_a_project_has_the_same_port_each_time_unless_it_is_taken(tmp_path) -> None:
    first = claim_for(tmp_path / "a.stroma")
    with first.listening:
        second = claim_for(tmp_path / "a.stroma")
        second.listening.close()
        assert second.address.port != first.address.port
    assert usual_port(tmp_path / "a.stroma") != usual_port(tmp_path / "b.stroma")
    again = claim_for(tmp_path / "a.stroma")
    again.listening.close()
    if first.address.port == usual_port(tmp_path / "a.stroma"):
        assert again.address.port == first.address.port
    assert again.address.token != first.address.token


def test_an_image_that_was_moved_is_said_with_what_to_do(browser, session, folder) -> None:
    project = session.path
    session.paint("1", [(60, 60)], label=1)
    session.close()
    (folder / "first.tif").rename(folder / "moved.tif")
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    with Session.open(project) as again, served(again) as client:
        page.goto(client.address.url)
        page.wait_for_selector("#hint >> text=/first.tif is not where it was. Your strokes are/")
        page.wait_for_selector("#notices >> text=/first.tif is not there any more/")
        page.select_option("#image-select", label="second.tif")
        page.wait_for_selector("#hint:not(:has-text('first.tif'))", state="attached")
    context.close()


def test_forty_classes_are_imported_painted_and_measured(page, session, tmp_path) -> None:
    labels = np.zeros((SIZE, SIZE), np.uint8)
    for i in range(40):
        y, x = divmod(i, 8)
        labels[40 * y + 8 : 40 * y + 24, 32 * x + 8 : 32 * x + 24] = i + 1
    path = write_image(tmp_path / "labels.tif", labels, axes="yx")
    page.click("#tab-results")
    page.set_input_files("#stroke-files", path)
    page.wait_for_selector("text=The strokes of labels.tif were imported")
    page.wait_for_selector("#areas tr:nth-child(2)")
    page.click("#tab-paint")
    last = page.locator("[data-key=name-40]")
    last.click()
    last.fill("the last")
    last.press("Enter")
    page.wait_for_selector("[aria-label='Paint the last'][aria-pressed=true]")
    stroke(page, (230, 40), (230, 80))
    settled(page)
    page.wait_for_selector("text=Up to date")
    assert session.strokes("1")[230, 60] == 40
    assert len(session.classes) == 40
    assert len({c.color for c in session.classes}) == 40
    assert page.locator("[data-key^=color-]").count() == 40


def test_an_empty_file_is_said_and_not_opened(browser, client, session, tmp_path) -> None:
    (tmp_path / "empty.tif").touch()
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(client.address.url)
    page.wait_for_selector("#image-select option:nth-child(2)", state="attached")
    page.set_input_files("#image-files", tmp_path / "empty.tif")
    page.wait_for_selector("#notices >> text=/empty.tif: It was not opened.*0 bytes/")
    assert len(session.images) == 2
    context.close()


def test_what_was_painted_for_another_project_is_left_out(client, session) -> None:
    values = {**DOT, "points": [[5, 5]], "label": 1}
    with client.tab() as tab:
        state = tab.hear()["state"]
        assert "left out" in tab.ask("paint", epoch="x", home="another", **values)["error"]
        assert "left out" in tab.ask("undo", epoch="x", home=state["home"])["error"]
        assert tab.ask("look", epoch="x", home=state["home"], image="9").keys() == {"re"}
        assert not session.strokes("1").any()
        assert "result" in tab.ask("paint", epoch="x", home=state["home"], **values)
    assert session.strokes("1").any()


def test_a_project_shows_the_image_and_plane_that_were_looked_at_last(
    browser, folder, tmp_path
) -> None:
    stack = write_image(tmp_path / "stack.tif", np.zeros((5, 64, 64), np.uint8), axes="zyx")
    project = tmp_path / "both.stroma"
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    with Session.create(project, mode="paused") as session, served(session) as client:
        session.add_image(folder / "first.tif")
        key = session.add_image(stack)
        page.goto(client.address.url)
        page.select_option("#image-select", label="stack.tif")
        page.locator("#sliders [data-axis=z]").fill("4")
        until(page, lambda: session.looked == (key, {"z": 4}))
    context.close()
    context = browser.new_context()  # which remembers nothing
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    with Session.open(project) as session, served(session) as client:
        page.goto(client.address.url)
        wait_for_image(page, "stack.tif")
        until(page, lambda: page.locator("#sliders [data-axis=z]").input_value() == "4")
    context.close()
