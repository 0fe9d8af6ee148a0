// Scores against numbers: the levels of a factor, or the sizes of networks. Options as pure functions.
const SYMBOLS = ["circle", "rect", "triangle", "diamond"];

const lineColor = (line, palette) => palette.levels[line % palette.levels.length];

function axisText(palette) {
  return { color: palette.text, fontFamily: FONT };
}

function namedAxis(name, palette, extra) {
  return { name, nameLocation: "middle", nameTextStyle: axisText(palette), axisLine: { show: false }, axisTick: { show: false },
    axisLabel: { ...axisText(palette), formatter: tick }, splitLine: { lineStyle: { color: palette.line } }, ...extra };
}

// Joined are points on the scale; what stands apart from it stands alone.
function pointData(series, positive) {
  const usable = (point) => point.mean !== null && (!positive || point.mean > 0);
  const row = (point) => ({ value: [point.at, usable(point) ? point.mean : null], point });
  return series.points.flatMap((point, k) => {
    const next = series.points[k + 1];
    return point.apart && next ? [row(point), { value: [point.at, null] }] : [row(point)];
  });
}

function whisker(points, color, axis, width) {
  const floor = axis.type === "log" ? axis.min : -Infinity;
  const rows = points.filter((point) => point.low !== null && point.high > floor);
  return {
    type: "custom", silent: true, clip: true, z: 2, data: rows.map((point) => [point.at, point.mean]), tooltip: { show: false },
    renderItem: (params, api) => {
      const { at, low, high } = rows[params.dataIndex];
      const [x, top] = api.coord([at, high]);
      const [, bottom] = api.coord([at, Math.max(low, floor)]);
      const line = (x1, y1, x2, y2) => ({ type: "line", shape: { x1, y1, x2, y2 }, style: { stroke: color, lineWidth: width } });
      return { type: "group", children: [line(x, top, x, bottom), line(x - 4, top, x + 4, top), line(x - 4, bottom, x + 4, bottom)] };
    },
  };
}

function sweepSeries(view, axis, palette) {
  return view.series.flatMap((series) => {
    const color = lineColor(series.line, palette);
    return [
      whisker(series.points, color, axis, series.dashed ? 1.2 : 1.8),
      { type: "line", data: pointData(series, axis.type === "log"), z: 3, symbolSize: 8, showSymbol: true, connectNulls: false,
        symbol: SYMBOLS[Math.floor(series.line / palette.levels.length) % SYMBOLS.length],
        lineStyle: { color, width: 2, type: series.dashed ? [7, 4] : "solid" },
        itemStyle: { color: series.dashed ? palette.ground : color, borderColor: color, borderWidth: 2 }, emphasis: { disabled: true } },
    ];
  });
}

function sweepTip(figure, view, palette) {
  return (hits) => {
    const box = document.createElement("div");
    const points = view.series.flatMap((series) =>
      series.points.filter((point) => Math.abs(point.at - hits[0].value[0]) < 1e-9).map((point) => ({ series, point })));
    const words = figure.ticks.find(([at]) => Math.abs(at - hits[0].value[0]) < 1e-9)?.[1] ?? "";
    box.append(cell("div", `${figure.name}: ${words}`, "tip-title"));
    points.filter(({ point }) => point.mean !== null).forEach(({ series, point }) => {
      const row = cell("div", "", "tip-row");
      const swatch = cell("i", "");
      swatch.style.background = lineColor(series.line, palette);
      const interval = point.low === null ? "" : ` [${shown(point.low)}, ${shown(point.high)}]`;
      row.append(swatch, cell("span", [series.side, point.level].filter(Boolean).join(", ")), cell("b", shown(point.mean)), cell("span", interval));
      box.append(row);
    });
    return box;
  };
}

function sweepSpan(view) {
  const points = view.series.flatMap((series) => series.points).filter((point) => point.mean !== null);
  if (!points.length) return null;
  const lines = points.map((point) => point.mean);
  const [bottom, top] = [Math.min(...lines), Math.max(...lines)];
  const reach = top - bottom || Math.abs(top) || 1;
  const bounds = points.flatMap((point) => [point.low, point.high]).filter((v) => v !== null && v > bottom - reach && v < top + reach);
  return { low: Math.min(bottom, ...bounds), high: Math.max(top, ...bounds), lines };
}

function sweepOption(figure, view, span, log, palette) {
  const axis = log ? logAxis(span) : linearAxis(span, view.share ? [0, 1] : [-Infinity, Infinity]);
  const places = figure.ticks.map(([at]) => at);
  const [low, high] = [Math.min(...places), Math.max(...places)];
  const pad = 0.06 * (high - low || 1);
  const words = (value) => figure.ticks.find(([at]) => Math.abs(at - value) < 1e-6)?.[1] ?? "";
  return {
    animation: false, textStyle: { fontFamily: FONT },
    grid: { left: 66, right: 18, top: 12, bottom: 48 },
    xAxis: namedAxis(figure.name, palette, { type: "value", min: low - pad, max: high + pad, nameGap: 30, splitLine: { show: false },
      axisLine: { show: true, onZero: false, lineStyle: { color: palette.line } },
      axisTick: { show: true, customValues: places, lineStyle: { color: palette.text } },
      axisLabel: { ...axisText(palette), customValues: places, hideOverlap: true, formatter: words } }),
    yAxis: namedAxis(view.title, palette, { ...axis, nameGap: 48 }),
    tooltip: { trigger: "axis", confine: true, formatter: sweepTip(figure, view, palette),
      backgroundColor: palette.ground, borderColor: palette.line, textStyle: { color: palette.ink, fontFamily: FONT },
      axisPointer: { lineStyle: { color: palette.text } } },
    series: sweepSeries(view, axis, palette),
  };
}
