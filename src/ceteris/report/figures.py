"""All further figures of a page, and what its script draws of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ceteris.evidence.assessment import Assessment
from ceteris.records.views import RunRecord
from ceteris.report.confusion import ConfusionFigure, confusion_figure
from ceteris.report.extras import Extras
from ceteris.report.fits import FitFigure, fitted
from ceteris.report.histograms import HistogramFigure, histogram_figure
from ceteris.report.landscape import LandscapeSection, landscape_section
from ceteris.report.layers import LayerFigure, layer_figure
from ceteris.report.regression import CoefficientFigure, Residuals, coefficients, residuals
from ceteris.report.sweeps import Sweep, capacity, sweeps


@dataclass(frozen=True)
class Figures:
    """The sections that a page has where there is something to show; else they are empty or None."""

    sweeps: tuple[Sweep, ...]
    capacity: Sweep | None
    fits: FitFigure | None
    histograms: HistogramFigure | None
    confusions: ConfusionFigure | None
    residuals: Residuals | None
    coefficients: CoefficientFigure | None
    landscape: LandscapeSection | None
    layers: LayerFigure | None

    @property
    def drawn(self) -> dict[str, Any]:
        """What the script reads, by figure; empty for one that is not there."""
        stepped = {"fits": self.fits, "histograms": self.histograms, "confusion": self.confusions}
        regression = {"residuals": self.residuals, "coefficients": self.coefficients}
        single = {**stepped, **regression, "layers": self.layers}
        charts = [chart for chart in (*self.sweeps, self.capacity) if chart is not None]
        return {
            "sweeps": {chart.id: chart.drawn for chart in charts},
            **{name: {} if figure is None else figure.drawn for name, figure in single.items()},
        }


def figures(run: RunRecord, assessment: Assessment, extras: Extras) -> Figures:
    """Lay out every figure that a run and what was gathered for it give."""
    labels = [level.level for level in assessment.levels]
    return Figures(
        sweeps=sweeps(run, assessment),
        capacity=capacity(extras.parameters, assessment),
        fits=fitted(extras.fits, extras.fit_rows, labels),
        histograms=histogram_figure(extras.histograms, labels),
        confusions=confusion_figure(extras.confusions, labels, run.facts.get("classes", ())),
        residuals=residuals(extras.predicted, labels),
        coefficients=coefficients(extras.coefficients, labels),
        landscape=landscape_section(extras.landscape),
        layers=layer_figure(run, labels),
    )
