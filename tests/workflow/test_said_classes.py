"""Numbers and names of classes in one table: corrections count, contradictions are refused."""

import numpy as np
import pytest

from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.data.objects import ObjectTable
from stroma.errors import LabelError
from stroma.workflow.measuring.object_files import read_clicks

OBJECTS = Image(np.array([[1, 0, 2, 0, 3, 0, 4]], np.uint16), "yx")
TABLE = ObjectTable({"label": np.arange(1, 5)})


def names(folder, rows, known=(), columns="label,class,class_name"):
    """Return what the four objects are called; empty where nobody said."""
    path = folder / "a_table.csv"
    path.write_text("\n".join([columns, *rows]) + "\n", encoding="utf-8")
    found, classes = read_clicks(path, OBJECTS, TABLE, known)
    called = {0: "", **{c.label: c.name or str(c.label) for c in classes}}
    return [called[label] for label in found.tolist()]


def test_a_number_or_a_name_alone_is_the_class_that_other_rows_call_so(tmp_path):
    rows = ["1,1,round", "2,2.0,long", "3,1,", "4,,long"]
    assert names(tmp_path, rows) == ["round", "long", "round", "long"]
    assert names(tmp_path, ["1,1,round", "2,2,long", "3,,"]) == ["round", "long", "", ""]


def test_a_corrected_number_beside_the_old_name_is_refused_with_the_row(tmp_path):
    rows = ["1,1,round", "2,1,round", "3,2,long", "4,2,round"]
    with pytest.raises(LabelError, match=r"line 5: class and class_name .* 2 and round; in other"):
        names(tmp_path, rows)
    with pytest.raises(LabelError, match=r"line 4: .* Correct both, or empty the one"):
        names(tmp_path, ["1,1,round", "2,1,round", "3,1,long"])
    with pytest.raises(LabelError, match=r"line 3: .*long and round"):
        names(tmp_path, ["1,1,round", "2,long,round"])


def test_the_classes_of_a_model_tell_which_number_is_wrong(tmp_path):
    known = (Class(1, "round"), Class(2, "long"))
    swapped = ["1,2,round", "2,1,long"]
    assert names(tmp_path, swapped)[:2] == ["round", "long"]
    with pytest.raises(LabelError, match=r"line 2: .* in the model (1 is round|2 is long)"):
        names(tmp_path, swapped, known)
    assert names(tmp_path, ["1,1,round", "2,2,"], known)[:2] == ["round", "long"]


def test_a_number_that_nobody_names_is_refused(tmp_path):
    with pytest.raises(LabelError, match=r"line 3: no row says what the class 5 is called"):
        names(tmp_path, ["1,1,round", "2,5,"])


def test_a_table_with_one_of_the_columns_is_read_as_it_stands(tmp_path):
    assert names(tmp_path, ["1,2", "2,1"], columns="label,class")[:2] == ["class 2", "class 1"]
    assert names(tmp_path, ["1,long", "2,round"], columns="label,class_name")[0] == "long"
    assert names(tmp_path, ["1,2,", "2,1,"])[:2] == ["class 2", "class 1"]
