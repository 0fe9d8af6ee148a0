"""What a user's script draws does not depend on whether Ceteris was called before."""

import inspect
import random

import pytest

import ceteris
from ceteris.api.undisturbed import undisturbed


@undisturbed
def draw(times: int, *, fail: bool = False) -> float:
    """Draw as an import of some libraries does."""
    drawn = [random.random() for _ in range(times)]
    if fail:
        raise ValueError("no")
    return drawn[-1]


def test_drawing_leaves_python_s_random_numbers_where_they_were() -> None:
    random.seed(3)
    before = random.getstate()
    assert 0 <= draw(2) < 1
    with pytest.raises(ValueError, match="no"):
        draw(1, fail=True)
    assert random.getstate() == before


@pytest.mark.parametrize("name", ["run", "search", "resume", "extend"])
def test_what_trains_from_python_is_undisturbed_and_keeps_its_arguments(name: str) -> None:
    function = getattr(ceteris, name)
    assert function.__wrapped__.__module__ == "ceteris.api.runs"
    assert "progress" in inspect.signature(function).parameters or name == "search"
