/* <mw-evidence figures='{"kurtosis": 7.8}'>: the figures behind a finding, in words and with units.
 * Only shares of one whole are comparable, so only they have bars: "x" with "x_share". */
(() => {
  "use strict";
  const { make, number } = Millwright;
  const SHOWN = 8, SHARE = "_share";
  const UNITS = [["_mm_s_per_h", "mm/s an hour"], ["_mm_s", "mm/s"], ["_m_s2", "m/s²"], ["_rpm", "rpm"], ["_hz", "Hz"]]; // the longer ending first
  const WORDS = {
    ratio_to_floor: ["line over the noise floor", "×"], amplitude: ["line, amplitude"], sideband_ratio: ["sidebands over the line", "×"],
    order: ["line, in orders of shaft speed"], speed: ["shaft speed"], velocity_rms: ["velocity, RMS"], crest: ["crest factor"], trend: ["velocity, change"],
    once: ["at shaft speed"], once_rise: ["at shaft speed, against usual", "×"], twice: ["at twice shaft speed"], twice_rise: ["at twice shaft speed, against usual", "×"],
    twice_to_once: ["twice against once shaft speed", "×"], high_rms: ["high frequencies, RMS"], high_rise: ["high frequencies, against usual", "×"],
    winding_rise_per_loss: ["winding temperature at this load"], bearing_rise_per_friction: ["bearing temperature at this speed"], power_over_shaft_power: ["electric power at this shaft power"],
    pump_flow_coefficient: ["flow at this speed"], pump_head_coefficient: ["head at this speed"], pump_noise: ["vibration acceleration at this speed"],
    oven_least_current_per_duty: ["lowest heater current at its duty"], oven_most_current_per_duty: ["highest heater current at its duty"],
    oven_least_excess_current: ["lowest heater current against its duty"], oven_most_excess_current: ["highest heater current against its duty"],
    oven_lowest_error: ["coldest zone against its set point"], oven_highest_error: ["hottest zone against its set point"],
  };
  const RACES = { bpfo_: "outer race ", bpfi_: "inner race " };
  const CAPITALS = { npsh: "NPSH", rms: "RMS" };

  function words(key) {
    const [ending, measure] = UNITS.find(([each]) => key.endsWith(each)) ?? ["", ""];
    let stem = key.slice(0, key.length - ending.length), race = "";
    if (stem.slice(0, 5) in RACES) { race = RACES[stem.slice(0, 5)]; stem = stem.slice(5); }
    const [known, sign = ""] = WORDS[stem] ?? [stem.split("_").map((word) => CAPITALS[word] ?? word).join(" ")];
    const text = race + known;
    return [text[0].toUpperCase() + text.slice(1), measure || sign];
  }
  function figure(value) {
    const size = Math.abs(value);
    return number(value, size >= 100 ? 0 : size >= 10 ? 1 : 2);
  }

  class Evidence extends HTMLElement {
    static observedAttributes = ["figures"];
    attributeChangedCallback() { this.paint(JSON.parse(this.getAttribute("figures") || "{}")); }
    paint(figures) {
      this.replaceChildren();
      const names = Object.keys(figures).filter((key) => !(key.endsWith(SHARE) && key.slice(0, -SHARE.length) in figures));
      for (const name of names.slice(0, SHOWN)) this.row(name, figures[name], figures[name + SHARE]);
    }
    row(name, value, share) {
      const [text, measure] = words(name);
      const label = make("span", share === undefined ? "mw-evidence-wide" : "", this, text);
      label.title = name;
      if (share === undefined) {
        const cell = make("span", "mw-evidence-value", this);
        make("b", "mw-num", cell, figure(value));
        if (measure) make("span", "mw-unit", cell, measure);
        return;
      }
      label.title = `${name} ${figure(value)}`;
      make("i", "", make("span", "mw-share", this)).style.width = `${Math.min(100, Math.max(0, 100 * share))}%`;
      make("b", "mw-num mw-evidence-value", this, `${Math.round(100 * share)} %`);
    }
  }
  customElements.define("mw-evidence", Evidence);
})();
