"""An empty store."""

from pathlib import Path

import pytest

from store.layout import Layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A layout below a folder whose name has a space, a quote and a bracket."""
    return Layout(tmp_path / "a store's [1] root")
