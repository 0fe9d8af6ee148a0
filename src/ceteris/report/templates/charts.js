// What every chart of the page shares: numbers, colours, and ECharts options as pure functions.
const PALETTES = {
  light: {
    levels: ["#2d47b5", "#bf7c21", "#2ca38d", "#864165", "#9576d2", "#651906"],
    text: "#5b6270", line: "#dfe2e8", ground: "#ffffff", ink: "#1b1f27",
  },
  dark: {
    levels: ["#5b7cf0", "#efbf16", "#6fe3c3", "#bd5f83", "#c3aef0", "#e2703a"],
    text: "#9aa3b2", line: "#2b313b", ground: "#16191f", ink: "#e8eaee",
  },
};
const DASHES = ["solid", [7, 4], [2, 3], [10, 3, 2, 3]];
const WIDE = 640; // pixels from which an interval has room for words at its sides
const MOST_NAME = 260; // pixels of a name beside an interval
const FONT = getComputedStyle(document.documentElement).getPropertyValue("--font");

function shown(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e5 || size < 1e-3)) return value.toExponential(2).replace("-", "−");
  return String(Number(value.toPrecision(4))).replace("-", "−");
}

function tick(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e5 || size < 1e-4)) return value.toExponential(0).replace("-", "−");
  return String(Number(value.toPrecision(3))).replace("-", "−");
}

function strokeOf(level, palette) {
  return {
    color: palette.levels[level.color % palette.levels.length],
    type: DASHES[level.dash % DASHES.length],
  };
}

// Lowest and highest number to be seen in charts that share an axis, or null where there is nothing to see.
// Means and single seeds decide; a band widens the view by at most its own height.
function extent(data, metrics, view) {
  const known = (lists) => lists.flat(2).filter((value) => value !== null);
  const seen = (side) => metrics.map((metric) => view.visible.map((i) => data.curves[metric][side]?.[i] ?? []));
  const seeds = view.single ? metrics.map((metric) => view.visible.flatMap((i) => data.seeds[metric]?.[i] ?? [])) : [];
  const lines = known([...seen("mean"), ...seeds]);
  if (!lines.length) return null;
  const bottom = lines.reduce((a, b) => Math.min(a, b));
  const top = lines.reduce((a, b) => Math.max(a, b));
  const reach = top - bottom || Math.abs(top) || 1;
  const bounds = known([...seen("low"), ...seen("high")]).filter((v) => v > bottom - reach && v < top + reach);
  return {
    low: bounds.reduce((a, b) => Math.min(a, b), bottom), high: bounds.reduce((a, b) => Math.max(a, b), top), lines,
  };
}

function niceStep(range) {
  const power = 10 ** Math.floor(Math.log10(range));
  return [0.2, 0.25, 0.5, 1, 2, 2.5, 5, 10].map((k) => k * power).find((step) => range / step <= 5) ?? 10 * power;
}

function linearAxis(span, [least, most] = [-Infinity, Infinity]) {
  const range = span.high - span.low || Math.abs(span.high) || 1;
  const step = niceStep(range);
  const floor = Math.floor((span.low - 0.02 * range) / step) * step;
  const low = Math.max(span.low >= 0 ? 0 : least, floor);
  const high = Math.min(most, Math.ceil((span.high + 0.02 * range) / step) * step);
  return { type: "value", min: low, max: high, interval: step };
}

function logAxis(span) {
  const positive = span.lines.filter((v) => v > 0);
  if (!positive.length) return linearAxis(span);
  const low = positive.reduce((a, b) => Math.min(a, b));
  const high = span.high;
  const base = high / low > 100 ? 10 : 2;
  const power = (value, round) => base ** round(Math.log(value) / Math.log(base) + (round === Math.ceil ? -1e-9 : 1e-9));
  return { type: "log", logBase: base, min: power(low, Math.floor), max: power(high, Math.ceil) };
}

function bandSeries(curve, index, epochs, stroke, axis, opacity) {
  const floor = axis.type === "log" ? axis.min : -Infinity;
  const rows = epochs
    .map((epoch, k) => [epoch, curve.low[index][k], curve.high[index][k]])
    .filter((row) => row[1] !== null && row[2] !== null && row[2] > floor)
    .map(([epoch, low, high]) => [epoch, Math.max(low, floor), high]);
  const shape = (api) => {
    const upper = rows.map((row) => api.coord([row[0], row[2]]));
    const lower = rows.map((row) => api.coord([row[0], row[1]])).reverse();
    if (rows.length === 1) {
      const [[x, y1], [, y2]] = [upper[0], lower[0]];
      return { type: "line", shape: { x1: x, y1, x2: x, y2 }, style: { stroke: stroke.color, lineWidth: 6, opacity: 0.3 } };
    }
    return { type: "polygon", shape: { points: [...upper, ...lower] }, style: { fill: stroke.color, opacity } };
  };
  return {
    type: "custom", name: `band ${index}`, data: rows.slice(0, 1), silent: true, clip: true, z: 1,
    renderItem: (params, api) => shape(api),
  };
}

function lineSeries(values, epochs, style, extra) {
  return {
    type: "line", data: epochs.map((epoch, k) => [epoch, values[k]]), symbol: "circle", symbolSize: 7,
    showSymbol: values.filter((v) => v !== null).length === 1, connectNulls: false, lineStyle: style,
    itemStyle: { color: style.color }, emphasis: { disabled: true }, ...extra,
  };
}

// A curve of one epoch is a point: levels then stand side by side instead of on top of each other.
function curveSeries(data, metric, visible, palette, axis, single) {
  const curve = data.curves[metric];
  const positive = (values) => (axis.type === "log" ? values.map((v) => (v > 0 ? v : null)) : values);
  return visible.flatMap((i) => {
    const stroke = strokeOf(data.levels[i], palette);
    const shift = data.epochs.length === 1 ? (visible.indexOf(i) - (visible.length - 1) / 2) / (1.3 * visible.length) : 0;
    const [epochs, seedEpochs] = [data.epochs, data.seed_epochs].map((ticks) => ticks.map((epoch) => epoch + shift));
    const seeds = single ? data.seeds[metric]?.[i] ?? [] : [];
    return [
      ...(curve.low ? [bandSeries(curve, i, epochs, stroke, axis, Math.min(0.16, 1.3 / visible.length))] : []),
      ...seeds.map((values, k) =>
        lineSeries(positive(values), seedEpochs, { ...stroke, width: 0.8, opacity: 0.45 },
          { name: `seed ${i} ${k}`, silent: true, z: 2, tooltip: { show: false } })),
      lineSeries(positive(curve.mean[i]), epochs, { ...stroke, width: 2 }, { name: `level ${i}`, z: 3 }),
    ];
  });
}

function cell(tag, text, className) {
  const node = document.createElement(tag);
  node.textContent = text;
  if (className) node.className = className;
  return node;
}

// Labels come from the user: they enter the tooltip as text, never as markup.
function tooltipOf(data, metric, visible, palette) {
  return (hits) => {
    const epoch = Math.round(hits[0].value[0]);
    const k = data.epochs.indexOf(epoch);
    const curve = data.curves[metric];
    const box = document.createElement("div");
    box.append(cell("div", `Epoch ${epoch}`, "tip-title"));
    visible.filter((i) => k >= 0 && curve.mean[i][k] !== null).forEach((i) => {
      const row = cell("div", "", "tip-row");
      const swatch = cell("i", "");
      swatch.style.background = strokeOf(data.levels[i], palette).color;
      const interval = curve.low && curve.low[i][k] !== null
        ? ` [${shown(curve.low[i][k])}, ${shown(curve.high[i][k])}]` : "";
      row.append(swatch, cell("span", data.levels[i].label), cell("b", shown(curve.mean[i][k])), cell("span", interval));
      box.append(row);
    });
    return box;
  };
}

function xAxis(epochs, palette) {
  const last = epochs[epochs.length - 1] ?? 1;
  const first = epochs[0] ?? 1;
  return {
    type: "value", min: first === last ? first - 1 : first, max: first === last ? last + 1 : last, minInterval: 1,
    splitLine: { show: false }, axisLine: { lineStyle: { color: palette.line } }, axisTick: { show: false },
    axisLabel: { color: palette.text, fontFamily: FONT, showMaxLabel: true, hideOverlap: true,
      formatter: (v) => (v === last ? `epoch ${v}` : Number.isInteger(v) && v >= first && v < last ? String(v) : ""),
      alignMaxLabel: "right" },
  };
}

function curveOption(data, metric, span, view, palette) {
  const axis = view.log ? logAxis(span) : linearAxis(span, metric.endsWith("_accuracy") ? [0, 1] : [-Infinity, Infinity]);
  return {
    animation: false, textStyle: { fontFamily: FONT },
    grid: { left: 52, right: 14, top: 12, bottom: 28 },
    xAxis: xAxis(data.epochs, palette),
    yAxis: { ...axis, axisLine: { show: false }, axisTick: { show: false },
      axisLabel: { color: palette.text, fontFamily: FONT, formatter: tick },
      splitLine: { lineStyle: { color: palette.line } } },
    tooltip: { trigger: "axis", confine: true, formatter: tooltipOf(data, metric, view.visible, palette),
      backgroundColor: palette.ground, borderColor: palette.line, textStyle: { color: palette.ink, fontFamily: FONT },
      axisPointer: { lineStyle: { color: palette.text } } },
    series: curveSeries(data, metric, view.visible, palette, axis, view.single),
  };
}

// Names stand at the left and numbers at the right of the intervals; above them where the page is narrow.
// How much room the longest words take at either side (about 7.2 pixels a character, CJK twice that).
function sides(data, rows) {
  const room = (text) => 7.2 * [...text].reduce((sum, c) => sum + (c.codePointAt(0) > 0x2e80 ? 2 : 1), 0) + 22;
  const longest = (texts) => Math.min(MOST_NAME, Math.max(...texts.map(room)));
  return { left: longest(rows.map((row) => row.name)), right: longest(rows.map((row) => row.text)) };
}

// Names stand beside the intervals where there is room for the longest, else above them.
function namesBeside(data, rows, width) {
  const side = sides(data, rows);
  return width >= WIDE && side.left < MOST_NAME && side.left + side.right < 0.6 * width;
}

function effectShape(row, level, palette, width, side, wide) {
  return (params, api) => {
    const [x, y] = api.coord([row.effect, params.dataIndex]);
    const { color } = strokeOf(level, palette);
    const label = (text, left, align, fill, most) => ({
      type: "text", silent: true,
      style: { text, x: left, y: wide ? y : y - 10, align, verticalAlign: wide ? "middle" : "bottom", fill,
        font: `13px ${FONT}`, width: most, overflow: "truncate" },
    });
    const bar = row.low === null ? [] : [row.low, row.high].map((v) => api.coord([v, params.dataIndex])[0]);
    const clear = row.low !== null && (row.low > 0 || row.high < 0);
    return { type: "group", children: [
      label(row.name, 2, "left", palette.ink, wide ? side.left - 16 : width - side.right - 8),
      label(row.text, width - 2, "right", palette.text, side.right),
      ...(bar.length ? [{ type: "line", shape: { x1: bar[0], y1: y, x2: bar[1], y2: y },
        style: { stroke: color, lineWidth: 3, lineCap: "round" } }] : []),
      { type: "circle", shape: { cx: x, cy: y, r: 5 }, style: { fill: clear ? color : palette.ground, stroke: color, lineWidth: 2.5 } },
    ] };
  };
}

function effectOption(data, rows, palette, width) {
  const bounds = rows.flatMap((row) => [row.effect, row.low, row.high]).filter((v) => v !== null);
  const [low, high] = [Math.min(0, ...bounds), Math.max(0, ...bounds)];
  const pad = 0.06 * (high - low || 1);
  const side = sides(data, rows);
  const wide = namesBeside(data, rows, width);
  const beside = wide ? side : { left: 10, right: 10 };
  return {
    animation: false, textStyle: { fontFamily: FONT },
    grid: { ...beside, top: 4, bottom: 26 },
    xAxis: { type: "value", min: low - pad, max: high + pad, splitNumber: 4, position: "bottom",
      axisLine: { show: false }, axisTick: { show: false },
      axisLabel: { color: palette.text, fontFamily: FONT, formatter: tick, showMinLabel: false, showMaxLabel: false },
      splitLine: { showMinLine: false, showMaxLine: false, lineStyle: { color: palette.line } } },
    yAxis: { type: "value", min: -0.7, max: rows.length - 0.5, inverse: true, show: false },
    series: [
      { type: "line", data: [[0, -0.7], [0, rows.length - 0.5]], symbol: "none", silent: true,
        lineStyle: { color: palette.text, width: 1.2 }, z: 1 },
      { type: "custom", name: "effects", z: 3, silent: true, clip: false, data: rows.map((row, k) => [row.effect, k]),
        renderItem: (params, api) => {
          const row = rows[params.dataIndex];
          return effectShape(row, data.levels[row.level], palette, width, side, wide)(params, api);
        } },
    ],
  };
}
