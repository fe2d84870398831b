import npe2
import pytest
from npe2 import PluginManifest
from npe2.manifest.utils import import_python_name

from stroma.errors import DISTRIBUTION
from stroma.napari.menus import commands


@pytest.fixture(scope="module")
def manifest():
    return PluginManifest.from_distribution(DISTRIBUTION)


def test_the_manifest_is_valid_and_found_by_napari(manifest):
    manifest.validate_imports()
    assert manifest.name == DISTRIBUTION
    manager = npe2.PluginManager.instance()
    manager.discover()
    assert DISTRIBUTION in {found.name for found in manager.iter_manifests()}


def test_every_command_is_there(manifest):
    for command in manifest.contributions.commands:
        assert callable(import_python_name(command.python_name))


def test_every_key_does_what_a_command_of_the_manifest_does(manifest):
    named = {c.python_name.split(":")[1] for c in manifest.contributions.commands}
    assert {command.__name__ for command in commands.KEYS.values()} <= named
