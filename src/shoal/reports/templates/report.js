"use strict";
(() => {
  const PAGE = 20, NEAR = 0.5, SURE = 2;
  const holder = document.getElementById("items-data");
  if (!holder) return;
  const data = JSON.parse(holder.textContent);
  const form = document.getElementById("item-filters");
  const list = document.getElementById("item-list");
  const count = document.getElementById("item-count");
  const more = document.getElementById("item-more");
  const FIELDS = ["arm", "seed", "split", "stage", "outcome", "search"];
  const KINDS = { "ended-early": "ended too early", "went-on": "went on too long", other: "another token" };
  let matching = [], shown = 0, needle = "";

  // What a reader may look for in an item: its name, prompt, target and answer, in lower case.
  const haystack = (item) => {
    if (item.haystack === undefined) {
      const example = data.examples[item.example];
      item.haystack = [example.name, example.prompt, example.tokens.join(""), item.shared, item.answer].join("\n").toLowerCase();
    }
    return item.haystack;
  };
  const marked = (element, text) => {
    const at = needle ? text.toLowerCase().indexOf(needle) : -1;
    if (at < 0) { element.textContent = text; return element; }
    element.append(text.slice(0, at), make("mark", "", text.slice(at, at + needle.length)), text.slice(at + needle.length));
    return element;
  };

  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const signed = (value) => (value < 0 ? "\u2212" : "+") + Math.abs(value).toFixed(2);
  const visible = (text) => text.replace(/ /g, "\u00b7").replace(/\n/g, "\u21b5\u200b").replace(/\t/g, "\u21e5");

  function token(example, place, margin, at) {
    const last = example.ends && place === example.tokens.length - 1;
    let kind = "unscored", words = "not scored";
    if (margin !== undefined && margin !== null) {
      kind = margin < 0 ? "wrong" : margin < NEAR ? "near" : margin < SURE ? "fair" : "sure";
      words = (margin < 0 ? "wrong" : "right") + ", margin " + signed(margin);
    } else if (margin === null) { kind = "wrong"; words = "not a number"; }
    const element = make("span", "token " + kind, last ? "end" : visible(example.tokens[place]));
    if (last) element.classList.add("end");
    if (at !== null && place > at) element.classList.add("past");
    if (place === at) {
      element.classList.add("first");
      words += "; here the answer leaves the target";
    }
    element.title = "token " + (place + 1) + " of " + example.tokens.length + ": " + words;
    return element;
  }

  function target(item, example) {
    const line = make("div", "tokens");
    item.spans.forEach(([start, stop, margins], k) => {
      if (k) {
        const hidden = start - item.spans[k - 1][1], least = item.gaps[k - 1];
        const note = least === null ? "not scored" : "smallest margin " + signed(least);
        line.append(make("span", "gap", `\u2026 ${hidden} tokens, ${note} \u2026`), " ");
      }
      for (let place = start; place < stop; place++) line.append(token(example, place, margins[place - start], item.at), "\u200b");
    });
    return line;
  }

  function answer(item) {
    const line = make("div", "answer");
    if (item.answer === null) { line.append(make("span", "muted", "not decoded")); return line; }
    if (item.exact && !item.answer) { line.append(make("span", "gap", "the same as the target")); return line; }
    const early = item.shared_characters - item.shared.length;
    if (early > 0) line.append(make("span", "gap", `\u2026 ${early} characters as in the target \u2026`), " ");
    line.append(make("span", "same", visible(item.shared)));
    if (item.answer) line.append(make("span", "departs", visible(item.answer)));
    if (item.cut) line.append(" ", make("span", "gap", `\u2026 ${item.cut} more characters`));
    else line.append(item.answer_ends ? make("span", item.exact || item.answer ? "token end" : "token wrong end", "end") : make("span", "gap", "\u2026 no end"));
    return line;
  }

  function row(item) {
    const example = data.examples[item.example];
    const element = make("li", item.exact ? "item right" : "item wrong");
    const head = make("div", "item-head");
    head.append(make("strong", "", example.name), make("span", "badge " + (item.exact ? "right" : "wrong"), item.exact ? "\u2713 right" : "\u2717 wrong"));
    let says = `${item.arm} \u00b7 seed ${item.seed} \u00b7 ${item.split === "held_out" ? "held out" : "seen"} \u00b7 ${item.stage} training`;
    if (item.at !== null) says += ` \u00b7 leaves the target at token ${item.at + 1} of ${example.tokens.length} (${KINDS[item.kind] || item.kind})`;
    if (item.status !== "clear") says += ` \u00b7 ${item.status}`;
    head.append(make("span", "muted", says));
    const body = make("dl", "pair");
    body.append(make("dt", "", "Prompt"), make("dd", "prompt"), make("dt", "", "Target"), make("dd"), make("dt", "", item.exact ? "Answer" : "Answered instead"), make("dd"));
    const cells = body.querySelectorAll("dd");
    marked(cells[0], example.prompt);
    cells[1].append(target(item, example));
    cells[2].append(answer(item));
    element.append(head, body);
    return element;
  }

  function extend() {
    for (const item of matching.slice(shown, shown + PAGE)) list.append(row(item));
    shown = Math.min(matching.length, shown + PAGE);
    more.hidden = shown >= matching.length;
    more.textContent = `Show ${Math.min(PAGE, matching.length - shown)} more`;
    const right = matching.filter((item) => item.exact).length;
    count.textContent = `${matching.length} item${matching.length === 1 ? " matches" : "s match"}, ${right} right; ${shown} shown.`;
  }

  function apply() {
    const wants = Object.fromEntries(FIELDS.map((name) => [name, form.elements[name].value]));
    needle = wants.search.toLowerCase();
    matching = data.items.filter((item) =>
      (!wants.arm || item.arm === wants.arm) && (!wants.seed || String(item.seed) === wants.seed) &&
      (!wants.split || item.split === wants.split) && (!wants.stage || item.stage === wants.stage) &&
      (!wants.outcome || (item.exact ? "right" : "wrong") === wants.outcome) &&
      (!needle || haystack(item).includes(needle)));
    list.replaceChildren();
    shown = 0;
    extend();
  }

  function fromHash() {
    if (!location.hash.includes("=")) return false;
    const wants = new URLSearchParams(location.hash.slice(1));
    for (const name of FIELDS) {
      const field = form.elements[name];
      if (wants.has(name) && (!field.options || [...field.options].some((option) => option.value === wants.get(name)))) field.value = wants.get(name);
    }
    return true;
  }

  function toHash() {
    const wants = new URLSearchParams();
    for (const name of FIELDS) if (name !== "search" || form.elements[name].value) wants.set(name, form.elements[name].value);
    history.replaceState(null, "", "#" + wants);
  }

  form.addEventListener("change", () => { toHash(); apply(); });
  form.elements.search.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", extend);
  addEventListener("hashchange", () => { if (fromHash()) apply(); });
  form.hidden = false;
  const asked = fromHash();
  apply();
  if (asked) document.getElementById("items").scrollIntoView();
})();
