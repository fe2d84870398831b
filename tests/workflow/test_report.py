"""Quality control: one page with scores and pictures, which needs nothing beside it."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image as Picture

from stroma.errors import LabelError, ParameterError
from stroma.io import read_image, write_image, write_labels
from stroma.workflow.scoring.evaluate import evaluate
from stroma.workflow.scoring.report import EXTRA, MATCHED, MISSED, WRONG, write_report


@pytest.fixture
def pair(tmp_path):
    """Results and truth that differ in one missed, one extra and one wrong pixel."""
    truth = np.zeros((20, 30), np.uint8)
    truth[2:8, 2:8], truth[12:18, 12:18] = 1, 2
    result = truth.copy()
    result[2, 2], result[0, 29], result[17, 17] = 0, 1, 1
    (tmp_path / "truth").mkdir()
    (tmp_path / "results").mkdir()
    write_labels(tmp_path / "truth" / "a&b.tif", truth, axes="yx")
    write_labels(tmp_path / "results" / "a&b_labels.tif", result, axes="yx")
    return tmp_path / "results", tmp_path / "truth"


def pictures(page: str) -> list[np.ndarray]:
    found = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    return [np.array(Picture.open(io.BytesIO(base64.b64decode(data)))) for data in found]


def test_scores_and_errors_of_classes(pair, tmp_path):
    found = evaluate(*pair)
    page = write_report(tmp_path / "q.html", found, *pair).read_text()
    assert f"<td>mean iou</td><td>{found.overall['mean iou']:.4g}</td>" in page
    result, truth, errors = pictures(page)
    assert result.shape == truth.shape == (20, 30, 3)
    assert tuple(errors[2, 2]) == MISSED
    assert tuple(errors[0, 29]) == EXTRA
    assert tuple(errors[17, 17]) == WRONG
    differ = (result != truth).any(-1)
    assert np.argwhere(differ).tolist() == [[0, 29], [2, 2], [17, 17]]


def test_a_report_needs_no_other_file_and_escapes_names(pair, tmp_path):
    page = write_report(tmp_path / "q.html", evaluate(*pair), *pair, title="<b>").read_text()
    assert "a&amp;b_labels.tif" in page
    assert "<b>" not in page
    assert not re.findall(r'(?:src|href)="(?!data:)', page)


def test_names_that_are_no_text_are_written_all_the_same(pair, tmp_path):
    named = b"caf\xe9".decode("utf-8", "surrogateescape")  # as Linux gives them
    page = write_report(tmp_path / "q.html", evaluate(*pair), *pair, title=named).read_text("utf-8")
    assert "<h1>caf?</h1>" in page


def test_images_and_points_have_reports_too(tmp_path):
    clean = np.random.default_rng(0).normal(size=(16, 16)).astype(np.float32)
    write_image(tmp_path / "x_restored.tif", clean + 0.1, axes="yx")
    write_image(tmp_path / "x.tif", clean, axes="yx")
    given = [tmp_path / "x_restored.tif"], [tmp_path / "x.tif"]
    page = write_report(tmp_path / "i.html", evaluate(*given), *given).read_text()
    assert len(pictures(page)) == 3
    for name in ("p_points.csv", "p.csv"):
        (tmp_path / name).write_text("y,x\n1,2\n3,4\n")
    points = [tmp_path / "p_points.csv"], [tmp_path / "p.csv"]
    page = write_report(tmp_path / "p.html", evaluate(*points), *points).read_text()
    assert "<td>f1</td><td>1</td>" in page


def test_of_restored_images_no_spread_is_drawn_and_what_nobody_knows_is_black(tmp_path):
    clean = np.random.default_rng(0).random((16, 16)).astype(np.float32)
    both = np.stack([clean, np.full_like(clean, 9)])
    names = ("restored", "spread")
    result = write_image(tmp_path / "x_restored.tif", both, axes="cyx", channels=names)
    clean[:4] = np.nan
    given = [result], [write_image(tmp_path / "x.tif", clean, axes="yx")]
    page = write_report(tmp_path / "i.html", evaluate(*given), *given).read_text()
    restored, truth, difference = pictures(page)
    assert abs(restored[4:].astype(int) - truth[4:]).mean() < 10
    assert truth[4:].max() == 255
    assert not truth[:4].any()
    assert not difference.any()


def objects_of(folder, name, *boxes):
    labels = np.zeros((20, 40), np.uint8)
    for number, (y, x, height, width) in enumerate(boxes, start=1):
        labels[y : y + height, x : x + width] = number
    write_labels(folder / name, labels, axes="yx")


def test_of_objects_it_shows_what_was_missed_made_up_and_parted_the_worst_image_first(tmp_path):
    results, truth = tmp_path / "results", tmp_path / "truth"
    results.mkdir()
    truth.mkdir()
    objects_of(truth, "a.png", (2, 2, 6, 6))
    objects_of(results, "a_objects.tif", (2, 2, 6, 6))
    objects_of(truth, "b.png", (2, 2, 6, 6), (12, 2, 6, 6), (2, 20, 10, 10))
    objects_of(
        results, "b_objects.tif", (2, 2, 6, 5), (12, 30, 6, 6), (2, 20, 5, 10), (7, 20, 5, 10)
    )
    found = evaluate(results, truth)
    page = write_report(tmp_path / "q.html", found, results, truth).read_text()
    assert page.index("<h3>b_objects.tif") < page.index("<h3>a_objects.tif")
    errors = pictures(page)[2]
    inside = {"right": (4, 4), "missed": (15, 4), "made up": (15, 33), "parted": (6, 25)}
    shown = {name: tuple(errors[at]) for name, at in inside.items()}
    assert shown == {"right": MATCHED, "missed": MISSED, "made up": EXTRA, "parted": WRONG}
    assert (pictures(page)[5][..., 0] == pictures(page)[5][..., 2]).all(), "a has no error"


def test_of_points_it_shows_which_are_missed_and_which_made_up(tmp_path):
    (tmp_path / "p_points.csv").write_text("y,x\n1,2\n30,40\n")
    (tmp_path / "p.csv").write_text("y,x\n1,3\n3,40\n")
    points = [tmp_path / "p_points.csv"], [tmp_path / "p.csv"]
    found = evaluate(*points)
    [errors] = pictures(write_report(tmp_path / "p.html", found, *points).read_text())
    assert [tuple(errors[4 * y + 2, 4 * x + 2]) for y, x in ((1, 2), (3, 40), (30, 40))] == [
        MATCHED,
        MISSED,
        EXTRA,
    ]
    near = write_report(tmp_path / "q.html", found, *points, cutoff=0.5).read_text()
    assert tuple(pictures(near)[0][6, 10]) == EXTRA


def test_of_a_folder_with_several_kinds_of_results_one_is_compared(pair, tmp_path):
    results, truth = pair
    known = read_image(truth / "a&b.tif").read()
    write_labels(results / "a&b_objects.tif", known, axes="yx")
    with pytest.raises(ParameterError, match=r"several kinds \(classes, objects\).*kind="):
        evaluate(*pair)
    found = evaluate(*pair, kind="objects")
    assert [one["name"] for one in found.images] == ["a&b_objects.tif"]
    assert found.images[0]["precision"] == 1
    page = write_report(tmp_path / "q.html", found, *pair).read_text()
    assert len(pictures(page)) == 3
    assert [one["name"] for one in evaluate(*pair, kind="classes").images] == ["a&b_labels.tif"]


@pytest.mark.parametrize("shape", [(1, 16), (1, 1)])
def test_images_of_one_row_are_shown_too(tmp_path, shape):
    for name in ("x_restored.tif", "x.tif"):
        write_image(tmp_path / name, np.ones(shape, np.float32), axes="yx")
    given = [tmp_path / "x_restored.tif"], [tmp_path / "x.tif"]
    page = write_report(tmp_path / "i.html", evaluate(*given), *given).read_text()
    assert len(pictures(page)) == 3


def test_points_that_are_no_numbers_are_named(tmp_path):
    (tmp_path / "p.csv").write_text("y,x\n1,2\n")
    (tmp_path / "p_points.csv").write_text("y,x\n1,2\nnan,4\n")
    with pytest.raises(LabelError, match=r"p_points.csv .* point 2 is nan, 4"):
        evaluate([tmp_path / "p_points.csv"], [tmp_path / "p.csv"])
