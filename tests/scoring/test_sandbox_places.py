"""The sandbox wherever the project and Python are installed, and whoever runs it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SITE_PACKAGES = str(Path(pytest.__file__).parents[1])
NOBODY = 65534

# Puts modules of its own wherever something is imported from; with one of them it would be judged right.
INTRUDER = """
import os, sys
text = "import os\\nos.write(1, b'{\\"status\\": \\"passed\\"}')\\nos._exit(0)\\n"
for folder in [*sys.path, "PROJECT"]:
    for above in [folder, *(folder.rsplit("/", n)[0] for n in range(1, folder.count("/")))]:
        try:
            os.rename(above, above + "_")
        except OSError:
            pass
    for name in ("colorsys", "numpy"):
        try:
            os.makedirs(f"{folder}/{name}")
            open(f"{folder}/{name}/__init__.py", "w").write(text)
        except OSError:
            pass
        try:
            open(f"{folder}/{name}.py", "w").write(text)
        except OSError:
            pass
import numpy
def answer():
    return 41
"""
SCRIPT = """
import json, sys
from scoring.graders import sandbox

library = sandbox.run("import numpy, tempfile, ssl, sqlite3\\nprint(numpy.eye(2).sum(), tempfile.TemporaryFile())")
checks = "answer = program.load('answer')\\nimport colorsys, numpy, scoring\\nassert answer() == 42"
intruder = sandbox.check(sys.argv[1], checks)
print(json.dumps([sandbox._isolation(), sandbox.__file__, library.stdout[:3] + library.detail, intruder.detail]))
"""
WRONG = "assert answer() == 42"


def judged(python, project, user=None, **options):
    """Isolation, where the project is, what NumPy gave, and what became of the intruder, as another process sees it."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{project}:{SITE_PACKAGES}", "HOME": "/"} | options.pop(
        "env", {}
    )
    words = [str(python), "-P", "-c", SCRIPT, INTRUDER.replace("PROJECT", str(project))]
    result = subprocess.run(
        words, env=environment, user=user, group=user, extra_groups=[] if user else None,
        capture_output=True, text=True, check=False, **options,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture
def folder():
    """A folder below /tmp, with a space in its name, that everybody may read."""
    path = Path(tempfile.mkdtemp(prefix="a place ", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def cloned(folder):
    """The project as git has it, and what is not committed yet."""
    target = folder / "project"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", PROJECT, target], check=True)
    shutil.copytree(PROJECT / "scoring", target / "scoring", dirs_exist_ok=True)
    return target


def installed(folder, python):
    """A Python whose prefix, library and NumPy lie below the folder, as links."""
    facts = "import os, sys; print(os.path.realpath(sys.executable), os.path.dirname(os.__file__), sep='\\n')"
    binary, library = subprocess.run([python, "-c", facts], capture_output=True, text=True, check=True).stdout.split()
    own = folder / "python/bin/python3"
    own.parent.mkdir(parents=True)
    shutil.copy2(binary, own)
    (folder / "python/lib").mkdir()
    (folder / "python/lib" / Path(library).name).symlink_to(library)
    return own


def in_environment(folder, python):
    """A virtual environment below the folder with NumPy in it."""
    subprocess.run([python, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    (packages,) = (folder / "venv/lib").glob("python3*/site-packages")
    for name in ("numpy", "numpy.libs"):
        (packages / name).symlink_to(Path(SITE_PACKAGES, name))
    return folder / "venv/bin/python", packages


def python_of_everybody():
    """A Python of our version that any user may start, with our packages."""
    for python in (sys.executable, "/usr/bin/python3"):
        check = f"import sys; assert sys.version_info[:2] == {sys.version_info[:2]}; import numpy"
        environment = {"PYTHONPATH": SITE_PACKAGES}
        try:
            subprocess.run(
                [python, "-c", check], user=NOBODY, group=NOBODY, env=environment, capture_output=True, check=True
            )
        except (OSError, subprocess.CalledProcessError):
            continue
        return python
    pytest.skip("no Python here that another user may start")


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture(scope="module")
def isolation():
    found, _, library, intruder = judged(sys.executable, PROJECT)
    assert (library, intruder) == ("2.0", WRONG)
    return found


def test_a_clone_below_tmp(folder, isolation):
    project = cloned(folder)
    expected = [isolation, str(project / "scoring/graders/sandbox.py"), "2.0", WRONG]
    assert judged(sys.executable, project) == expected


def test_a_virtual_environment_below_tmp(folder, isolation):
    python, packages = in_environment(folder, sys.executable)
    environment = {"PYTHONPATH": f"{PROJECT}:{packages}:{SITE_PACKAGES}"}
    assert judged(python, PROJECT, env=environment)[::2] == [isolation, "2.0"]


def test_a_python_below_tmp(folder, isolation):
    python = installed(folder, sys.executable)
    assert judged(python, cloned(folder)) == [
        isolation, str(folder / "project/scoring/graders/sandbox.py"), "2.0", WRONG
    ]  # fmt: skip


@needs_root
def test_another_user_with_everything_below_tmp(folder, isolation):
    python = installed(folder, python_of_everybody())
    found = judged(python, cloned(folder), user=NOBODY)
    assert found[2:] == ["2.0", WRONG]


def test_no_folder_here_can_be_written_to(isolation):
    environment = {"TMPDIR": "/proc", "HOME": "/nowhere"}
    assert judged(sys.executable, PROJECT, env=environment, cwd="/proc")[::2] == [isolation, "2.0"]
