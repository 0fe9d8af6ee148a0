"""Parameters set and read by name from Python, and what is told where they do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from torch import nn

import ceteris
from ceteris.api import own_code
from ceteris.api.initial import initial_settings
from ceteris.api.result import Result
from ceteris.api.studies import plan
from ceteris.lab.binding import bind
from ceteris.lab.datasets import load_sources
from ceteris.lab.initial_values import content_of, kept_values, read_all, with_content
from ceteris.lab.trials import identity_of
from ceteris.spec.combine import combinations
from ceteris.spec.experiment import Experiment

STUDY: dict[str, Any] = {
    "experiment": {"data": "digits", "model": {"kind": "mlp", "hidden": [3], "init": "he"}, "epochs": 1},
    "seeds": 1,
}
HEAD = np.arange(30, dtype=np.float32).reshape(10, 3) / 30


def problems(initial: Any, folder: Path, **changes: Any) -> str:
    """What binding says of a study that starts so."""
    started = initial_settings(initial, folder)
    planned = plan(STUDY | changes, initial=started.settings, allow_code=True)
    experiments = [c.experiment for c in combinations(planned.parsed.study)]
    data = load_sources(["digits"], None)
    found = bind(planned.parsed, data, (), list(started.functions), initial=read_all(experiments, folder))[1]
    return "\n".join(map(str, found))


def test_values_that_do_not_fit_are_told_with_the_nearest_name(tmp_path: Path) -> None:
    assert problems({"head.weight": HEAD}, tmp_path) == ""
    told = problems({"head.wieght": HEAD}, tmp_path)
    assert "holds `head.wieght`, and there is no parameter `head.wieght`; did you mean `head.weight`?" in told
    told = problems({"head.weight": HEAD.T, "head.bias": np.full(10, np.nan)}, tmp_path)
    assert "`head.weight` has shape (3, 10) in" in told
    assert "the network's is (10, 3)" in told
    assert "`head.bias` in" in told
    assert "holds NaN" in told
    file = tmp_path / "head.safetensors"
    save_file({"head.weight": HEAD}, file)
    assert "does not hold `hidden.0.linear.weight`; `only` says which" in problems(file, tmp_path)
    assert "there is no file" in problems(tmp_path / "nothing.safetensors", tmp_path)
    (tmp_path / "text.safetensors").write_text("no weights at all")
    assert "is no safetensors file" in problems(tmp_path / "text.safetensors", tmp_path)
    assert "`init_weights` is an initialisation of your own, and it was not given" in problems(
        None, tmp_path, experiment=STUDY["experiment"] | {"model": own_model("init_weights")}
    )
    with pytest.raises(ceteris.CeterisError, match=r"`head\.bias` is no array of numbers"):
        initial_settings({"head.bias": ["a"]}, tmp_path)
    with pytest.raises(ceteris.CeterisError, match=r"the level `he` of `model\.init` sets `model\.init`"):
        problems({"head.weight": HEAD}, tmp_path, vary={"model.init": ["he", "xavier"]})


def own_model(name: str) -> dict[str, Any]:
    return {"kind": "mlp", "hidden": [3], "init": {"kind": "own", "name": name}}


def test_a_file_may_name_a_function_only_where_code_is_allowed() -> None:
    study = STUDY | {"experiment": STUDY["experiment"] | {"model": own_model("package.module:start")}}
    with pytest.raises(ceteris.CeterisError, match=r"`package\.module:start` is code of your own"):
        plan(study)


def test_values_count_by_their_content_wherever_the_file_is(tmp_path: Path) -> None:
    def identity(file: Path, values: dict[str, np.ndarray]) -> str:
        save_file(values, file)
        model = {"kind": "mlp", "hidden": [3], "init": {"from": str(file), "only": ["head.weight"]}}
        experiment = Experiment(data="digits", model=model)
        recorded = with_content(experiment, read_all([experiment], tmp_path), tmp_path / "runs")
        init = recorded.model.init
        assert init.content == content_of(values)  # type: ignore[union-attr]
        kept = kept_values(tmp_path / "runs", content_of(values))
        np.testing.assert_array_equal(kept["head.weight"], values["head.weight"])
        return identity_of(recorded, 0, 0, {})

    one = identity(tmp_path / "one.safetensors", {"head.weight": HEAD})
    assert identity(tmp_path / "two.safetensors", {"head.weight": HEAD}) == one
    assert identity(tmp_path / "one.safetensors", {"head.weight": HEAD + 1}) != one


def test_a_record_repeats_with_the_values_that_were_kept(tmp_path: Path) -> None:
    file = tmp_path / "head.safetensors"
    save_file({"head.weight": HEAD}, file)
    model = {"kind": "mlp", "hidden": [3], "init": {"from": str(file), "only": ["head.weight"]}}
    first = Experiment(data="digits", model=model)
    recorded = with_content(first, read_all([first], tmp_path), tmp_path)
    save_file({"head.weight": HEAD + 1}, file)
    (again,) = read_all([recorded], tmp_path).values()
    assert not isinstance(again, ceteris.CeterisError)
    np.testing.assert_array_equal(again["head.weight"], HEAD)
    (changed,) = read_all([recorded], tmp_path / "elsewhere").values()
    assert "no longer holds the values that the record was made with" in str(changed)


def test_networks_and_state_dictionaries_give_every_value_once(tmp_path: Path) -> None:
    shared = nn.Linear(4, 4)
    network = nn.Sequential(shared, nn.BatchNorm1d(4), shared)
    by_network = initial_settings(network, tmp_path).settings
    assert by_network is not None
    assert "only" not in by_network
    by_state = initial_settings(network.state_dict(), tmp_path).settings
    assert by_state is not None
    assert "2.weight" not in by_state["only"]
    assert {"0.weight", "1.running_mean", "1.num_batches_tracked"} <= set(by_state["only"])


def test_gradients_are_those_of_the_loss_on_the_rows(result: Result) -> None:
    from sklearn.datasets import load_digits

    trial = result.trial(0.5, 1)
    x, y = load_digits().images[:40], load_digits().target[:40]
    found = trial.gradients(x, y)
    network = trial.network()
    nn.functional.cross_entropy(network(trial.prepare(x)), torch.from_numpy(y)).backward()
    assert found.keys() == trial.parameters().keys() == dict(network.named_parameters()).keys()
    for name, parameter in network.named_parameters():
        np.testing.assert_allclose(found[name], parameter.grad, atol=1e-6)
        np.testing.assert_array_equal(trial.parameters()[name], trial.weights()[name])
    with pytest.raises(ceteris.CeterisError, match="there are 39 targets for 40 rows"):
        trial.gradients(x, y[:39])
    with pytest.raises(ceteris.CeterisError, match=r"class numbers .* from 0, `0`, to 9, `9`"):
        trial.gradients(x, y + 1)


@pytest.mark.slow
def test_a_run_starts_from_the_weights_of_another_and_can_be_extended(
    result: Result, runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = result.trial(0.5, 2)
    experiment = {
        "data": "digits",
        "model": {"kind": "mlp", "hidden": [8], "batch_norm": True},
        "epochs": 1,
        "optimizer": {"kind": "sgd", "lr": 0.0001},
    }
    study = {"experiment": experiment, "seeds": 1}
    begun = ceteris.run(study, initial=trial.weights(), runs_dir=runs_dir, progress=False)
    longer = ceteris.extend(begun.id, seeds=2, runs_dir=runs_dir, progress=False)
    for own in longer.trials:
        for name, value in trial.weights().items():
            np.testing.assert_array_equal(own.weights("initial")[name], value)
        assert own.metrics["val_accuracy"] > 0.8
    assert "the same for every seed (base)" in repr(longer)
    given = ceteris.run(
        study, initial={"head.bias": np.full(10, 0.5)}, runs_dir=runs_dir, progress=False, epochs=1
    )
    start = given.trials[0].parameters("initial")
    assert (start["head.bias"] == 0.5).all()
    assert np.unique(start["head.weight"]).size > 70

    def halves(part: nn.Module) -> None:
        if isinstance(part, nn.Linear):
            nn.init.constant_(part.weight, 0.5)

    own = ceteris.run(study, initial=halves, runs_dir=runs_dir, progress=False).trials[0]
    assert (own.parameters("initial")["head.weight"] == 0.5).all()
    assert own.experiment["model"]["init"]["source"]
    (_, second) = ceteris.extend(own.run.id, seeds=2, runs_dir=runs_dir, progress=False).trials
    assert (second.parameters("initial")["head.weight"] == 0.5).all(), "the function is known in this process"
    monkeypatch.setattr(own_code, "_OF_RUNS", {})  # as in a new one
    with pytest.raises(ceteris.CeterisError, match="the run starts by `halves`, an initialisation of your"):
        ceteris.extend(own.run.id, seeds=3, runs_dir=runs_dir, progress=False)


def test_errors_speak_of_what_was_given(tmp_path: Path) -> None:
    study = ceteris.vary(
        ceteris.Experiment(data="digits", model={"kind": "mlp", "hidden": [4]}, epochs=1), seeds=1
    )

    def told(initial: Any) -> str:
        with pytest.raises(ceteris.CeterisError) as caught:
            ceteris.run(study, initial=initial, runs_dir=tmp_path, progress=False)
        return str(caught.value)

    assert told({"head.biass": np.zeros(10)}).startswith(
        "initial: it holds `head.biass`, and there is no parameter `head.biass`; did you mean `head.bias`?"
    )
    assert told({"head.bias": np.zeros(9)}).startswith(
        "initial: `head.bias` has shape (9,); the network's is (10,);"
    )
