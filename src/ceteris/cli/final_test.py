"""``ceteris test``: the final assessment of a run on test rows."""

from __future__ import annotations

from ceteris.cli.counting import counting
from ceteris.cli.options import AllowCode, AsJson, ByMetric, DataDir, LevelToJudge, RunName, RunsDir
from ceteris.cli.screen import print_json, show


def assess(
    run: RunName,
    /,
    *,
    metric: ByMetric = None,
    level: LevelToJudge = None,
    data_dir: DataDir = None,
    runs_dir: RunsDir = None,
    allow_code: AllowCode = False,
    as_json: AsJson = False,
) -> None:
    """Judge a run by the test rows: choose a level by validation, read the test rows once, count it."""
    from ceteris.api.final_test import run_final_test
    from ceteris.api.final_test_text import parts
    from ceteris.api.own_code import referenced
    from ceteris.api.reports import report_of
    from ceteris.api.runs import load_run

    result = load_run(run, runs_dir=runs_dir)
    code = referenced(result.run, allow_code=allow_code)
    with counting("networks assessed") as report:
        found = run_final_test(
            result.run,
            metric=metric,
            level=level,
            data_dir=data_dir,
            model=code.modules,
            metrics=code.metrics,
            report=report,
        )
    written = report_of(result.run)
    if written is not None:  # with the assessment in it
        load_run(result.id, runs_dir=runs_dir).report(written)
    if as_json:
        print_json(found.to_dict())
        return
    show(*parts(found))
    if written is not None:
        show(f"report: {written}")
