"""``.ci/needs`` gets what tests need where it can, and is in nobody's way where it cannot."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NEEDS = Path(__file__).parents[1] / ".ci" / "needs"

LIBRARIES = re.findall(r"([a-z][\w.-]+):(lib\S+\.so\.\d+)", NEEDS.read_text())
HERE = "\n".join(f"echo '{name} (libc6) => /lib/{name}'" for _, name in LIBRARIES)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")


@pytest.fixture
def needs(tmp_path):
    """Run the script where there are only those programs that are given, by name and text."""

    def run(*names, **programs):
        programs = {"id": "echo 0", "ldconfig": HERE, **programs}
        folder = tmp_path / "bin"
        folder.mkdir()
        for name in ("bash", "grep"):
            (folder / name).symlink_to(shutil.which(name))
        for name, text in programs.items():
            path = folder / name.replace("_", "-")
            path.write_text(f"#!{folder / 'bash'}\n{text}\n")
            path.chmod(0o755)
        command = [folder / "bash", NEEDS, *names]
        where = {"PATH": str(folder), "LOG": str(tmp_path / "log")}
        ran = subprocess.run(command, env=where, capture_output=True, text=True)
        log = tmp_path / "log"
        return ran, log.read_text().splitlines() if log.exists() else []

    return run


LOGGED = 'echo "$*" >> "$LOG"'


@pytest.mark.parametrize(
    ("known", "chromium"), [("exit 0", "chromium-headless-shell"), ("exit 100", "chromium")]
)
def test_what_is_missing_is_installed_with_root_and_apt(needs, known, chromium):
    ran, log = needs("browser", "display", "npx", apt_get=LOGGED, apt_cache=known, npx="")
    assert ran.returncode == 0
    assert log == ["update -qq", f"install -qq --yes --no-install-recommends {chromium} xvfb"]


def test_libraries_of_a_display_are_installed_with_it(needs):
    _, [_, line] = needs("display", apt_get=LOGGED, Xvfb="", ldconfig="")
    assert line.split()[4:] == [package for package, _ in LIBRARIES]
    assert len(LIBRARIES) > 10


@pytest.mark.parametrize(("package", "library"), LIBRARIES)
def test_each_library_that_is_missing_is_installed_though_the_others_are_here(
    needs, package, library
):
    others = "\n".join(line for line in HERE.splitlines() if library not in line)
    _, [_, line] = needs("display", apt_get=LOGGED, Xvfb="", ldconfig=others)
    assert line.split()[4:] == [package]


@pytest.mark.parametrize(
    "programs",
    [
        {},
        {"apt_get": LOGGED, "id": "echo 1000"},
        {"apt_get": LOGGED, "chromium": ""},
        {"apt_get": LOGGED, "chromium_headless_shell": ""},
    ],
)
def test_nothing_happens_without_apt_or_root_or_need(needs, programs):
    ran, log = needs("browser", **programs)
    assert (ran.returncode, ran.stdout + ran.stderr, log) == (0, "", [])


def test_what_cannot_be_installed_is_said_and_tests_go_on(needs):
    ran, _ = needs("browser", apt_get="exit 100")
    assert ran.returncode == 0
    assert "could not be installed" in ran.stderr


def test_a_name_it_does_not_know_is_refused(needs):
    ran, _ = needs("brwoser")
    assert ran.returncode == 2
    assert "brwoser" in ran.stderr
