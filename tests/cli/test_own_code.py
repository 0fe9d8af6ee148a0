"""Code of the user's own that a study's file names: every command that needs it finds it beside the file."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import run_command

CODE = """
from torch import nn

class Net(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(13, width), nn.Tanh(), nn.Linear(width, 3))
    def forward(self, x):
        return self.body(x)

def top2(outputs, targets):
    return (outputs.topk(2, dim=1).indices == targets[:, None]).any(dim=1).float().mean()
"""
STUDY = """
experiment:
  data: {source: wine, scale: standardize}
  model: {kind: module, name: "own_net:Net", arguments: {width: 5}}
  metrics: ["own_net:top2"]
  epochs: 1
seeds: 1
"""


def test_a_run_is_used_where_code_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "own_net.py").write_text(CODE)
    (tmp_path / "study.yaml").write_text(STUDY)
    done = run_command(tmp_path, "run", "study.yaml", "--allow-code")
    assert done.returncode == 0, done.stderr
    exported = run_command(tmp_path, "export", "last", "--format", "safetensors", "--allow-code")
    assert exported.returncode == 0, exported.stderr
    refitted = run_command(tmp_path, "refit", "last", "--allow-code")
    assert refitted.returncode == 0, refitted.stderr
    refused = run_command(tmp_path, "landscape", "last")
    assert refused.returncode == 2
    assert "on the command line allow it with `--allow-code`" in refused.stderr
    drawn = run_command(tmp_path, "landscape", "last", "--allow-code", "--points", "5")
    assert drawn.returncode == 0, drawn.stderr
