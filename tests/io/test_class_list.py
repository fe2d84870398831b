import csv

import pytest

from stroma.data.classes import Class
from stroma.errors import FormatError
from stroma.io.class_list import MAX_BYTES, read_class_list, write_class_list


@pytest.mark.parametrize(
    "text",
    [
        "index,name\n0,No label\n1,sky\n2,tree\n",
        "1,sky\n2,tree",
        "sky,tree",
        "1;sky\r\n2;tree\r\n",
        "label\tname\n1\tsky\n\n2\ttree",
        "\ufeff1, sky\n2, tree",
        'label,name,color\n1,"sky",\n2,tree,#009e73',
    ],
)
def test_names_are_read_from_any_of_the_forms(text, tmp_path):
    (tmp_path / "names.csv").write_text(text, "utf-8")
    found = read_class_list(tmp_path / "names.csv")
    assert [(c.label, c.name) for c in found] == [(1, "sky"), (2, "tree")]


def test_names_with_any_characters_and_their_colours_come_back(tmp_path):
    classes = (
        Class(1, "a, b; c", "#ff0000"),
        Class(7, 'the "round" ones', "#00ff00"),
        Class(300, "Zellkörper\t核", "#0000ff"),
    )
    assert read_class_list(write_class_list(tmp_path / "c.csv", classes)) == classes


def test_no_classes_come_back_as_none(tmp_path):
    assert read_class_list(write_class_list(tmp_path / "none.csv", [])) == ()


def test_names_with_a_comma_need_no_quotes(tmp_path):
    (tmp_path / "names.txt").write_text("1,nuclei, round,#ff0000\n2,rest")
    assert read_class_list(tmp_path / "names.txt")[0] == Class(1, "nuclei, round", "#ff0000")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"1,a\nsky", "got 'sky'"),
        (b"1,a\n2,", "got '2'"),
        (b'1,a\n""', "got ''"),
        (b"", "empty"),
        (b"1,\xff\xfe\xff", "not text in UTF-8"),
        (b"1,a\0b\n2,c", "not text"),
        (b"1,a\n70000,b", "got 70000"),
        (b"1,a\n" + b"9" * 5000 + b",b", "got '99999"),
        (b"1,a\n1,b", "label 1 twice"),
        (b"a," * 70_000 + b"b", "70001 names"),
        (b"1,a\n" * 2000, "2000 names"),
        (b"x" * (MAX_BYTES + 1), "longer than 1 MiB"),
        (b'1,"' + b"a" * 200_000, "cannot be read"),
    ],
)
def test_what_is_no_list_of_classes_is_said(content, message, tmp_path):
    (tmp_path / "names.csv").write_bytes(content)
    with pytest.raises(FormatError, match=f"names.csv.*({message})"):
        read_class_list(tmp_path / "names.csv")


@pytest.mark.parametrize("name", ["=1+1", "+x", "-x", "@x", "=HYPERLINK(1)", "'quoted'"])
def test_names_that_spreadsheets_take_for_formulas_are_text_there_and_come_back(tmp_path, name):
    path = write_class_list(tmp_path / "a.csv", [Class(1, name)])
    cell = next(csv.reader([path.read_text().splitlines()[1]]))[1]
    assert cell[0] not in "=+-@"
    assert [c.name for c in read_class_list(path)] == [name]


def test_one_name_a_line_counts_them_from_one(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("cell\nnucleus (bright)\n\nbackground\n")
    found = [(c.label, c.name) for c in read_class_list(path)]
    assert found == [(1, "cell"), (2, "nucleus (bright)"), (3, "background")]
