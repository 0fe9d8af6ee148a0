// What was measured of every hidden layer: the layers across, a thin line after the first epoch, a wide one after the last.
function layerSeries(data, own, positive, palette) {
  const stroke = strokeOf(data.levels[own.level], palette);
  const usable = (points) => points.map(([at, value]) => [at, positive && !(value > 0) ? null : value]);
  const line = (points, side, style) => ({
    type: "line", name: `${data.levels[own.level].label}, ${side}`, data: usable(points), z: style.width > 1 ? 3 : 2,
    symbol: "circle", symbolSize: style.width > 1 ? 5 : 3, showSymbol: true, connectNulls: false,
    lineStyle: { ...stroke, ...style }, itemStyle: { color: stroke.color, opacity: style.opacity }, emphasis: { disabled: true },
  });
  const wide = { width: 2, opacity: 1 };
  if (!own.last.length) return [line(own.first, "before training", wide)];
  return [line(own.first, "first epoch", { width: 1, opacity: 0.55 }), line(own.last, "last epoch", wide)];
}

function layerOption(data, view, chosen, log, palette) {
  const points = chosen.flatMap((own) => [...own.first, ...own.last]);
  const values = points.map((point) => point[1]).filter((value) => value !== null);
  const span = values.length ? spanOf(values) : { low: 0, high: 1, lines: [0, 1] };
  const up = log ? logAxis(span) : linearAxis(span);
  const last = points.reduce((most, point) => Math.max(most, point[0]), 1);
  const words = (hit) => tipLines(hit.seriesName, [`layer ${hit.value[0]}: ${shown(hit.value[1])}`]);
  return plainOption(palette,
    namedAxis("Hidden layer", palette, { type: "value", min: 1, max: last, minInterval: 1, nameGap: 30, splitLine: { show: false } }),
    namedAxis(view.title, palette, { ...up, nameGap: 52 }),
    chosen.flatMap((own) => layerSeries(data, own, up.type === "log", palette)), { trigger: "item", formatter: words });
}
