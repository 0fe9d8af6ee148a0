// The page's state (which levels, which axis, which seeds) and its switches.
const data = JSON.parse(document.getElementById("data").textContent);
const dark = matchMedia("(prefers-color-scheme: dark)");
const all = (selector) => [...document.querySelectorAll(selector)];
const one = (selector) => document.querySelector(selector);
const hidden = new Set();
const charts = new Map();
let printing = false;

const palette = () => PALETTES[dark.matches && !printing ? "dark" : "light"];
const visibleLevels = () => data.levels.map((_, i) => i).filter((i) => !hidden.has(i));
const checked = (selector) => one(selector)?.checked ?? false;

function drawn(element) {
  if (!charts.has(element)) charts.set(element, echarts.init(element, null, { renderer: "svg" }));
  return charts.get(element);
}

function drawCurves(element, metrics, log) {
  const view = { visible: visibleLevels(), log, single: checked("#single-seeds") };
  const span = extent(data, metrics, view);
  const chart = drawn(element);
  element.classList.toggle("nothing", span === null);
  if (span === null) chart.clear();
  else chart.setOption(curveOption(data, element.dataset.metric, span, view, palette()), { notMerge: true });
}

function drawRow(row) {
  const elements = [...row.querySelectorAll(".chart")];
  const metrics = elements.map((element) => element.dataset.metric);
  elements.forEach((element) => drawCurves(element, metrics, row.dataset.kind === "loss" && checked("#log-loss")));
}

function drawFurther() {
  const element = one("#further-chart");
  if (!element) return;
  element.dataset.metric = one("#further-metric").value;
  drawCurves(element, [element.dataset.metric], checked("#log-further"));
}

function drawEffects() {
  const element = one("#effect-chart");
  if (!element) return;
  const metric = one("#effect-metric").value;
  all("[data-effects]").forEach((table) => { table.hidden = table.dataset.effects !== metric; });
  const rows = data.effects[metric].filter((row) => !hidden.has(row.level));
  element.style.height = `${rows.length * (namesBeside(data, rows, element.clientWidth) ? 36 : 52) + 34}px`;
  const chart = drawn(element);
  chart.resize();
  chart.setOption(effectOption(data, rows, palette(), element.clientWidth), { notMerge: true });
}

function drawSweep(element) {
  const id = element.dataset.sweep;
  const figure = data.sweeps[id];
  const select = one(`[data-view-for='${id}']`);
  const log = one(`[data-log-for='${id}']`);
  const view = figure.views[select.value];
  if (select.value !== element.dataset.metric) log.checked = view.log; // another score begins on its own axis
  element.dataset.metric = select.value;
  all(`[data-table-of='${id}']`).forEach((table) => { table.hidden = table.dataset.view !== select.value; });
  all(`[data-side-of='${id}']`).forEach((entry) => { entry.hidden = !view.series.some((series) => series.dashed); });
  const span = sweepSpan(view);
  const chart = drawn(element);
  element.classList.toggle("nothing", span === null);
  if (span === null) chart.clear();
  else chart.setOption(sweepOption(figure, view, span, log.checked, palette()), { notMerge: true });
}

// A chart of levels that the legend switches: drawn where something of it is switched on.
function drawLevels(selector, figure, option) {
  const element = one(selector);
  if (!element) return;
  const chosen = figure.filter((own) => !hidden.has(own.level));
  const chart = drawn(element);
  element.classList.toggle("nothing", !chosen.length);
  if (chosen.length) chart.setOption(option(chosen), { notMerge: true });
  else chart.clear();
}

function epochOf(name) {
  const slider = one(`[data-stepper='${name}'] input`);
  const { epochs } = data[name];
  return slider ? epochs[slider.value] : epochs.at(-1);
}

function drawFits() {
  drawLevels("#fit-plot", data.fits.levels, (chosen) => fitOption(data, chosen, epochOf("fits"), palette()));
}

// Shows the table of the view that is selected; a view that was not drawn before begins on its own axis.
function selectedView(kind, views, log) {
  const select = one(`#${kind}-view`);
  all(`[data-${kind}-table]`).forEach((table) => { table.hidden = table.dataset[`${kind}Table`] !== select.value; });
  const view = views[select.value];
  if (select.value !== select.dataset.drawn) log.checked = view.log;
  select.dataset.drawn = select.value;
  return view;
}

function drawLayers() {
  if (!one("#layer-view")) return;
  const log = one("#log-layers");
  const view = selectedView("layer", data.layers.views, log);
  drawLevels("#layer-plot", view.levels, (chosen) => layerOption(data, view, chosen, log.checked, palette()));
}

function drawHistograms() {
  if (!one("#histogram-view")) return;
  const log = one("#log-histogram");
  const view = selectedView("histogram", data.histograms.views, log);
  drawLevels("#histogram-plot", view.levels,
    (chosen) => histogramOption(data, chosen, epochOf("histograms"), log.checked, palette()));
}

function drawConfusion() {
  const table = one("#confusion-table");
  if (!table) return;
  const place = Number(one("#confusion-level")?.value ?? data.confusion.levels[0].level);
  const own = data.confusion.levels.find((level) => level.level === place);
  const step = newest(own.steps, epochOf("confusion"));
  table.hidden = !step; // a level that was not measured so early
  if (step) fillConfusion(table, step.counts);
}

function drawKeys() {
  const colors = palette();
  all("[data-key]").forEach((entry) => {
    const own = Number.isInteger(Number(entry.dataset.key));
    const line = entry.querySelector("line");
    line.setAttribute("stroke", own ? lineColor(Number(entry.dataset.key), colors) : colors.text);
    line.setAttribute("stroke-dasharray", entry.dataset.key === "dashed" ? "7 4" : "none");
  });
}

function drawLegend() {
  const colors = palette();
  all("[data-level]").forEach((button) => {
    const index = Number(button.dataset.level);
    const stroke = strokeOf(data.levels[index], colors);
    const line = button.querySelector("line");
    if (line) {
      line.setAttribute("stroke", stroke.color);
      line.setAttribute("stroke-dasharray", stroke.type === "solid" ? "none" : stroke.type.join(" "));
    }
    button.setAttribute("aria-pressed", String(!hidden.has(index)));
  });
}

function draw() {
  drawLegend();
  all(".row").forEach(drawRow);
  drawFurther();
  drawEffects();
  drawKeys();
  all("[data-sweep]").forEach(drawSweep);
  drawFits();
  drawLayers();
  drawHistograms();
  drawConfusion();
  drawLevels("#residual-plot", data.residuals.series, (chosen) => residualOption(data, chosen, palette()));
  drawLevels("#coefficient-plot", data.coefficients.levels, (chosen) => coefficientOption(data, chosen, palette()));
}

function toggle(level) {
  if (hidden.has(level)) hidden.delete(level);
  else hidden.add(level);
  draw();
}

function setAll(visible) {
  hidden.clear();
  if (!visible) data.levels.forEach((_, i) => hidden.add(i));
  draw();
}

function setPrinting(value) {
  printing = value;
  document.documentElement.classList.toggle("printing", value);
  charts.forEach((chart) => chart.resize());
  draw();
}

all("[data-level]").forEach((button) => button.addEventListener("click", () => toggle(Number(button.dataset.level))));
one("#show-all")?.addEventListener("click", () => setAll(true));
one("#show-none")?.addEventListener("click", () => setAll(false));
all(".switch input, .choice select").forEach((input) => input.addEventListener("change", draw));
Object.entries({ fits: drawFits, histograms: drawHistograms, confusion: drawConfusion }).forEach(([name, redraw]) => {
  const box = one(`[data-stepper='${name}']`);
  if (box) stepThrough(box, data[name].epochs, redraw);
});
dark.addEventListener("change", draw);
addEventListener("beforeprint", () => setPrinting(true));
addEventListener("afterprint", () => setPrinting(false));
let width = document.body.clientWidth;
new ResizeObserver(() => {
  if (document.body.clientWidth === width) return;
  width = document.body.clientWidth;
  charts.forEach((chart) => chart.resize());
  drawEffects();
}).observe(document.body);
draw();
