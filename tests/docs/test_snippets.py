"""The code in README and docs does what the page says: it runs, top to bottom."""

from __future__ import annotations

import io
import re
import shlex
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stroma.cli.app import main

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Snippet:
    """A fenced block: ``python`` is executed; of ``console``, lines like ``$ stroma ...`` are."""

    page: Path
    line: int
    language: str
    text: str

    def run(self, namespace: dict[str, Any]) -> None:
        if self.language == "python":
            code = "\n" * self.line + self.text
            exec(compile(code, str(self.page), "exec"), namespace)
            return
        for command, shown in commands(self.text):
            said = run_command(command, f"{self.page.name}:{self.line}")
            assert shown in ("", said), f"{self.page.name}:{self.line}: {command}\n{said}"


def snippets(page: Path) -> list[Snippet]:
    text = page.read_text(encoding="utf-8")
    return [
        Snippet(page, text.count("\n", 0, m.start()) + 1, m[1], m[2]) for m in BLOCK.finditer(text)
    ]


def commands(console: str) -> list[tuple[str, str]]:
    """Return what is typed after ``$`` to our program, and what the page shows it answers.

    A backslash continues a line.
    """
    typed = re.split(r"^\$ ", console.replace("\\\n", " "), flags=re.MULTILINE)[1:]
    parts = [each.partition("\n") for each in typed]
    return [(line, shown) for line, _, shown in parts if line.startswith("stroma ")]


def run_command(command: str, where: str) -> str:
    """Run it in this process, ``> file`` included; a process of its own would import all again."""
    line, _, file = command.partition(" > ")
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main(shlex.split(line)[1:])
    assert not ended.value.code, f"{where}: {command}\n{out.getvalue()}{err.getvalue()}"
    if file:
        Path(file.strip()).write_text(out.getvalue(), encoding="utf-8")
    return "" if file else out.getvalue()


@pytest.mark.parametrize(
    "page", [p for p in PAGES if snippets(p)], ids=lambda p: str(p.relative_to(ROOT))
)
def test_snippets_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for snippet in snippets(page):
        snippet.run(namespace)


def test_console_lines_of_other_programs_are_left_alone() -> None:
    text = (
        "$ pip install stroma-seg\nDone.\n$ stroma models \\\n  --json\nvgg16 64\n$ stroma doctor\n"
    )
    assert commands(text) == [("stroma models    --json", "vgg16 64\n"), ("stroma doctor", "")]


def test_an_answer_that_is_not_the_programs_is_noticed() -> None:
    wrong = Snippet(Path("page.md"), 1, "console", "$ stroma --version\nstroma 99\n")
    with pytest.raises(AssertionError, match=r"page\.md:1: stroma --version"):
        wrong.run({})


LINK = re.compile(r"\]\((?!https?://|mailto:|#)([^)#]+)(#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_to_files_that_are_there(page: Path) -> None:
    targets = [m[1] for m in LINK.finditer(page.read_text(encoding="utf-8"))]
    assert [t for t in targets if not (page.parent / t).exists()] == []
