import itertools

from stroma.data.classes import PALETTE, Class, color_of


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
