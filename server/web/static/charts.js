// Draws each `[data-chart]` with uPlot: the line, the fields beyond the limits, and where an alert was raised.
// Whoever has no script, or no use for a picture, has the table below it.
"use strict";
(() => {
  const drawn = new Map(); // id of the figure -> the drawing and what it was drawn from
  const tones = { critical: "danger", high: "danger", medium: "warning", low: "info" };
  const DAY_S = 86400;
  const DAYS = [1, 2, 3, 7].map((n) => n * DAY_S);
  const HOURS = [1 / 60, 1 / 6, 1, 3, 6, 12].map((n) => n * 3600);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  function colour(name) { return getComputedStyle(document.body).getPropertyValue(name).trim(); }
  function tone(priority) { return colour(`--tone-${tones[priority]}`); }

  function draw(box) {
    const figure = box.closest("figure");
    figure.classList.add("drawn");
    box.hidden = false;
    const old = drawn.get(figure.id);
    const key = box.dataset.chart + box.clientWidth + dark.matches;
    if (old && old.key === key && box.contains(old.plot.root)) return;
    old?.plot.destroy();
    box.replaceChildren();
    const data = widened(JSON.parse(box.dataset.chart));
    const plot = new window.uPlot(options(box, data), [data.times, data.values], box);
    drawn.set(figure.id, { key, plot });
  }

  function options(box, data) {
    const language = box.dataset.language === "en" ? "en-GB" : "nb-NO";
    const number = new Intl.NumberFormat(language, { minimumFractionDigits: 0, maximumFractionDigits: data.decimals });
    const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", timeZone: box.dataset.zone });
    const hour = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", timeZone: box.dataset.zone });
    const ink = colour("--ds-color-neutral-text-subtle");
    const grid = { stroke: colour("--ds-color-neutral-border-subtle"), width: 1 };
    const axis = { stroke: ink, grid, ticks: { show: false }, font: "13px Inter, system-ui, sans-serif" };
    const days = data.times.at(-1) - data.times[0] > 2 * DAY_S; // hours on a line of many days would say nothing
    return {
      width: box.clientWidth,
      height: box.clientHeight,
      padding: [12, 18, 0, 0], // room on the right, or the last point is cut
      cursor: { show: false },
      legend: { show: false },
      tzDate: (at) => window.uPlot.tzDate(new Date(at * 1000), box.dataset.zone),
      scales: { x: { time: true, range: (_, from, to) => width(from, to, data) }, y: { range: (_, low, high) => height(low, high, data) } },
      axes: [
        { ...axis, size: 32, space: 64, incrs: days ? DAYS : HOURS, values: (_, splits) => splits.map((at) => (days ? day : hour).format(at * 1000)) },
        { ...axis, size: 46, incrs: steps(data.decimals), values: (_, splits) => splits.map((value) => number.format(value)) },
      ],
      series: [{}, {
        stroke: colour("--ds-color-accent-base-default"), width: 2, spanGaps: true,
        points: { show: true, size: 6, fill: colour("--ds-color-accent-base-default") },
      }],
      hooks: { drawAxes: [(plot) => fields(plot, data)], draw: [(plot) => marks(plot, data), (plot) => crosses(plot, data)] },
    };
  }

  // A single value would sit on the edge: give it an hour on either side.
  function widened(data) {
    if (data.times.length !== 1) return data;
    const at = data.times[0];
    return { ...data, times: [at - 3600, at, at + 3600], values: [null, data.values[0], null] };
  }

  function steps(decimals) { return [1, 2, 5, 10, 20, 50, 100, 200].map((step) => step / 10 ** decimals); }

  function width(from, to, data) {
    const held = data.held.map((point) => point.time);
    return [Math.min(from, ...held), Math.max(to, ...held)];
  }

  function height(low, high, data) {
    const limits = data.limits.map((limit) => limit.value);
    const near = limits.filter((value) => value > low - (high - low + 10) && value < high + (high - low + 10));
    const seen = [...near, ...data.held.map((point) => point.value), ...(data.baseline === null ? [] : [data.baseline])];
    const bottom = Math.min(low, ...seen);
    const top = Math.max(high, ...seen);
    const room = Math.max((top - bottom) * 0.15, 10 ** -data.decimals);
    return [bottom - room, top + room];
  }

  function fields(plot, data) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const [from, to] of data.rests) {
      const left = plot.valToPos(from, "x", true);
      const right = to === null ? bbox.left + bbox.width : plot.valToPos(to, "x", true);
      ctx.globalAlpha = 0.16;
      ctx.fillStyle = colour("--ds-color-neutral-text-subtle");
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
      ctx.globalAlpha = 1;
    }
    if (data.baseline !== null) {
      const y = plot.valToPos(data.baseline, "y", true);
      ctx.strokeStyle = colour("--ds-color-neutral-text-subtle");
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    for (const limit of data.limits) {
      const y = plot.valToPos(limit.value, "y", true);
      const below = limit.side === "below";
      ctx.globalAlpha = 0.13;
      ctx.fillStyle = tone(limit.priority);
      ctx.fillRect(bbox.left, below ? y : bbox.top, bbox.width, below ? bbox.top + bbox.height - y : y - bbox.top);
      ctx.globalAlpha = 1;
      ctx.strokeStyle = tone(limit.priority);
      ctx.lineWidth = 1.5 * devicePixelRatio;
      ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    ctx.restore();
  }

  // A value that nobody believes yet: a cross, and no line goes through it.
  function crosses(plot, data) {
    const { ctx } = plot;
    const arm = 5 * devicePixelRatio;
    ctx.save();
    ctx.lineWidth = 2 * devicePixelRatio;
    ctx.strokeStyle = colour("--tone-danger");
    for (const point of data.held) {
      const x = plot.valToPos(point.time, "x", true);
      const y = plot.valToPos(point.value, "y", true);
      ctx.beginPath();
      ctx.moveTo(x - arm, y - arm);
      ctx.lineTo(x + arm, y + arm);
      ctx.moveTo(x - arm, y + arm);
      ctx.lineTo(x + arm, y - arm);
      ctx.stroke();
    }
    ctx.restore();
  }

  // An alert: a ring around the value it was raised on.
  function marks(plot, data) {
    const { ctx } = plot;
    ctx.save();
    ctx.lineWidth = 2.5 * devicePixelRatio;
    for (const mark of data.marks) {
      const at = data.times.indexOf(mark.time);
      if (at < 0 || data.values[at] === null) continue;
      ctx.strokeStyle = tone(mark.priority);
      ctx.beginPath();
      ctx.arc(plot.valToPos(mark.time, "x", true), plot.valToPos(data.values[at], "y", true), 8 * devicePixelRatio, 0, 7);
      ctx.stroke();
    }
    ctx.restore();
  }

  function drawAll() { if (window.uPlot) document.querySelectorAll("[data-chart]").forEach(draw); }

  drawAll();
  document.addEventListener("varde:shown", drawAll);
  document.fonts?.ready.then(drawAll);
  dark.addEventListener("change", drawAll);
  let later;
  window.addEventListener("resize", () => { clearTimeout(later); later = setTimeout(drawAll, 150); });
})();
