import itertools

from stroma.data.classes import PALETTE, Class, color_of, free_color, told_apart


def test_the_first_eight_classes_have_the_colours_of_the_palette():
    assert [Class(i).color for i in range(1, 9)] == list(PALETTE)


def test_forty_classes_have_colours_that_differ():
    colours = [Class(i).rgb for i in range(1, 41)]
    apart = [
        max(abs(a - b) for a, b in zip(one, other, strict=True))
        for one, other in itertools.combinations(colours, 2)
    ]
    assert min(apart) > 8


def test_every_label_has_a_colour():
    assert color_of(65535).startswith("#")
    assert Class(65535).rgb


def test_classes_that_join_others_get_colours_that_are_not_taken():
    known = (Class(1, "a", "#e69f00"), Class(2, "b", "#009e73"))
    first, second, third = told_apart(
        [Class(1, "a", "#ff0000"), Class(3, "c", "#e6a000"), Class(4, "d", "#123456")], known
    )
    assert first.color == "#ff0000"  # the class that is there, as the file has it
    assert second.color == "#0072b2"  # not its label's, which is near to none, but the first free
    assert third.color == "#123456"
    assert free_color((Class(1), Class(2, color=color_of(3))), 3) == color_of(2)


def test_classes_beyond_the_colours_there_are_join_as_they_are():
    known = [Class(n) for n in range(1, 50)]
    assert told_apart([Class(60, "x", PALETTE[0])], known)[0].color == PALETTE[0]
