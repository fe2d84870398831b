import ctypes
import gc
import os
import signal
import sys
from collections import Counter
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import hypothesis
import pytest

if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
    # Threads of torch that wait for one another keep a processor busy: with two for each of two
    # workers on two processors, trainings took more than three times as long.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # Started in the background of a shell; programs that tests end with Ctrl-C would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

hypothesis.settings.register_profile("stroma", deadline=None, max_examples=40)
hypothesis.settings.load_profile("stroma")


@pytest.fixture(scope="session", autouse=True)
def _cache_of_its_own(tmp_path_factory):
    """Keep what tests open and fetch out of the cache and the recent projects of who runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STROMA_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.hookimpl(trylast=True)  # the reporter is there then
def pytest_configure(config):
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and "PYTEST_XDIST_WORKER" not in os.environ:
        config.pluginmanager.register(_ToldAtOnce(terminal))


class _ToldAtOnce:
    """Says what failed when it does: of a run that is cut off, nothing else would be known."""

    def __init__(self, terminal):
        self._terminal = terminal

    def pytest_runtest_logreport(self, report):
        """Write the name, and where it went wrong."""
        if report.failed:
            last = report.longreprtext.splitlines()[-12:]
            said = [f"{report.nodeid} failed after {report.duration:.0f} s:", *last]
            self._terminal.write_line("\n" + "\n".join(said))


def pytest_collection_finish():
    """Leave the thousands of things that collecting made out of every later search for garbage."""
    gc.collect()
    gc.freeze()
    _forget.left = _resident()


MORE = 800 * 2**20
"""Bytes by which a worker may grow before caches are emptied within a file, too."""


@pytest.fixture(scope="module", autouse=True)
def _nothing_left_behind():
    """Give back what a file's tests left in circles and caches, and look no more at imports."""
    yield
    _forget()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown():
    """Empty the caches after a test where they have become large: of eight networks, say."""
    result = yield
    if _resident() > _forget.left + MORE:
        _forget()
    return result


def _forget():
    """Empty all caches of the package, and give free memory back; note how much is left."""
    for function in _that_remember():
        function.cache_clear()
    gc.collect()
    with suppress(OSError, AttributeError):  # what is free is kept by glibc's many arenas
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    _forget.left = _resident()


def _that_remember():
    """Return the functions of the package that keep what they returned, networks above all."""
    ours = [module for name, module in list(sys.modules.items()) if name.startswith("stroma.")]
    kept = type(lru_cache(int))
    return [one for module in ours for one in list(vars(module).values()) if isinstance(one, kept)]


def _resident():
    """Return the bytes of memory that this process has; 0 where that is not told."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session):
    """Say in one line, the last, what was skipped and how to have it."""
    result = yield
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and (line := what_was_skipped(terminal.stats.get("skipped", ()))):
        terminal.write_line(line, yellow=True)
    return result


def what_was_skipped(reports):
    """Return a line that says how many tests were skipped for each reason; none for none."""
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in reports)
    return "Skipped: " + "; ".join(f"{n} {why}" for why, n in reasons.items()) if reasons else ""
