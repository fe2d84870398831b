"""A recipe is checked key by key, and what is written explains itself."""

from dataclasses import fields

import pytest
import yaml

from stroma.errors import FormatError, MissingFileError, ParameterError
from stroma.training.planning.options import Options, described
from stroma.workflow.learning.recipe import Recipe, read_recipe, recipe_of, written_recipe


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "r.yml"
        path.write_text(text)
        return path

    return write


def test_a_written_recipe_is_the_default_and_explains_every_key(written):
    text = written_recipe()
    values = yaml.safe_load(text)
    assert list(values) == [*described(Recipe), *described(Options)]
    assert set(values) == {f.name for f in fields(Recipe)}
    assert all(described(Recipe).values())
    assert all(described(Options).values())
    path = written(text)
    again = recipe_of(read_recipe(path))
    assert again.options == Recipe(ignore=[]).options
    assert again.images == str(path.parent / "images")


def test_unknown_keys_are_errors_that_name_the_file_and_what_was_meant(written):
    path = written("images: a\nminuts: 3\nfoo: 1\n")
    with pytest.raises(FormatError, match=r"r\.yml.*'minuts'\. Did you mean 'minutes'.*'foo'"):
        read_recipe(path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("minutes: ten", "minutes cannot be 'ten'"),
        ("augment: 1", "augment cannot be 1"),
        ("patch: 32", "patch cannot be 32"),
        ("classes: {a: 1}", "classes cannot be"),
        ("steps: 2.5", "steps cannot be 2.5"),
    ],
)
def test_values_of_another_kind_are_errors(written, line, said):
    with pytest.raises(FormatError, match=said):
        read_recipe(written(f"images: a\n{line}\n"))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"minutes": 0}, "minutes is a number above 0"),
        ({"device": "gpu"}, "No device 'gpu'"),
        ({"optimiser": "adam"}, "Did you mean 'adamw'"),
        ({"ndim": 4}, "ndim is 2"),
        ({"validation": 1.0}, "validation is the share"),
        ({"model": "m.pkl"}, "safetensors"),
    ],
)
def test_values_that_are_not_allowed_are_errors_however_they_are_given(values, said):
    with pytest.raises(ParameterError, match=said):
        recipe_of(values)
    if "model" not in values:
        with pytest.raises(ParameterError, match=said):
            Options(**values)


def test_a_file_that_is_no_recipe_is_named(written, tmp_path):
    with pytest.raises(MissingFileError, match="stroma recipe"):
        read_recipe(tmp_path / "none.yml")
    with pytest.raises(FormatError, match="no YAML"):
        read_recipe(written("a: [1"))
    with pytest.raises(FormatError, match="no keys"):
        read_recipe(written("- 1"))
