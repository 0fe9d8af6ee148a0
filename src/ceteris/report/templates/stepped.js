// Figures that are stepped through by epoch: fitted curves, histograms, confusion counts.

// What is known at an epoch: the newest that is not later.
const newest = (steps, epoch) => steps.filter((step) => step.epoch <= epoch).at(-1);

// The view stays the same for all epochs, so that a step shows what moved; wild curves widen it only so far.
function fitSpan(fits) {
  const curves = fits.levels.flatMap((own) => own.seeds.flatMap((seed) => seed.curves.flatMap((curve) => curve.points)));
  const across = spanOf([...fits.rows, ...curves].map((point) => point[0]));
  const base = spanOf((fits.rows.length ? fits.rows : curves).map((point) => point[1]));
  const reach = base.high - base.low || Math.abs(base.high) || 1;
  const seen = curves.map((point) => point[1]).filter((v) => v !== null && v > base.low - reach / 2 && v < base.high + reach / 2);
  return { across, up: spanOf([base.low, base.high, ...seen]) };
}

function fitOption(data, chosen, epoch, palette) {
  const span = fitSpan(data.fits);
  const [across, up] = [linearAxis(span.across), linearAxis(span.up)];
  const lines = chosen.flatMap((own) => own.seeds.map((seed, k) => {
    const stroke = strokeOf(data.levels[own.level], palette);
    return { type: "line", name: `${data.levels[own.level].label}, seed ${seed.seed}`, data: newest(seed.curves, epoch)?.points ?? [], symbol: "none",
      lineStyle: { ...stroke, width: k === 0 ? 2 : 0.9, opacity: k === 0 ? 1 : 0.6 }, clip: true, z: k === 0 ? 4 : 3, emphasis: { disabled: true } };
  }));
  const rows = dotSeries(data.fits.rows, palette.text, { z: 2, silent: true, tooltip: { show: false }, name: "rows" });
  const tip = (hits) => tipLines(`input ${shown(hits[0].value[0])}`,
    hits.filter((hit) => hit.seriesName !== "rows").slice(0, 12).map((hit) => `${hit.seriesName}: ${shown(hit.value[1])}`));
  return plainOption(palette, namedAxis("Input", palette, { ...across, nameGap: 30, splitLine: { show: false } }),
    namedAxis("Target and prediction", palette, { ...up, nameGap: 48 }), [rows, ...lines], { trigger: "axis", formatter: tip });
}

function outlineOf(step, floor) {
  const width = (step.high - step.low) / step.shares.length;
  const heights = step.shares.map((share) => Math.max(share / width, floor));
  return [[step.low, floor], ...heights.flatMap((height, k) => [[step.low + k * width, height], [step.low + (k + 1) * width, height]]), [step.high, floor]];
}

function histogramOption(data, chosen, epoch, log, palette) {
  const steps = chosen.map((own) => ({ level: data.levels[own.level], step: newest(own.steps, epoch) })).filter(({ step }) => step);
  const heights = steps.flatMap(({ step }) => step.shares.filter((share) => share > 0).map((share) => (share * step.shares.length) / (step.high - step.low)));
  const up = log ? logAxis(spanOf(heights)) : linearAxis(spanOf([0, ...heights]));
  const across = linearAxis(spanOf(steps.flatMap(({ step }) => [step.low, step.high])));
  const series = steps.map(({ level, step }) => {
    const stroke = strokeOf(level, palette);
    return { type: "line", name: level.label, data: outlineOf(step, log ? up.min : 0), symbol: "none", clip: true, silent: true,
      lineStyle: { ...stroke, width: 1.6 }, emphasis: { disabled: true } };
  });
  return plainOption(palette, namedAxis("Value", palette, { ...across, nameGap: 30, splitLine: { show: false } }),
    namedAxis("Share per unit of length", palette, { ...up, nameGap: 48 }), series, { show: false });
}

const shareText = (share) => (share === 0 ? "" : share < 0.01 ? "<1" : String(Math.round(100 * share)));

function fillConfusion(table, counts) {
  [...table.tBodies[0].rows].forEach((row, i) => {
    const total = Math.max(counts[i].reduce((a, b) => a + b, 0), 1);
    [...row.querySelectorAll("td")].forEach((box, k) => {
      const share = counts[i][k] / total;
      box.textContent = shareText(share);
      box.style.setProperty("--share", share.toFixed(3));
      box.classList.toggle("full", share > 0.6);
    });
  });
}

// A slider with a button that plays it; `redraw` is told after every step.
const STEP_MS = 500;
function stepThrough(box, epochs, redraw) {
  const slider = box.querySelector("input");
  const button = box.querySelector("button");
  const told = box.querySelector("output");
  let timer = null;
  const show = () => {
    told.textContent = String(epochs[slider.value]);
    slider.setAttribute("aria-valuetext", told.textContent);
    redraw();
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
    button.textContent = "Play";
  };
  const forward = () => {
    slider.value = String(Number(slider.value) + 1);
    show();
    if (slider.value === slider.max) stop();
  };
  slider.addEventListener("input", () => { stop(); show(); });
  button.addEventListener("click", () => {
    if (timer !== null) { stop(); return; }
    if (slider.value === slider.max) { slider.value = "0"; show(); }
    button.textContent = "Pause";
    timer = setInterval(forward, STEP_MS);
  });
}
