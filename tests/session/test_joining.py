"""Tables of other programs, and features of extractors, join the objects of a session."""

import shutil

import numpy as np
import pytest
from tests.patience import PATIENCE
from tests.session.scene import settle

from stroma.data.image import Image
from stroma.errors import LabelError, ParameterError, UnknownNameError
from stroma.session import Session
from stroma.session.objects.bench import ObjectBench
from stroma.session.objects.joined import Joined
from stroma.workflow.measuring.other_tables import OtherTable

TABLE = """label,Ki67,area_px,class,note
1,0.5,99,tumour,a
2,1.5,99,stroma,b
3,0.4,99,,c
9,7,99,tumour,d
"""


def squares():
    labels = np.zeros((40, 60), np.int32)
    for i in range(6):
        y, x = 3 + 20 * (i // 3), 3 + 20 * (i % 3)
        labels[y : y + 8, x : x + 8] = i + 1
    return labels


@pytest.fixture
def path(tmp_path):
    made = tmp_path / "other.csv"
    made.write_text(TABLE)
    return made


@pytest.fixture
def key(session):
    made = session.add_image(squares().astype(np.float32), name="squares.tif")
    session.look(made)
    session.set_objects(made, squares())
    return made


def table(session, key):
    settle(session)
    return session.objects(key).found.table


def test_measures_become_columns_and_classes_labels_in_one_step(session, key, path):
    assert session.join_table(key, path) == 3
    found = table(session, key)
    assert found["Ki67"][:3].tolist() == [0.5, 1.5, 0.4]
    assert np.isnan(found["Ki67"][3:]).all()
    assert found["area_px"][0] == 64  # what is measured here stays
    assert "note" not in found
    assert [c.name for c in session.object_classes] == ["tumour", "stroma"]
    assert session.objects(key).given[:3].tolist() == [1, 2, 0]
    assert session.undoable.kind == "join table"
    session.undo()
    assert "Ki67" not in table(session, key)
    assert [c.name for c in session.object_classes] == ["kind 1", "kind 2"]
    assert not session.objects(key).given.any()
    session.redo()
    assert "Ki67" in table(session, key)


def test_classes_are_learnt_from_what_joined_where_other_images_have_nothing(session, key, path):
    session.join_table(key, path)
    session.set_object_model(columns=["Ki67"])
    other = session.add_image(squares().astype(np.float32), name="other.tif")
    session.set_objects(other, squares())
    assert set(table(session, key)["class_name"]) == {"tumour", "stroma"}
    session.look(other)
    settle(session)
    assert session.objects(other).found.table["class"].all()


def test_a_table_that_joins_again_is_a_step_of_its_own(session, key, path):
    session.join_table(key, path)
    settle(session)
    session.label_objects(key, [1], 2)
    session.join_table(key, path)
    assert session.objects(key).given[:2].tolist() == [1, 2]
    session.undo()
    assert session.objects(key).given[:2].tolist() == [2, 2]


def test_what_a_table_says_of_an_object_takes_the_place_of_what_was_said_before(session, key, path):
    settle(session)
    session.label_objects(key, [1, 3], 2)
    session.join_table(key, path)
    labels = squares()
    clicks = session.core.bench(ObjectBench).books[key].clicks
    said = {int(labels[y, x]): label for (_, _, y, x), label in clicks.items()}
    assert len(clicks) == 3
    assert {n: session.object_classes[at - 1].name for n, at in said.items()} == {
        1: "tumour",
        2: "stroma",
        3: "kind 2",
    }
    session.undo()
    assert session.objects(key).given[:3].tolist() == [2, 0, 2]


def test_other_objects_know_nothing_of_the_table(session, key, path):
    session.join_table(key, path)
    session.set_objects(key, squares()[:, ::-1].copy())
    assert "Ki67" not in table(session, key)
    session.undo()
    assert "Ki67" in table(session, key)


def test_tables_that_do_not_fit_are_refused(session, key, path):
    path.write_text("label,a\n77,1\n")
    with pytest.raises(LabelError, match="none of its 1 numbers"):
        session.join_table(key, path)
    session.no_objects(key)
    with pytest.raises(ParameterError, match="follow the segmentation change"):
        session.join_table(key, path)


def test_what_joined_is_kept_in_the_project(tmp_path, path):
    folder, left = tmp_path / "squares.stroma", tmp_path / "left.stroma"
    np.save(tmp_path / "squares.npy", squares().astype(np.float32))
    with Session.create(folder, mode="demand") as session:
        key = session.add_image(tmp_path / "squares.npy")
        session.set_objects(key, squares())
        session.join_table(key, path)
        assert session.flush(PATIENCE)
        shutil.copytree(folder, left, ignore=shutil.ignore_patterns("*lock*"))
    for there in (left, folder):  # from the journal; from the snapshot
        with Session.open(there) as session:
            session.look(key)
            assert table(session, key)["Ki67"][1] == 1.5
            session.undo()
            assert "Ki67" not in table(session, key)


def test_features_of_an_extractor_are_columns_of_all_objects(session, key):
    session.set_object_model(extractors=["gaussian_features"])
    found = table(session, key)
    names = [n for n in found if n.startswith("embedding_gaussian_features_")]
    assert names
    assert np.isfinite(found.matrix(names)).all()
    session.set_object_model(extractors=[])
    assert not [n for n in table(session, key) if n.startswith("embedding_")]
    with pytest.raises(UnknownNameError, match="gausian"):
        session.set_object_model(extractors=["gausian"])


def test_damaged_tables_are_refused():
    made = Joined.of(OtherTable("a.csv", np.array([[0, 1]]), {"x": np.ones(1)}))
    values = made.to_json()
    assert Joined.from_json(values) == made
    for wrong in ({"rows": 2}, {"names": ["x", "x"]}, {"keys": "?"}, {"source": ""}):
        with pytest.raises(ParameterError):
            Joined.from_json(values | wrong)


def test_a_table_that_says_no_frame_is_refused_for_objects_of_several(session, path):
    movie = np.stack([squares(), squares()])
    key = session.add_image(Image(movie.astype(np.float32), "tyx"), name="movie.tif")
    session.set_objects(key, movie)
    with pytest.raises(LabelError, match="in which frame its objects are"):
        session.join_table(key, path)
    path.write_text("frame,label,Ki67\n1,2,1.5\n")
    assert session.join_table(key, path) == 1
