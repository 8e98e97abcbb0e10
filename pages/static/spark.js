/* <mw-spark path label? href?>: label, value, unit, age and the last 15 minutes with lowest and highest. */
(() => {
  "use strict";
  const { live, LiveElement, make, put, words, isWord, unit, number } = Millwright;
  const WINDOW_S = 900, POINTS = 180, STEP_MS = WINDOW_S * 1000 / POINTS;

  class Spark extends LiveElement {
    build() {
      this.points = [];
      this.hasAge = true;
      const top = make("span", "mw-spark-head", this);
      this.head(top);
      this.note = make("span", "mw-age", top);
      const line = make("span", "mw-reading", this);
      this.mark = make("span", "mw-mark", line);
      this.value = make("b", "mw-num mw-big", line, "\u2013");
      this.unit = make("span", "mw-unit", line);
      this.canvas = make("canvas", "mw-spark-line", this);
      this.ends = make("span", "mw-spark-ends", this);
      this.low = make("span", "", this.ends);
      this.high = make("span", "", this.ends);
    }
    start() {
      const stop = live.subscribe(this.path, (s) => this.update(s), (s) => this.take(s));
      live.history(this.path, WINDOW_S, POINTS).then(({ times, values }) => {
        const last = times.length ? times[times.length - 1] : 0;
        this.points = times.map((t, i) => [t, values[i]]).concat(this.points.filter((p) => p[0] > last));
        this.drawnAt = 0;
        this.draw();
      });
      return stop;
    }
    take(s) {
      const value = s.quality === "b" ? null : s.value;
      const last = this.points[this.points.length - 1];
      if (last && s.timeMs - last[0] < STEP_MS && value !== null && last[1] !== null && this.points.length > 1) {
        last[1] = value;      // one point a pixel is all that can be seen
      } else {
        this.points.push([s.timeMs, value]);
      }
      while (this.points.length && this.points[0][0] < s.timeMs - WINDOW_S * 1000) this.points.shift();
    }
    paint(s) {
      put(this.value, words(s));
      put(this.unit, isWord(s) ? "" : unit(s.meta?.unit));
      const isBeyond = s.value < this.lowest || s.value > this.highest;
      const isDue = isBeyond || performance.now() - (this.drawnAt || 0) > STEP_MS;
      if (isDue || s.meta !== this.drawnMeta) this.draw();
    }
    draw() {
      this.drawnAt = performance.now();
      const canvas = this.canvas, ratio = devicePixelRatio || 1;
      const width = canvas.clientWidth, height = canvas.clientHeight;
      if (!width || !height) return;
      canvas.width = width * ratio; canvas.height = height * ratio;
      const pen = canvas.getContext("2d"), style = getComputedStyle(this);
      pen.scale(ratio, ratio);
      const good = this.points.filter((p) => p[1] !== null);
      if (!good.length) return;
      const meta = this.drawnMeta = this.state?.meta;
      let low = Infinity, high = -Infinity;
      for (const [, v] of good) { low = Math.min(low, v); high = Math.max(high, v); }
      this.lowest = low; this.highest = high;
      put(this.low, `min ${number(low, meta?.decimals ?? 1)}`);
      put(this.high, `max ${number(high, meta?.decimals ?? 1)}`);
      // at least a fifth of the normal band high, or noise looks like trouble
      const band = meta && meta.normal_high !== undefined && meta.normal_low !== undefined ? (meta.normal_high - meta.normal_low) / 5 : 0;
      const room = Math.max(high - low, band, Math.abs(high) * 0.01, 1e-9);
      const middle = (low + high) / 2, bottom = middle - room * 0.6, span = room * 1.2;
      const end = live.now(), x = (t) => width * (1 - (end - t) / (WINDOW_S * 1000));
      const y = (v) => height - 1 - (height - 2) * (v - bottom) / span;
      if (band) {
        pen.fillStyle = style.getPropertyValue("--track");
        const top = Math.max(0, y(meta.normal_high)), foot = Math.min(height, y(meta.normal_low));
        if (foot > top && (top > 0 || foot < height)) pen.fillRect(0, top, width, foot - top);
      }
      pen.strokeStyle = style.getPropertyValue("--trace");
      pen.lineWidth = 1.25;
      pen.beginPath();
      let isDown = false, before = 0;
      for (const [t, v] of this.points) {
        if (v === null || t - before > 60000) isDown = false;
        if (v === null) continue;
        if (isDown) pen.lineTo(x(t), y(v)); else pen.moveTo(x(t), y(v));
        isDown = true; before = t;
      }
      pen.stroke();
      const [lastT, lastV] = good[good.length - 1];
      pen.fillStyle = style.getPropertyValue("--pointer");
      pen.beginPath(); pen.arc(Math.min(width - 2, x(lastT)), y(lastV), 2, 0, 7); pen.fill();
    }
  }
  customElements.define("mw-spark", Spark);
})();
