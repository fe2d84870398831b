"""What is asked of the worker is done, whenever it comes."""

from types import SimpleNamespace

from tests.session.scene import SECONDS

from stroma.session.core.worker import Worker
from stroma.session.events import ModelTrained


class Turn(SimpleNamespace):
    """What there is to learn from at one moment; asked for its revision, it calls a function."""

    mode, answered, views = "demand", -1, ()

    @property
    def revision(self):
        self.when_read()
        return self.number

    def train(self, job, *, full):
        return None


def test_training_asked_for_while_earlier_strokes_are_looked_at_is_not_lost():
    told = []
    worker = Worker(told.append)

    def ask():
        if not turns:
            turns.append(Turn(number=2, lacking="", when_read=lambda: None))
            worker.ask("strokes")

    turns = []
    first = Turn(number=1, lacking="Paint at least two classes.", when_read=ask)
    worker.add(SimpleNamespace(name="strokes", turn=lambda: turns[-1] if turns else first))
    worker.poke()
    assert worker.wait(SECONDS)
    worker.close()
    assert [event.revision for event in told if isinstance(event, ModelTrained)] == [2]
