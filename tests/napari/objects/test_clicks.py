import numpy as np

from napari_scene import squares

SEVERAL = [(16, 10), (13, 27), (16, 50), (13, 67)]


def objects(tab):
    return np.asarray(tab.layers.objects.data)


def sketch(tab):
    return np.asarray(tab.layers.layer("clicks").data)


def test_a_click_shows_a_proposal_and_a_key_commits_it_once(tab, pointer, press, studio):
    tab.show()
    assert tab.chosen == "click"
    pointer.click(*SEVERAL[0])
    proposal = tab.clicks.draft.found
    truth = squares()[1] == 1
    shown = np.isin(sketch(tab), (1, 3))
    assert (shown & truth).sum() > 0.8 * (shown | truth).sum()
    assert not objects(tab).any()
    assert "C commits it" in tab.clicking.note.text()
    press("C")
    assert objects(tab)[proposal.box.slices][proposal.mask].all()
    assert tab.desk.numbers.tolist() == [1]
    assert not sketch(tab).any()
    assert tab.clicks.last == 1
    pointer.click(*SEVERAL[0])
    assert "Object 1 again" in tab.clicking.note.text()
    press("C")  # nothing was said of it: it is let go of
    assert tab.desk.numbers.tolist() == [1]
    assert not tab.clicks.marked
    assert studio.session.undoable.number == 1


def test_an_object_is_taken_up_again_by_a_click_and_changed(tab, pointer, press, studio):
    tab.show()
    pointer.click(*SEVERAL[0])
    press("C")
    pointer.click(*SEVERAL[0])
    pointer.click(*SEVERAL[2])
    assert "C commits the change of object 1" in tab.clicking.note.text()
    press("Backspace")
    assert "Object 1 again" in tab.clicking.note.text()
    pointer.click(*SEVERAL[2])
    press("C")
    assert tab.desk.numbers.tolist() == [1]
    assert [int(tab.desk.at(at)) for at in (SEVERAL[0], SEVERAL[2])] == [1, 1]


def test_all_objects_are_found_beside_those_that_are_there(tab, pointer, press, studio):
    tab.show()
    pointer.click(*SEVERAL[0])
    press("C")
    tab.clicks.everything()
    studio.settle()
    assert "objects were found" in studio.said[-1]
    numbers = [int(tab.desk.at(at)) for at in SEVERAL]
    assert numbers[0] == 1
    assert len(set(numbers) - {0}) == 4


def test_the_right_button_says_what_is_not_of_it_and_backspace_takes_it_back(tab, pointer, press):
    tab.show()
    pointer.click(*SEVERAL[0])
    pointer.click(30, 30, button=2)
    assert [mark.on for mark in tab.clicks.draft.marks] == [True, False]
    press("Backspace")
    assert [mark.on for mark in tab.clicks.draft.marks] == [True]
    press("T")
    pointer.click(30, 40)
    assert [mark.on for mark in tab.clicks.draft.marks] == [True, False]
    press("Escape")
    assert not tab.clicks.marked
    assert not sketch(tab).any()
    pointer.click(30, 40)
    assert tab.clicks.draft.found is None
    assert "Click on the object too" in tab.clicking.note.text()


def test_a_drag_is_a_box_and_with_shift_a_stroke(tab, pointer, press):
    tab.show()
    pointer.drag([(8, 2), (12, 9), (24, 18)])
    assert [(m.kind, m.points) for m in tab.clicks.draft.marks] == [("box", ((8, 2), (24, 18)))]
    assert tab.clicks.draft.found.mask.sum() > 100
    pointer.drag([(12, 8), (14, 9), (18, 10)], keys=("Shift",))
    assert [m.kind for m in tab.clicks.draft.marks] == ["box", "stroke"]
    pointer.drag([(30, 4), (30, 9), (30, 17)], button=2)
    assert [m.on for m in tab.clicks.draft.marks] == [True, True, False]
    press("Enter")
    assert tab.desk.numbers.tolist() == [1]


def test_each_click_may_be_for_an_object_of_its_own_and_a_step_of_undo(tab, pointer, press, studio):
    tab.show()
    tab.clicking.each.setChecked(True)
    for at in SEVERAL:
        pointer.click(*at)
    press("S")
    assert tab.desk.numbers.tolist() == [1, 2, 3, 4]
    truth = squares()[1]
    assert [int(tab.desk.at(at)) for at in SEVERAL] == [1, 2, 3, 4]
    assert ((objects(tab) > 0) & (truth > 0)).sum() > 0.8 * np.isin(truth, (1, 2, 3, 4)).sum()
    tab.undo()
    studio.settle()
    assert tab.desk.numbers.tolist() == [1, 2, 3]


def test_a_commit_that_fails_after_its_session_is_gone_is_forgotten(
    tab, pointer, studio, monkeypatch
):
    tab.show()
    pointer.click(*SEVERAL[0])
    refused = []
    monkeypatch.setattr(tab.desk.errands, "send", lambda make, made, failed: refused.append(failed))
    tab.clicks.commit()
    assert len(tab.clicks.waiting) == 1
    studio.replaced.emit()
    refused[0]()
    assert not tab.clicks.waiting


def test_the_next_image_begins_anew(tab, pointer, press, studio):
    studio.session.add_image(squares(4)[0], name="next")
    tab.show()
    pointer.click(*SEVERAL[0])
    press("N")
    assert studio.bridge.image == "2"
    assert not tab.clicks.marked
    assert tab.chosen == "click"
    press("Shift-N")
    assert studio.said[-1] == "All images are accepted or skipped."
    assert [one.mark for one in studio.session.images] == ["accepted", "skipped"]


def test_an_object_is_carried_to_other_planes(tab, pointer, press, studio):
    image, _ = squares(4)
    stack = np.stack([image, image, image])
    layer = studio.viewer.add_image(stack, name="stack")
    studio.bridge.paint_on([layer], "zyx")
    studio.settle()
    tab.show()
    pointer.click(*SEVERAL[0])
    press("C")
    press("Shift-S")
    assert studio.said[-1] == "Object 1 goes on through 2 more planes."
    for z in range(3):
        studio.bridge.gaze.turn_to({"z": z})
        studio.settle()
        assert objects(tab)[z].any()
