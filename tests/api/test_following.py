"""A report that is written again and again while a run goes on."""

from pathlib import Path

import pytest

import ceteris
from ceteris.api.following import LEAST_SECONDS, follow
from ceteris.api.result import Result


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Result:
    study = {"experiment": {"data": "iris", "model": "linear", "epochs": 2}, "seeds": 2}
    return ceteris.run(study, runs_dir=tmp_path_factory.mktemp("runs"), progress=False)


def test_a_run_that_goes_on_gets_a_page_that_loads_itself_anew(
    done: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two looks at it while it runs, then one after its end."""
    states = iter(["running", "running", "finished"])
    monkeypatch.setattr(Result, "status", property(lambda _: state[0]))
    waited: list[float] = []
    state = [next(states)]

    def wait(seconds: float) -> None:
        waited.append(seconds)
        state[0] = next(states)

    pages = []
    for path in follow(done.id, tmp_path / "page.html", runs_dir=done.run.folder.parent, wait=wait):
        pages.append(path.read_text(encoding="utf-8"))
    assert [page.count('<meta http-equiv="refresh"') for page in pages] == [1, 1, 0]
    assert [page.count('id="going-on"') for page in pages] == [1, 1, 0]
    assert f'content="{LEAST_SECONDS}"' in pages[0]
    assert all(seconds >= LEAST_SECONDS for seconds in waited)


def test_a_run_that_has_ended_is_written_once(done: Result, tmp_path: Path) -> None:
    def wait(_: float) -> None:
        pytest.fail("there is nothing to wait for")

    pages = list(follow("last", tmp_path / "page.html", runs_dir=done.run.folder.parent, wait=wait))
    assert pages == [tmp_path / "page.html"]
