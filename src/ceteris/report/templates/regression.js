// Residuals, coefficients and fitted curves, each a list of levels with their numbers.
function plainOption(palette, xAxis, yAxis, series, tip) {
  return {
    animation: false, textStyle: { fontFamily: FONT }, grid: { left: 66, right: 18, top: 12, bottom: 48 },
    xAxis, yAxis, series,
    tooltip: { ...tip, confine: true, backgroundColor: palette.ground, borderColor: palette.line,
      textStyle: { color: palette.ink, fontFamily: FONT } },
  };
}

function spanOf(values) {
  const known = values.filter((v) => v !== null);
  return { low: known.reduce((a, b) => Math.min(a, b)), high: known.reduce((a, b) => Math.max(a, b)), lines: known };
}

const dotSeries = (points, color, extra) => ({
  type: "line", data: points, symbol: "circle", symbolSize: 5, showSymbol: true, showAllSymbol: true, lineStyle: { width: 0, opacity: 0 },
  itemStyle: { color, opacity: 0.55 }, emphasis: { disabled: true }, ...extra,
});

function tipLines(title, rows) {
  const box = document.createElement("div");
  box.append(cell("div", title, "tip-title"), ...rows.map((row) => cell("div", row)));
  return box;
}

function residualOption(data, chosen, palette) {
  const points = chosen.flatMap((own) => own.points);
  const [across, up] = [0, 1].map((k) => linearAxis(spanOf(points.map((point) => point[k]))));
  const zero = { type: "line", data: [[across.min, 0], [across.max, 0]], symbol: "none", silent: true, z: 1,
    lineStyle: { color: palette.text, width: 1.2 }, tooltip: { show: false } };
  const series = chosen.map((own) => dotSeries(own.points, strokeOf(data.levels[own.level], palette).color,
    { name: data.levels[own.level].label, z: 2 }));
  return plainOption(palette, namedAxis("Prediction", palette, { ...across, nameGap: 30 }),
    namedAxis("Residual (target − prediction)", palette, { ...up, nameGap: 48 }), [zero, ...series],
    { trigger: "item", formatter: (hit) => tipLines(hit.seriesName, [`prediction ${shown(hit.value[0])}`, `residual ${shown(hit.value[1])}`]) });
}

// Levels stand side by side at each coefficient; the true value is a bar across.
function coefficientShape(data, own, shift, slot, palette) {
  const { color } = strokeOf(data.levels[own.level], palette);
  return (params, api) => {
    const [place, truth, mean, low, high] = own.points[params.dataIndex];
    const [x, middle] = api.coord([place + shift, mean]);
    const half = Math.max(0.5 * (api.coord([place + slot, 0])[0] - api.coord([place, 0])[0]), 1.5);
    const [top, bottom, level] = [high, low, truth].map((v) => api.coord([place, v])[1]);
    return { type: "group", children: [
      { type: "line", shape: { x1: x - half, y1: level, x2: x + half, y2: level }, style: { stroke: palette.ink, lineWidth: 1.6 } },
      { type: "line", shape: { x1: x, y1: top, x2: x, y2: bottom }, style: { stroke: color, lineWidth: 1.6 } },
      { type: "circle", shape: { cx: x, cy: middle, r: Math.min(4.5, half + 0.5) }, style: { fill: color } },
    ] };
  };
}

function coefficientOption(data, chosen, palette) {
  const { names } = data.coefficients;
  const up = linearAxis(spanOf(chosen.flatMap((own) => own.points.flatMap((point) => point.slice(1)))));
  const slot = 0.8 / chosen.length;
  const series = chosen.map((own, k) => ({
    type: "custom", name: data.levels[own.level].label, clip: true, z: 2,
    data: own.points.map((point) => [point[0], point[2]]),
    renderItem: coefficientShape(data, own, (k - (chosen.length - 1) / 2) * slot, slot, palette),
  }));
  const words = (hit) => {
    const [place, truth, mean, low, high] = chosen.find((own) => data.levels[own.level].label === hit.seriesName).points[hit.dataIndex];
    const spread = low === high ? "" : ` (${shown(low)} to ${shown(high)})`;
    return tipLines(`${names[place]}, ${hit.seriesName}`, [`learned ${shown(mean)}${spread}`, `true ${shown(truth)}`]);
  };
  const name = (value) => names[value] ?? "";
  return plainOption(palette,
    namedAxis("Coefficient", palette, { type: "value", min: -0.6, max: names.length - 0.4, minInterval: 1, nameGap: 30,
      splitLine: { show: false }, axisLabel: { ...axisText(palette), formatter: name, hideOverlap: true,
        ...(names.length <= 40 ? { customValues: names.map((_, k) => k) } : {}) } }),
    namedAxis("Value", palette, { ...up, nameGap: 48 }), series, { trigger: "item", formatter: words });
}
