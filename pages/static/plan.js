/* <mw-plan path plan target? label? href?>: what was done against what is planned by now; the
 * whole track is the period's target, the notch the plan. Grey: a deviation is no alarm. */
(() => {
  "use strict";
  const { live, LiveElement, make, put, unit, words, why } = Millwright;
  const SURE_SHARE = 0.02;      // before so much of the target is planned a share says nothing

  class Plan extends LiveElement {
    build() {
      this.head(this);
      this.track = make("span", "mw-track", this);
      this.done = make("i", "mw-done", this.track);
      this.notch = make("i", "mw-notch", this.track);
      const line = make("span", "mw-reading", this);
      this.value = make("b", "mw-num", line, "\u2013");
      this.unit = make("span", "mw-unit", line);
      this.against = make("span", "mw-age", this);
    }
    start() {
      const others = ["plan", "target"].filter((name) => this.hasAttribute(name));
      const stops = others.map((name) =>
        live.subscribe(this.getAttribute(name), (s) => { this[`${name}State`] = s; this.draw(); }));
      stops.push(super.start());
      return () => stops.forEach((stop) => stop());
    }
    paint(s) {
      put(this.value, words(s));
      put(this.unit, unit(s.meta?.unit));
      this.draw();
    }
    tick() { this.draw(); }         // the age of what cannot be trusted grows
    draw() {
      const s = this.state, plan = this.planState, target = this.targetState;
      if (!s) return;
      const known = [s, plan, target].map((each) => each?.value).filter(Number.isFinite);
      const top = Math.max(...known, 0) || 1;
      const at = (each) => `${Math.min(100, Math.max(0, 100 * each / top))}%`;
      this.done.style.width = Number.isFinite(s.value) ? at(s.value) : "0";
      const hasPlan = plan?.quality === "g" && Number.isFinite(plan.value);
      this.notch.hidden = !hasPlan;
      if (hasPlan) this.notch.style.left = at(plan.value);
      put(this.against, s.quality !== "g" ? why(s) : this.sentence(s, plan, target, hasPlan));
    }
    sentence(s, plan, target, hasPlan) {
      if (!hasPlan) return `no plan: ${(plan && why(plan)) || "waiting for a value"}`;
      const of = Number.isFinite(target?.value) ? ` of ${words(target)}` : "";
      const sure = plan.value > SURE_SHARE * (target?.value ?? 0) && plan.value > 0;
      const share = sure ? Math.round(100 * (s.value / plan.value - 1)) : null;
      const off = share === null ? "" : share === 0 ? " \u00b7 on plan" : ` \u00b7 ${share > 0 ? "+" : "\u2212"}${Math.abs(share)} %`;
      return `plan ${words(plan)}${of}${off}`;
    }
  }
  customElements.define("mw-plan", Plan);
})();
