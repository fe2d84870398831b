"""Two processes on one machine learn what one learns."""

import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest
from tests.training.conftest import scene

from stroma.training.learning.learner import Learner

OPTIONS = {
    "steps": 6,
    "patch": [32, 32],
    "batch": 4,
    "rate": 1e-2,
    "device": "cpu",
    "network_options": {"features": [4, 8], "norm": "instance"},
    "target_options": {"loss_name": "cross_entropy"},
}

PROGRAM = """
import json, sys
import numpy as np
from stroma.training.learning.learner import Learner
given = np.load(sys.argv[1])
options = json.loads(sys.argv[2])
network = Learner(**options).fit(list(given["images"]), list(given["labels"]))
print(json.dumps(network.history_))
"""


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def test_two_processes_have_the_loss_curve_of_one(tmp_path):
    images, labels = zip(*[scene(n) for n in range(4)], strict=True)
    np.savez(tmp_path / "data.npz", images=np.stack(images), labels=np.stack(labels))
    known = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": "2"}
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, str(tmp_path / "data.npz")]
    both = [
        subprocess.Popen(
            [*command, json.dumps(OPTIONS)],
            env={**os.environ, **known, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    said = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    one = Learner(**OPTIONS).fit(list(images), list(labels)).history_
    for out, _ in said:
        curve = json.loads(out.splitlines()[-1])
        assert [row["loss"] for row in curve] == pytest.approx(
            [row["loss"] for row in one], rel=1e-2
        )
