"""A model that looks at volumes answers on the plane in view, with what lies above and below it."""

import numpy as np
import pytest
from tests.session.scene import settle

from stroma import ConvpaintModel, Image
from stroma.features.filtering.filterbank3d import VolumeFilterBank
from stroma.session import Session

LAYERS = ["gaussian_s1.6", "hessian_s1.0"]


@pytest.fixture
def volume():
    """Return a noisy volume that is bright on one side, from plane to plane a little further."""
    z, _, x = np.mgrid[:7, :48, :96]
    noise = np.random.default_rng(0).normal(0, 0.7, z.shape)
    return (noise + 2 * (x > 40 + 2 * z)).astype(np.float32)


def painted(session, key):
    for z in (1, 5):
        session.paint(key, [(10, 10), (40, 12)], label=1, radius=2, plane={"z": z})
        session.paint(key, [(10, 80), (40, 82)], label=2, radius=2, plane={"z": z})


def test_results_of_a_plane_are_those_of_the_segmented_volume(volume):
    model = ConvpaintModel(fe_name="ilastik_3d", fe_layers=LAYERS)
    with Session(model=model) as session:
        key = session.add_image(Image(volume, "zyx"))
        painted(session, key)
        seen = {}
        for z in (0, 3):
            session.look(key, plane={"z": z})
            settle(session)
            shown = session.result(key, plane={"z": z})
            assert not shown.missing
            assert not shown.stale
            seen[z] = shown.values
        alone = ConvpaintModel(fe_name="ilastik_3d", fe_layers=LAYERS)
        alone.set_params(clf_max_pixels=session.model.get_param("clf_max_pixels"))
        strokes = [session.strokes(key, plane={"z": z}) for z in range(len(volume))]
        alone.train(Image(volume, "zyx"), np.stack(strokes))
    whole = alone.segment(volume)
    for z, values in seen.items():
        np.testing.assert_array_equal(values, whole[z])


def test_a_plane_asks_for_no_other_plane_of_its_volume(volume):
    model = ConvpaintModel(fe_name="ilastik_3d", fe_layers=LAYERS)
    with Session(model=model) as session:
        key = session.add_image(Image(volume, "zyx"))
        painted(session, key)
        session.look(key, plane={"z": 3})
        settle(session)
        others = session.result(key, plane={"z": 2})
        assert others.missing


def test_a_volume_that_is_looked_at_whole_is_computed_in_one_piece(volume, monkeypatch):
    depths = []
    computed = VolumeFilterBank._computed

    def recorded(bank, block, dtype):
        depths.append(block.shape[1] - 2 * bank.halo[0])
        return computed(bank, block, dtype)

    with Session(model=ConvpaintModel(fe_name="ilastik_3d", fe_layers=LAYERS)) as session:
        key = session.add_image(Image(volume, "zyx"))
        painted(session, key)
        settle(session)
        monkeypatch.setattr(VolumeFilterBank, "_computed", recorded)
        for z in range(len(volume)):
            session.look(key, plane={"z": z}, view=f"in space {z}")
        settle(session)
        shown = [session.result(key, plane={"z": z}) for z in range(len(volume))]
        assert not any(one.missing or one.stale for one in shown)
        assert max(depths) == len(volume)
        whole = session.segment(key)
    np.testing.assert_array_equal([one.values for one in shown], whole)
