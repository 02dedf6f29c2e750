"use strict";
(() => {
  const PAUSE = 2000, MAX_PAUSE = 15000, SVG = "http://www.w3.org/2000/svg";
  const make = (tag, values, text) => {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(values)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const html = (tag, text) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const shown = (value) => String(Number(value.toPrecision(3)));

  // Curves by name, each a list of [step, loss]; what the server sent once is not sent again.
  class Curves {
    constructor(holder) { this.holder = holder; this.lines = new Map(); this.events = []; this.small = holder.dataset.small !== undefined; }
    take(answer) {
      if (!answer.curves.length && !answer.events.length) return;
      for (const { name, begin, points } of answer.curves) {
        const line = this.lines.get(name) || [];
        line.splice(begin, line.length, ...points);
        this.lines.set(name, line);
      }
      this.events.push(...answer.events);
      this.draw();
    }
    draw() {
      const all = [...this.lines.values()].flat();
      if (!all.length) return;
      // A small chart has two labels on each axis; a large one five.
      const width = this.small ? 300 : Math.max(320, Math.min(960, this.holder.clientWidth || 900)), height = this.small ? 130 : 300, parts = this.small ? 1 : 4;
      const left = this.small ? 40 : 52, bottom = 36, top = 24, right = 8;
      const low = Math.min(...all.map((p) => p[1])), high = Math.max(...all.map((p) => p[1])), last = Math.max(...all.map((p) => p[0]), 1);
      const log = low > 0 && high / low > 10, scale = (v) => (log ? Math.log(v) : v), span = scale(high) - scale(low) || 1;
      const x = (step) => left + (width - left - right) * step / last;
      const y = (value) => top + (height - top - bottom) * (1 - (scale(value) - scale(low)) / span);
      const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Loss of ${this.lines.size} trainings up to step ${last}, between ${shown(low)} and ${shown(high)}` });
      svg.append(make("text", { x: 0, y: 12 }, log ? "training loss (log scale)" : "training loss"), make("text", { x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle" }, "step"));
      for (let part = 0; part <= parts; part++) {
        const share = part / parts, value = log ? Math.exp(scale(low) + share * span) : low + share * span;
        svg.append(make("line", { class: "axis", x1: left, x2: width - right, y1: y(value), y2: y(value) }), make("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, shown(value)));
      }
      for (let part = 0; part <= parts; part++) svg.append(make("text", { x: x(last * part / parts), y: height - bottom + 15, "text-anchor": part === parts ? "end" : part ? "middle" : "start" }, Math.round(last * part / parts).toLocaleString("en")));
      const arms = [...new Set([...this.lines.keys()].map((name) => name.split(",")[0]))];
      for (const [name, line] of this.lines) {
        const place = arms.indexOf(name.split(",")[0]), path = make("path", { class: "seed", stroke: `var(--series-${place % 6 + 1})`, d: line.map(([step, value], k) => `${k ? "L" : "M"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`).join("") });
        path.append(make("title", {}, name));
        svg.append(path);
      }
      for (const { step, curve, text } of this.events) {
        if (typeof step !== "number" || step > last) continue;
        const rule = make("line", { class: "event", x1: x(step), x2: x(step), y1: top, y2: height - bottom });
        rule.append(make("title", {}, `step ${step}, ${curve}: ${text}`));
        svg.append(rule);
      }
      const key = html("ul");
      key.className = "curve-key";
      arms.forEach((arm, place) => {
        const entry = html("li"), mark = html("span");
        mark.style.borderColor = `var(--series-${place % 6 + 1})`;
        entry.append(mark, arm);
        key.append(entry);
      });
      this.holder.replaceChildren(svg, ...(arms.length < 2 ? [] : [key]));
      const list = document.querySelector(".live-events");
      if (list && this.events.length && !this.small) {
        const rows = html("ul");
        for (const { step, curve, text, details } of this.events.slice(-50)) {
          const row = html("li", `step ${step}, ${curve}: ${text}`);
          if (details) { const lines = html("ul"); lines.append(...details.map((line) => html("li", line))); row.append(lines); }
          rows.append(row);
        }
        list.replaceChildren(html("h3", "Events"), rows);
      }
    }
  }

  // One run: its state, its progress and its curves, asked for by a cursor.
  class Follower {
    constructor(panel, curves) { this.panel = panel; this.curves = curves; this.cursor = ""; this.pause = PAUSE; this.state = panel.dataset.state; }
    async ask() {
      try {
        const answer = await fetch(`${this.panel.dataset.live}?cursor=${encodeURIComponent(this.cursor)}`, { headers: { accept: "application/json" } });
        if (!answer.ok) throw new Error(String(answer.status));
        this.show(await answer.json());
        this.pause = PAUSE;
      } catch {
        // The studio was stopped, or the run removed: asked less and less often, and the page stays as it is.
        this.pause = Math.min(MAX_PAUSE, 2 * this.pause);
        this.text("no answer from the studio; trying again");
      }
      if (["running", "starting", "stopping"].includes(this.state)) setTimeout(() => this.ask(), this.pause);
    }
    text(words) { const place = this.panel.querySelector(".live-text"); if (place) place.textContent = words; }
    show(answer) {
      this.cursor = answer.cursor;
      if (this.curves) this.curves.take(answer);
      this.text(answer.text);
      const bar = this.panel.querySelector(".live-bar");
      if (bar && answer.total) { bar.max = answer.total; bar.value = answer.done; }
      const whole = this.panel.dataset.whole !== undefined;
      // A process runs for some seconds before its run begins to write: then a page of one run has more to show.
      if (whole && answer.exists !== (this.panel.dataset.exists === "yes")) { location.reload(); return; }
      if (answer.state === this.state) return;
      const name = this.panel.querySelector(".state"), status = this.panel.querySelector("[role=status]");
      if (name) { name.textContent = answer.state; name.className = `state ${answer.state}`; }
      if (status) status.textContent = `The run is now ${answer.state}.`;
      const ended = !["running", "starting", "stopping"].includes(answer.state);
      this.state = answer.state;
      if (whole && ended) location.reload();
    }
  }

  for (const panel of document.querySelectorAll("[data-live]")) {
    const holder = panel.querySelector("[data-live-curves]") || (panel.dataset.whole !== undefined && document.querySelector("[data-live-curves]"));
    new Follower(panel, holder ? new Curves(holder) : null).ask();
  }
  for (const form of document.querySelectorAll("form[data-busy]")) form.addEventListener("submit", ({ submitter }) => {
    const button = submitter || form.querySelector("button[type=submit]");
    if (button && !button.name) { button.textContent = form.dataset.busy; button.setAttribute("aria-disabled", "true"); }
  });
})();
