import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from stroma.session import Session

PROGRAM = """
import resource, sys, time
import numpy as np
from stroma.errors import FileError
from stroma.session import Session
from stroma.session.events import Saved, SaveFailed

session = Session.create(sys.argv[1], "gaussian", mode="paused")
key = session.add_image(np.zeros((64, 64), np.uint8))
assert session.flush(10)
events = []
session.listen(events.append)
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (600, hard))  # what a full disk does to a write
for i in range(10):
    session.paint(key, [(5 * i, 5 * i)], label=1)
assert not session.flush(2)
failed = [e for e in events if isinstance(e, SaveFailed)]
assert len(failed) == 1, events
assert "Nothing is lost" in failed[0].message, failed
try:
    session.save()
except FileError as error:
    assert "cannot be saved" in str(error)
else:
    raise AssertionError("the save should have failed")
assert session.strokes(key).any()
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
assert session.flush(10)
assert isinstance(events[-1], Saved)
sys.stdout.flush()
import os
os._exit(0)  # without closing: what is on the disk must do
"""


@pytest.mark.skipif(os.name == "nt", reason="limits of file sizes are set as Unix does")
def test_a_full_disk_is_reported_once_and_nothing_is_lost_when_there_is_room_again(tmp_path):
    folder = tmp_path / "p.stroma"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), str(folder)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    with Session.open(folder) as session:
        strokes = session.strokes("1")
    assert all(strokes[5 * i, 5 * i] == 1 for i in range(10))
    assert np.count_nonzero(strokes) > 10
