"use strict";
(() => {
  const PAGE = 20;
  const holder = document.getElementById("benchmark-items");
  if (!holder) return;
  const items = JSON.parse(holder.textContent);
  const form = document.getElementById("benchmark-filters");
  const list = document.getElementById("benchmark-list");
  const count = document.getElementById("benchmark-count");
  const more = document.getElementById("benchmark-more");
  let matching = [], shown = 0;

  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  // Joined once per item: a search goes through all of them at each key.
  const haystack = (item) => {
    if (item.haystack === undefined) {
      item.haystack = [item.prompt, ...item.choices, ...item.responses, String(item.gold)].join("\n").toLowerCase();
    }
    return item.haystack;
  };

  function row(item) {
    const element = make("li", "item");
    const outcome = item.value === null ? "" : item.value > 0 ? ": right" : ": wrong";
    element.append(make("h3", "", item.task + " " + item.index + outcome));
    if (item.prompt) element.append(make("pre", "", item.prompt));
    if (item.choices.length) {
      const choices = make("ul");
      item.choices.forEach((choice, place) => {
        const marks = [];
        if ([].concat(item.gold).includes(place)) marks.push("right");
        if (item.choice === place) marks.push("chosen");
        const nats = item.log_likelihoods[place];
        const figure = nats === null || nats === undefined ? "impossible" : nats.toFixed(3).replace("-", "\u2212") + " nats";
        choices.append(make("li", "", choice.trim() + ": " + figure + (marks.length ? " (" + marks.join(", ") + ")" : "")));
      });
      element.append(choices);
    }
    item.responses.forEach((text) => element.append(make("p", "", "Answer: " + text)));
    if (!item.choices.length && item.gold !== null) element.append(make("p", "muted", "Expected: " + item.gold));
    return element;
  }

  function draw() {
    matching.slice(shown, shown + PAGE).forEach((item) => list.append(row(item)));
    shown = Math.min(matching.length, shown + PAGE);
    more.hidden = shown >= matching.length;
    count.textContent = matching.length + " of " + items.length + " items" + (more.hidden ? "" : ", " + shown + " shown");
  }
  function choose() {
    const wanted = new FormData(form);
    const needle = wanted.get("search").trim().toLowerCase();
    const outcome = wanted.get("outcome");
    matching = items.filter((item) =>
      (!wanted.get("task") || item.task === wanted.get("task"))
      && (!outcome || (item.value > 0) === (outcome === "right"))
      && (!needle || haystack(item).includes(needle)));
    shown = 0;
    list.replaceChildren();
    draw();
  }
  form.hidden = false;
  form.addEventListener("input", choose);
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", draw);
  choose();
})();
