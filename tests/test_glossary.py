"""One vocabulary: what the glossary calls wrong is said by no front end, and on no page."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import stroma

SOURCE = Path(stroma.__file__).parent
GLOSSARY = Path(__file__).parents[1] / "docs" / "concepts" / "glossary.md"
ROW = re.compile(r"^\| \*\*(?P<term>[^*]+)\*\* \| (?P<what>[^|]+) \| (?P<not>[^|]*)\|$", re.M)
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`')
COMMENT = re.compile(r"/\*.*?\*/|(?<![:\"'])//[^\n]*", re.S)


def rows() -> list[re.Match[str]]:
    return list(ROW.finditer(GLOSSARY.read_text(encoding="utf-8")))


def forbidden() -> dict[str, str]:
    """Return each word that is not said, and what is said in its place."""
    words = ((word.strip(), row["term"]) for row in rows() for word in row["not"].split(","))
    return {word: term for word, term in words if word}


def of_script(text: str) -> Iterator[str]:
    """Yield the words in the literals of a script; a literal without a space may be a name."""
    for quoted, template in LITERAL.findall(COMMENT.sub("", text)):
        said = re.sub(r"\$\{[^}]*\}", " ", quoted or template)
        if " " in said.strip() or said[:1].isupper():
            yield said


def of_markup(text: str) -> Iterator[str]:
    yield re.sub(r"<[^>]+>", " ", text)
    yield from re.findall(r'(?:title|aria-label|placeholder)="([^"]*)"', text)


def of_program(text: str, *, docstrings: bool) -> Iterator[str]:
    """Yield the sentences among the texts of a program; docstrings only where they are shown."""
    tree = ast.parse(text)
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    hidden = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, kinds) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and " " in text and (docstrings or id(node) not in hidden):
            yield text


def said(front_end: str) -> Iterator[tuple[str, str]]:
    """Yield what a front end says, with the file it is in."""
    folder = SOURCE / front_end
    for path in sorted(p for p in folder.rglob("*") if p.suffix in (".js", ".html", ".py")):
        text = path.read_text(encoding="utf-8")
        found = {
            ".js": lambda text=text: of_script(text),
            ".html": lambda text=text: of_markup(text),
            ".py": lambda text=text: of_program(text, docstrings=front_end == "cli"),
        }[path.suffix]()
        yield from ((path.name, one) for one in found)


def of_docs(text: str) -> Iterator[str]:
    """Yield the lines of a page without its code, its addresses, and words in quotation marks."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
    for line in prose.splitlines():
        yield re.sub(r'`[^`]*`|\]\([^)]*\)|"[^"]*"', " ", line)


def wrong(texts: Iterator[tuple[str, str]]) -> list[str]:
    known = {word: re.compile(rf"\b{re.escape(word)}s?\b", re.I) for word in forbidden()}
    return [
        f"{name}: {text.strip()[:100]!r} says {word!r}; the glossary says {forbidden()[word]!r}"
        for name, text in texts
        for word, pattern in known.items()
        if pattern.search(text)
    ]


@pytest.mark.parametrize("front_end", ["web", "napari", "cli"])
def test_no_front_end_says_what_the_glossary_has_another_word_for(front_end: str) -> None:
    texts = list(said(front_end))
    assert len(texts) > 100
    assert wrong(iter(texts)) == []


OTHERWISE = {"chunk": "a piece of a file of Zarr or HDF5", "entropy": "a loss that is trained with"}
"""Words that pages of documentation also need in another sense."""


def test_no_page_of_the_docs_says_what_the_glossary_has_another_word_for() -> None:
    docs = GLOSSARY.parents[1]
    pages = [p for p in sorted(docs.rglob("*.md")) if p != GLOSSARY and "reference" not in p.parts]
    texts = [(p.name, one) for p in pages for one in of_docs(p.read_text(encoding="utf-8"))]
    assert len(texts) > 1000
    found = wrong(iter(texts))
    assert [one for one in found if not any(f"says {w!r}" in one for w in OTHERWISE)] == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Paint `x` and a [scribble](there.md).", of_docs),
        ('el("p", { text: "Paint a scribble." });', of_script),
        ("notice(`Draw ${count} scribbles here`);", of_script),
        ('<p title="Your scribbles">x</p>', of_markup),
        ('say("Paint a Scribble here")', lambda text: of_program(text, docstrings=False)),
    ],
)
def test_a_wrong_word_is_found_wherever_it_is_said(text: str, kind) -> None:
    assert len(wrong(("one", found) for found in kind(text))) == 1


def test_names_and_comments_are_not_taken_for_words() -> None:
    assert wrong(("one", t) for t in of_script('import "./scribble.js"; // a scribble here')) == []
    silent = 'def f():\n    """A scribble here."""'
    assert wrong(("one", t) for t in of_program(silent, docstrings=False)) == []


def test_the_glossary_is_in_order_and_nothing_is_both_right_and_wrong() -> None:
    terms = [row["term"] for row in rows()]
    assert len(terms) >= 25
    assert terms == sorted(terms, key=str.lower)
    assert not set(forbidden()) & {term.lower() for term in terms}
