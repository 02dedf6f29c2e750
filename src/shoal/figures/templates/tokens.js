"use strict";
(() => {
  for (const view of document.querySelectorAll(".token-view")) {
    const holder = document.getElementById("tokens-" + view.dataset.tokens);
    if (!holder) continue;
    const { facts, measures } = JSON.parse(holder.textContent);
    const text = view.querySelector(".token-text");
    const boxes = [...text.querySelectorAll(".tk")];
    const panel = view.querySelector(".token-facts");
    const scale = view.querySelector(".token-scale");
    const choice = view.querySelector("select");
    let chosen = -1;

    const fact = (name, value) => {
      const pair = document.createElement("div");
      for (const [tag, words] of [["dt", name], ["dd", value]]) {
        pair.append(Object.assign(document.createElement(tag), { textContent: words }));
      }
      return pair;
    };
    const show = (place) => {
      if (place < 0 || place >= boxes.length) return;
      boxes[chosen]?.removeAttribute("aria-selected");
      chosen = place;
      boxes[place].setAttribute("aria-selected", "true");
      boxes[place].id ||= `${holder.id}-${place}`;
      text.setAttribute("aria-activedescendant", boxes[place].id);
      const numbers = measures.filter((m) => m.values[place] !== null).map((m) => [m.name, `${m.values[place]} ${m.unit}`.trim()]);
      panel.replaceChildren(fact("token", `${place + 1} of ${boxes.length}`), ...[...facts[place], ...numbers].map(([n, v]) => fact(n, v)));
    };
    const paint = (which) => {
      const measure = measures[which];
      if (!measure) return;
      const known = measure.values.filter((value) => value !== null);
      if (!known.length) return;
      const low = known.reduce((a, b) => Math.min(a, b)), high = known.reduce((a, b) => Math.max(a, b));
      boxes.forEach((box, place) => {
        const value = measure.values[place];
        box.style.setProperty("--heat", value === null || high === low ? 0 : ((value - low) / (high - low)).toFixed(3));
      });
      scale.textContent = `${measure.name}: ${low} (paper) to ${high} (blue)${measure.unit ? ", " + measure.unit : ""}`;
      scale.hidden = false;
    };

    panel.hidden = false;
    panel.replaceChildren(fact("", "point at a token, or go through them with the arrow keys"));
    if (choice) { choice.hidden = false; choice.addEventListener("change", () => paint(Number(choice.value))); }
    text.addEventListener("pointerover", (event) => show(boxes.indexOf(event.target)));
    text.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      show(Math.max(0, Math.min(boxes.length - 1, chosen + step)));
      boxes[chosen].scrollIntoView({ block: "nearest" });
    });
    paint(0);
  }
})();
