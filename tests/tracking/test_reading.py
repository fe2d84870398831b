"""Tracks come back from the files they were written to, and from those of others."""

from dataclasses import replace

import numpy as np
import pytest

from stroma import Image, measure
from stroma.data.tracks import Tracks
from stroma.errors import FormatError, MissingFileError, ParameterError
from stroma.io import read_image, write_labels
from stroma.io.cells import write_table
from stroma.io.tracks import TRACK_WRITERS, read_tracks
from stroma.tracking.summary import summary
from stroma.workflow.moving.track import track, track_files
from tracking.movies import family, movie

FIJI = """<?xml version="1.0" encoding="UTF-8"?>
<TrackMate version="7.11.1">
  <Model spatialunits="micron" timeunits="min">
    <AllSpots nspots="5">
      <SpotsInFrame frame="1">
        <Spot ID="12" name="b" QUALITY="2.5" POSITION_X="3.0" POSITION_Y="6.0" POSITION_Z="0.0"
          POSITION_T="5.0" FRAME="1" RADIUS="2.0" VISIBILITY="1"/>
        <Spot ID="13" name="c" QUALITY="1.5" POSITION_X="9.0" POSITION_Y="6.0" POSITION_Z="0.0"
          POSITION_T="5.0" FRAME="1" RADIUS="2.0" VISIBILITY="1"/>
        <Spot ID="14" name="noise" QUALITY="0.1" POSITION_X="1.0" POSITION_Y="1.0" POSITION_Z="0.0"
          POSITION_T="5.0" FRAME="1" RADIUS="2.0" VISIBILITY="0"/>
      </SpotsInFrame>
      <SpotsInFrame frame="0">
        <Spot ID="11" name="a" QUALITY="2.0" POSITION_X="6.0" POSITION_Y="6.0" POSITION_Z="0.0"
          POSITION_T="0.0" FRAME="0" RADIUS="3.0" VISIBILITY="1"/>
        <Spot ID="10" name="z" QUALITY="2.0" POSITION_X="0.0" POSITION_Y="6.0" POSITION_Z="0.0"
          POSITION_T="0.0" FRAME="0" RADIUS="3.0" VISIBILITY="1"/>
      </SpotsInFrame>
    </AllSpots>
    <AllTracks>
      <Track name="Track_0" TRACK_ID="0"><Edge SPOT_SOURCE_ID="11" SPOT_TARGET_ID="12"/>
        <Edge SPOT_SOURCE_ID="13" SPOT_TARGET_ID="11"/></Track>
      <Track name="Track_1" TRACK_ID="1"><Edge SPOT_SOURCE_ID="10" SPOT_TARGET_ID="12"/></Track>
    </AllTracks>
    <FilteredTracks><TrackID TRACK_ID="0"/></FilteredTracks>
  </Model>
  <Settings><ImageData nslices="1" nframes="4" pixelwidth="0.5" pixelheight="0.5"
    voxeldepth="1.0" timeinterval="5.0"/></Settings>
</TrackMate>
"""


@pytest.mark.parametrize("name", ["trackmate", "geff"])
@pytest.mark.parametrize(
    ("spacing", "unit"), [((), "px"), ((0.5, 0.25), "µm"), ((0.5, 0.25), "mm")]
)
def test_tracks_come_back_as_they_were_written(name, spacing, unit, tmp_path):
    tracks = track(family(), spacing=spacing, unit=unit)
    (path,) = TRACK_WRITERS[name](tmp_path, tracks, None, "cells")
    again = read_tracks(path)
    assert again.links.tolist() == tracks.links.tolist()
    assert again.detections.frame.tolist() == tracks.detections.frame.tolist()
    np.testing.assert_allclose(again.detections.places, tracks.detections.places, rtol=1e-5)
    np.testing.assert_allclose(
        again.detections.measures["area"], tracks.detections.measures["area"], rtol=1e-4
    )
    assert again.detections.unit == tracks.detections.unit
    assert again.mother.tolist() == tracks.mother.tolist()


def test_volumes_come_back_from_trackmate(tmp_path):
    labels = np.zeros((3, 6, 20, 20), np.uint16)
    for t in range(3):
        labels[t, 1:4, 5 + t : 9 + t, 4:8] = 7
        labels[t, 2:5, 5:9, 14:18] = 3
    tracks = track(labels, spacing=(2, 0.5, 0.5), unit="µm")
    (path,) = TRACK_WRITERS["trackmate"](tmp_path, tracks, None, "cells")
    again = read_tracks(path)
    np.testing.assert_allclose(again.detections.places, tracks.detections.places, rtol=1e-5)
    assert again.links.tolist() == tracks.links.tolist()


def test_what_trackmate_shows_is_read_and_what_it_filters_out_is_not(tmp_path):
    path = tmp_path / "fiji.xml"
    path.write_text(FIJI)
    tracks = read_tracks(path)
    found = tracks.detections
    assert found.frame.tolist() == [0, 0, 1, 1]
    assert found.position.tolist() == [[12, 12], [12, 0], [12, 6], [12, 18]]
    assert (found.unit, found.interval, found.frames, found.spacing) == ("µm", 300, 4, (0.5, 0.5))
    assert tracks.links.tolist() == [[0, 2], [0, 3]]
    assert found.measures["quality"].tolist() == [2, 2, 2.5, 1.5]
    np.testing.assert_allclose(found.measures["area"], np.pi * np.array([36, 36, 16, 16]))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<TrackMate", "cannot be read as XML"),
        ("<html/>", "not TrackMate's"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><TrackMate/>', "document type"),
        (FIJI.replace('SPOT_TARGET_ID="12"', 'SPOT_TARGET_ID="99"'), "names the spots"),
        (FIJI.replace('POSITION_X="3.0"', 'POSITION_X="far"'), "far"),
        (FIJI.replace('FRAME="1"', "", 1), "FRAME"),
    ],
)
def test_a_file_that_is_none_says_what_is_wrong(text, said, tmp_path):
    path = tmp_path / "bad.xml"
    path.write_text(text)
    with pytest.raises(FormatError, match=said):
        read_tracks(path)


def test_what_is_no_file_of_tracks_is_refused(tmp_path):
    with pytest.raises(MissingFileError, match="no file"):
        read_tracks(tmp_path / "none.xml")
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(FormatError, match=r"Tracks are read from: \.csv, \.xml, \.geff"):
        read_tracks(tmp_path / "a.txt")
    (tmp_path / "a.geff").mkdir()
    with pytest.raises(FormatError, match="no graph of tracks"):
        read_tracks(tmp_path / "a.geff")


def test_spots_of_trackmate_are_linked_anew(tmp_path):
    (path,) = TRACK_WRITERS["trackmate"](tmp_path, track(family()), None, "cells")
    found = track_files(path, tmp_path / "out", formats=("csv",))
    assert (found.detections, found.tracks, found.divisions) == (15, 4, 1)


def test_a_table_of_tracks_comes_back_and_one_of_points_is_no_such(tmp_path) -> None:
    tracks = track(family(), spacing=(0.5, 0.25), unit="µm")
    (path,) = TRACK_WRITERS["csv"](tmp_path, tracks, None, "cells")
    again = read_tracks(path)
    assert again.links.tolist() == tracks.links.tolist()
    assert again.detections.label.tolist() == tracks.detections.label.tolist()
    np.testing.assert_allclose(again.detections.position, tracks.detections.position, atol=1e-3)
    assert (again.detections.spacing, again.detections.unit) == ((0.5, 0.25), "µm")
    area = again.detections.measures["area_µm2"]
    np.testing.assert_allclose(area, tracks.detections.measures["area"] / 8, atol=1e-3)
    (tmp_path / "points.csv").write_text("t,y,x\n0,1,1\n1,1,2\n")
    with pytest.raises(FormatError, match=r"no column track.*stroma track points\.csv"):
        read_tracks(tmp_path / "points.csv")
    (tmp_path / "lost.csv").write_text("track,frame,y,x,mother\n1,0,1,1,7\n")
    with pytest.raises(FormatError, match="comes from 7, which is nowhere"):
        read_tracks(tmp_path / "lost.csv")


def test_a_folder_of_the_challenge_and_an_image_by_track_come_back(tmp_path) -> None:
    path = [(40, 20 + 2 * t, 6) for t in range(6)]
    path[3] = None
    labels = movie({7: path, 3: [(75, 40, 6)] * 6})
    image = Image(labels, "tyx", {"t": 60.0, "y": 0.5, "x": 0.5}, "µm")
    write_labels(tmp_path / "cells.ome.tif", labels, like=image)
    done = track_files(tmp_path / "cells.ome.tif", tmp_path / "out", formats=("ctc", "zarr"))
    folder = read_tracks(tmp_path / "out")
    assert folder.count == done.tracks == 2
    assert folder.detections.unit == "µm"
    shown = read_image(tmp_path / "out" / "cells.ome_tracks.zarr")
    assert (dict(shown.spacing), shown.unit) == ({"t": 60.0, "y": 0.5, "x": 0.5}, "µm")
    values = np.asarray(shown.read())
    for name in (3, 7):  # one number each, through the gap too
        numbers = np.unique(values[labels == name])
        assert len(numbers) == 1
        assert numbers[0] > 0
    assert not values[labels == 0].any()
    with pytest.raises(ParameterError, match="points have none"):
        TRACK_WRITERS["zarr"](tmp_path, track(labels), None, "points")


def test_the_table_has_units_frame_numbers_and_times_of_division() -> None:
    labels = movie(
        {
            1: [(48, 48, 10)] * 2 + [None] * 8,
            2: [None] * 2 + [(38, 48, 7)] * 4 + [None] * 4,
            3: [None] * 2 + [(58, 48, 7)] * 8,
            4: [None] * 6 + [(34, 48, 5)] * 4,
            5: [None] * 6 + [(44, 48, 5)] * 4,
        }
    )
    found = track(labels, spacing=(0.5, 0.5), unit="µm")
    tracks = Tracks(replace(found.detections, interval=60.0), found.links)
    header, rows = summary(tracks, range(10, 20))
    table = [dict(zip(header, row, strict=True)) for row in rows]
    first = [(r["first_frame"], r["divides_s"], r["cycle_s"]) for r in table]
    assert first == [(10, 720, ""), (12, 960, 240), (12, "", ""), (16, "", ""), (16, "", "")]
    area = int((labels[0] == 1).sum()) / 4
    assert table[0]["mean_area_µm2"] == pytest.approx(area)


def test_a_table_of_measured_objects_is_tracked_in_its_unit(tmp_path) -> None:
    labels = family()
    table = measure(labels, axes="tyx", spacing=(0.5, 0.5), groups=("shape",))
    columns = list(table)
    assert "area_um2" in columns
    write_table(tmp_path / "cells.csv", columns, zip(*(table[c] for c in columns), strict=True))
    found = track(tmp_path / "cells.csv", cost="distance+area_um2")
    assert (found.detections.unit, found.detections.spacing) == ("µm", (0.5, 0.5))
    assert found.detections.label[:4].tolist() == [1, 4, 1, 4]
    assert found.mother.tolist() == [0, 0, 1, 1]
