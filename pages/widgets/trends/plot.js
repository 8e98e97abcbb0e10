/* The chart: pens on one time axis, one value axis a unit, zoom and pan by mouse and keyboard.
 *
 * new Plot(box, {onRange(from, to, isFinal), onCursor(ms | null)}); show({pens, from, to, band, marks})
 * pen: {unit, stroke, dash, isStepped, isHidden, tag, trace, old}; a mark: {at, priority, words}.
 */
(() => {
  "use strict";
  const { zone, number, trendHistory } = Millwright;
  const MAX_AXES = 4, AXIS_PX = 56, WHEEL = 1.25, SETTLE_MS = 200;
  const FEW = 30;   // so few points are drawn as dots too, or one alone would not be seen

  class Plot {
    constructor(box, calls) {
      Object.assign(this, { box, calls, plot: null, shown: null, shape: "", isMoving: false });
      new ResizeObserver(() => this.resize()).observe(box);
      addEventListener("mw-theme", () => { this.shape = ""; if (this.shown) this.show(this.shown); });
    }

    show(shown) {
      this.shown = shown;
      const shape = JSON.stringify([shown.band, shown.pens.map((pen) => [pen.path, pen.unit, pen.stroke, pen.isHidden, !!pen.old, pen.trace.isThinned, pen.trace.times.length <= FEW])]);
      const data = this.data();
      if (shape !== this.shape || !this.plot) {
        this.shape = shape;
        this.plot?.destroy();
        this.plot = new uPlot(this.options(), data, this.box);
      } else {
        this.plot.setData(data, false);
      }
      if (!this.panFrom) this.plot.setScale("x", { min: shown.from / 1000, max: shown.to / 1000 });
    }
    clear() { this.plot?.destroy(); this.plot = null; this.shape = ""; this.shown = null; }
    resize() {
      const { clientWidth: width, clientHeight: height } = this.box;
      if (this.plot && width && height) this.plot.setSize({ width, height });
    }

    // --- what is drawn: for each pen its line, its band if thinned, its comparison
    lines() {
      const lines = [];
      for (const pen of this.shown.pens) {
        lines.push({ pen, trace: pen.trace, column: "values" });
        if (this.shown.band && pen.trace.isThinned) {
          lines.push({ pen, trace: pen.trace, column: "high", isEdge: true }, { pen, trace: pen.trace, column: "low", isEdge: true });
        }
        if (pen.old) lines.push({ pen, trace: pen.old, column: "values", isOld: true });
      }
      return lines;
    }
    data() {
      const tables = this.lines().map(({ trace, column }) => [trace.times, trace[column]]);
      // 2: a gap reaches over the times of the other pens, or uPlot would draw through it
      return tables.length ? uPlot.join(tables, tables.map(() => [0, 2])) : [[]];
    }
    options() {
      const style = getComputedStyle(this.box), colour = (name) => style.getPropertyValue(name).trim();
      const lines = this.lines(), units = [...new Set(this.shown.pens.map((pen) => pen.unit))];
      const stepped = uPlot.paths.stepped({ align: 1 });
      const series = lines.map(({ pen, isOld, isEdge }) => ({
        scale: pen.unit, stroke: isEdge ? "transparent" : colour(pen.stroke), width: isEdge ? 0 : isOld ? 1 : 1.5,
        dash: isOld ? [3, 4] : pen.dash, alpha: isOld ? 0.75 : 1, show: !pen.isHidden, spanGaps: false,
        paths: pen.isStepped ? stepped : undefined,
        points: { show: !isEdge && !isOld && pen.trace.times.length <= FEW, size: 4 },
      }));
      const bands = lines.flatMap(({ pen, column, isEdge }, i) => isEdge && column === "high"
        ? [{ series: [i + 1, i + 2], fill: `color-mix(in srgb, ${colour(pen.stroke)} 22%, transparent)` }] : []);
      const scales = { x: { time: true, auto: false } };
      for (const unit of units) scales[unit] = { auto: true, range: (u, low, high) => this.room(unit, low, high) };
      return {
        width: this.box.clientWidth, height: this.box.clientHeight, legend: { show: false }, scales, bands,
        series: [{}, ...series], axes: this.axes(units, colour),
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone.name()),
        cursor: { drag: { x: true, y: false, setScale: false }, points: { show: false }, y: false },
        hooks: {
          drawAxes: [(u) => this.drawLimits(u, colour)],
          draw: [(u) => this.drawQuality(u, colour), (u) => this.drawMarks(u, colour)],
          setCursor: [(u) => this.calls.onCursor(u.cursor.left >= 0 ? u.posToVal(u.cursor.left, "x") * 1000 : null)],
          setSelect: [(u) => this.selected(u)],
          ready: [(u) => this.listen(u)],
        },
      };
    }
    axes(units, colour) {
      const font = `12px ${colour("--font")}`;
      const axis = { stroke: colour("--ink-3"), font, labelFont: font, ticks: { stroke: colour("--line"), width: 1, size: 4 } };
      const grid = { stroke: colour("--track"), width: 1 };
      const isNarrow = this.box.clientWidth < 600;
      const shown = units.slice(0, isNarrow ? 2 : MAX_AXES);
      return [
        { ...axis, grid, space: 80, values: (u, splits, index, space, step) => splits.map((s) => zone.tick(s * 1000, step)) },
        ...shown.map((unit, i) => {
          const own = this.shown.pens.filter((pen) => pen.unit === unit);
          return { ...axis, scale: unit, space: 44, side: i % 2 ? 1 : 3, size: AXIS_PX, grid: i ? { show: false } : grid,
            label: isNarrow ? undefined : Millwright.unit(unit) || undefined, labelSize: 16, labelGap: 0,
            stroke: units.length > 1 && own.length === 1 ? colour(own[0].stroke) : axis.stroke,
            values: (u, splits) => splits.map((v) => number(v, digits(splits))) };
        }),
      ];
    }
    room(unit, low, high) {
      if (low === null || high === null) return [0, 1];
      let least = Math.max(Math.abs(low), Math.abs(high)) * 0.02 || 1;
      for (const { tag } of this.shown.pens.filter((pen) => pen.unit === unit)) {
        // at least a tenth of the normal band high, or noise looks like trouble
        if (tag?.normal_high > tag?.normal_low) least = Math.max(least, (tag.normal_high - tag.normal_low) * 0.1);
      }
      const span = Math.max(high - low, least) * 1.1, middle = (low + high) / 2;
      return [middle - span / 2, middle + span / 2];
    }

    // --- over and under the lines
    drawLimits(u, colour) {
      const visible = this.shown.pens.filter((pen) => !pen.isHidden);
      const tag = visible.length === 1 ? visible[0].tag : null;
      if (!tag) return;
      const pen = u.ctx, { left, top, width, height } = u.bbox;
      const y = (value) => Math.min(top + height, Math.max(top, u.valToPos(value, visible[0].unit, true)));
      pen.save();
      if (tag.normal_high > tag.normal_low) {
        pen.fillStyle = colour("--track"); pen.globalAlpha = 0.6;
        pen.fillRect(left, y(tag.normal_high), width, y(tag.normal_low) - y(tag.normal_high));
        pen.globalAlpha = 1;
      }
      pen.strokeStyle = pen.fillStyle = colour("--ink-3"); pen.setLineDash([6, 4]);
      pen.font = `${11 * devicePixelRatio}px ${colour("--font")}`; pen.textAlign = "right";
      for (const [name, value] of Object.entries(tag.limits ?? {})) {
        const at = u.valToPos(value, visible[0].unit, true);
        if (value === null || at < top || at > top + height) continue;
        pen.beginPath(); pen.moveTo(left, at); pen.lineTo(left + width, at); pen.stroke();
        pen.fillText(name.replace("_", " "), left + width - 4, at - 4);
      }
      pen.restore();
    }
    // Along the foot, one thin lane a pen: hatched where its values were uncertain or bad.
    drawQuality(u, colour) {
      const pen = u.ctx, { left, top, width, height } = u.bbox, lane = 4 * devicePixelRatio;
      pen.save();
      pen.beginPath(); pen.rect(left, top, width, height); pen.clip();
      this.shown.pens.filter((each) => !each.isHidden).forEach((each, row) => {
        const { times, qualities } = each.trace, y = top + height - lane * (row + 1);
        pen.fillStyle = colour(each.stroke);
        for (let i = 0; i < times.length; i += 1) {
          if (qualities[i] === "good") continue;
          const begin = i;
          while (i + 1 < times.length && qualities[i + 1] === qualities[begin]) i += 1;
          const from = u.valToPos(times[begin], "x", true), to = u.valToPos(times[Math.min(i + 1, times.length - 1)], "x", true);
          const step = (qualities[begin] === "bad" ? 3 : 6) * devicePixelRatio;
          for (let x = from; x <= Math.max(to, from + 1); x += step) pen.fillRect(x, y, step / 2, lane - 1);
        }
      });
      pen.restore();
    }
    drawMarks(u, colour) {
      const pen = u.ctx, { left, top, width, height } = u.bbox, size = 5 * devicePixelRatio;
      pen.save();
      for (const mark of this.shown.marks) {
        const x = u.valToPos(mark.at / 1000, "x", true);
        if (x < left || x > left + width) continue;
        pen.strokeStyle = pen.fillStyle = colour(`--p${mark.priority}`);
        pen.globalAlpha = 0.5;
        pen.beginPath(); pen.moveTo(x, top); pen.lineTo(x, top + height); pen.stroke();
        pen.globalAlpha = 1;
        pen.beginPath(); pen.moveTo(x - size, top); pen.lineTo(x + size, top); pen.lineTo(x, top + 1.6 * size); pen.fill();
      }
      pen.restore();
    }

    // --- moving in time
    selected(u) {
      const { left, width } = u.select;
      if (width < 4) return;
      u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
      this.calls.onRange(u.posToVal(left, "x") * 1000, u.posToVal(left + width, "x") * 1000, true);
    }
    listen(u) {
      u.over.addEventListener("mousedown", (event) => this.grab(u, event), true);
      u.over.addEventListener("touchstart", (event) => this.grab(u, event), { passive: true });
      u.over.addEventListener("wheel", (event) => {
        event.preventDefault();
        this.zoom(event.deltaY > 0 ? WHEEL : 1 / WHEEL, u.posToVal(event.offsetX, "x") * 1000);
      }, { passive: false });
      u.over.addEventListener("dblclick", () => this.zoom(4));
    }
    grab(u, event) {
      const touch = event.touches?.[0];
      if (!touch && !event.shiftKey && !this.isMoving && event.button !== 1) return;
      if (!touch) { event.preventDefault(); event.stopImmediatePropagation(); }
      const start = (touch ?? event).clientX, { min, max } = u.scales.x;
      this.panFrom = { min, max };
      let last = null;
      const move = (moved) => {
        const shift = (max - min) * (start - (moved.touches?.[0] ?? moved).clientX) / u.over.clientWidth;
        last = { min: min + shift, max: max + shift };
        u.setScale("x", last);
      };
      const end = () => {
        for (const [name, call] of listeners) removeEventListener(name, call);
        this.panFrom = null;
        if (last) this.calls.onRange(last.min * 1000, last.max * 1000, true);
      };
      const listeners = [["mousemove", move], ["mouseup", end], ["touchmove", move], ["touchend", end]];
      for (const [name, call] of listeners) addEventListener(name, call);
    }
    zoom(factor, aroundMs) {
      if (!this.plot) return;
      const { min, max } = this.plot.scales.x, at = aroundMs === undefined ? (min + max) / 2 : aroundMs / 1000;
      this.go(at - (at - min) * factor, at + (max - at) * factor);
    }
    pan(share) {
      if (!this.plot) return;
      const { min, max } = this.plot.scales.x, shift = (max - min) * share;
      this.go(min + shift, max + shift);
    }
    // Move at once with what is there; the server is asked when the hand rests.
    go(min, max) {
      const { from, to } = Millwright.trendState.clamp(min * 1000, max * 1000);
      this.plot.setScale("x", { min: from / 1000, max: to / 1000 });
      this.calls.onRange(from, to, false);
      clearTimeout(this.settling);
      this.settling = setTimeout(() => this.calls.onRange(from, to, true), SETTLE_MS);
    }
    // Put the cursor at an instant, as the mouse would.
    point(ms) {
      if (!this.plot) return;
      const left = this.plot.valToPos(ms / 1000, "x");
      this.plot.setCursor({ left, top: this.plot.over.clientHeight / 2 });
    }
  }

  // Digits behind the point that tell two neighbouring ticks apart: 2.5 needs one.
  function digits(splits) {
    const step = Math.abs(splits[1] - splits[0]) || 1;
    let count = 0;
    while (count < 6 && Math.abs(step * 10 ** count - Math.round(step * 10 ** count)) > 1e-6) count += 1;
    return count;
  }

  // What a pen says at an instant: {value, low, high, quality}, null before its first point.
  function reading(trace, ms) {
    const i = trendHistory.at(trace, ms / 1000);
    if (i < 0) return null;
    return { value: trace.values[i], low: trace.low[i], high: trace.high[i], quality: trace.qualities[i] };
  }

  Millwright.TrendPlot = Plot;
  Millwright.trendReading = reading;
})();
