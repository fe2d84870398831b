"""Every link between pages leads somewhere, and the site lists every page."""

from __future__ import annotations

import http.server
import importlib.util
import re
import threading
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "examples").rglob("*.md")])
LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
FENCE = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.MULTILINE | re.DOTALL)


def prose(text: str) -> str:
    """Return a page without its code, where brackets are no links."""
    return re.sub(r"`[^`\n]+`", "code", FENCE.sub("", text))


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return what headings of a page are called in links."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    heads = re.findall(r"^#+ +(.+?) *#*$", text, re.MULTILINE)
    plain = [re.sub(r"[`*_]|\[([^\]]*)\]\([^)]*\)", r"\1", head).lower() for head in heads]
    named = re.findall(r'(?:id|name)="([^"]+)"', text)
    return frozenset([*(re.sub(r"[^\w\- ]", "", h).replace(" ", "-") for h in plain), *named])


def links(page: Path) -> list[str]:
    return LINK.findall(prose(page.read_text(encoding="utf-8")))


def broken(page: Path) -> list[str]:
    """Return the links of a page that lead nowhere."""
    found = []
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (
            anchor and target.suffix == ".md" and anchor not in anchors(target)
        ):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_of_a_page_lead_somewhere(page):
    assert broken(page) == []


def test_a_link_that_leads_nowhere_is_noticed(tmp_path):
    (tmp_path / "there.md").write_text("# A `b` head\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[x](there.md#a-b-head) [y](gone.md) [z](there.md#none) `[c](code.md)`\n\n"
        "```\n[d](fence.md)\n```\n[![p](pic.png)](there.md) [w](https://example.org)\n"
    )
    assert broken(page) == ["gone.md", "there.md#none", "pic.png"]


@pytest.fixture(scope="module")
def outside():
    """The program that asks for addresses outside."""
    spec = importlib.util.spec_from_file_location("check_links", DOCS / "check_links.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


class Answers(http.server.BaseHTTPRequestHandler):
    """A server that has one page, does not show another, and nothing else."""

    def do_GET(self):
        self.send_response({"/there": 200, "/closed": 403}.get(self.path, 404))
        self.end_headers()

    def log_message(self, *_):
        pass


def test_addresses_outside_are_asked_for_and_those_that_are_gone_are_said(outside, tmp_path):
    page = tmp_path / "page.md"
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        at = f"http://127.0.0.1:{server.server_port}"
        page.write_text(
            f"[a]({at}/there#part) <{at}/closed> [b]({at}/gone) `[c]({at}/code)` [d](e)"
        )
        found = outside.addresses([page])
        assert sorted(found) == [f"{at}/closed", f"{at}/gone", f"{at}/there"]
        said = {address.removeprefix(at): outside.problem(address) for address in found}
        server.shutdown()
    assert said == {"/there": "", "/closed": "", "/gone": "404 Not Found"}
    assert outside.problem(f"{at}/there") != ""  # nobody answers any more


def test_the_pages_link_to_addresses_outside(outside):
    assert len(outside.addresses(outside.pages())) > 10


def listed(nav: object) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    inner = nav.values() if isinstance(nav, dict) else nav
    return [page for one in inner for page in listed(one)]


def test_the_site_lists_every_page_once():
    nav = listed(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    there = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
    assert sorted(nav) == sorted({*there, "CHANGELOG.md", "CONTRIBUTING.md"})


@pytest.fixture(scope="module")
def hooks():
    spec = importlib.util.spec_from_file_location("site_hooks", DOCS / "site_hooks.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_links_out_of_the_pages_lead_to_what_the_site_has(hooks):
    assert hooks.relinked("[a](../CHANGELOG.md)", "index.md") == "[a](CHANGELOG.md)"
    moved = hooks.relinked("[a](../../examples/n.ipynb) [b](../index.md)", "how-to/x.md")
    assert moved == "[a](../examples/n.ipynb) [b](../index.md)"
    folder = hooks.relinked("[a](../../examples/extractor_plugin/)", "how-to/x.md")
    assert folder == "[a](../examples/extractor_plugin/README.md)"
    assert hooks.relinked("[a](docs/index.md)", "CONTRIBUTING.md") == "[a](index.md)"
