"""One real SLURM for all end-to-end tests, and the commands run as a person types them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.slurm import cluster

ROOT = Path(__file__).parents[2]


def command(name, *arguments, **options):
    """Run `python launch/<name>.py …` to its end; the result has returncode, stdout and stderr."""
    words = [sys.executable, str(ROOT / "launch" / f"{name}.py"), *arguments]
    return subprocess.run(words, capture_output=True, text=True, timeout=1500, check=False, **options)


@pytest.fixture(scope="session")
def slurm(tmp_path_factory):
    """The environment in which SLURM's tools speak to a cluster of four emulated nodes."""
    if os.geteuid() != 0:
        pytest.skip("only root can start SLURM's daemons")
    if not all(shutil.which(program, path=cluster.PATH) for program in cluster.PROGRAMS):
        pytest.skip("SLURM is not installed; ./install.sh slurm")
    directory = tmp_path_factory.mktemp("slurm")
    environment = cluster.up(directory)
    yield {**os.environ, **environment}
    cluster.down(directory)
