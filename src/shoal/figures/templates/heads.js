"use strict";
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const LABELLED = 9;  // pixels: narrower columns leave no room for the names of all tokens
  const LETTER = 7.3, LONGEST = 12, LARGEST = 44;
  const SHAPES = 150;  // tokens: more are drawn as one picture, since thousands of shapes are slow
  const bytes = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const visible = (text) => text.replace(/ /g, "\u00b7").replace(/\n/g, "\u21b5").replace(/\t/g, "\u21e5") || "\u2205";
  const cut = (text) => (text.length > LONGEST ? text.slice(0, LONGEST - 1) + "\u2026" : text);
  const percent = (share) => (share < 0.005 ? "below 1%" : Math.round(100 * share) + "%");
  const colour = (name) => {
    const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    probe.fillRect(0, 0, 1, 1);
    return probe.getImageData(0, 0, 1, 1).data;
  };
  const add = (parent, tag, attributes, text) => {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  };

  for (const view of document.querySelectorAll(".head-view")) {
    const holder = document.getElementById("heads-" + view.dataset.heads);
    if (!holder) continue;
    const { tokens, links, heads, start } = JSON.parse(holder.textContent);
    const cells = [...view.querySelectorAll(".head-cell")];
    const columns = Number(getComputedStyle(view.querySelector(".head-grid")).getPropertyValue("--heads"));
    const map = view.querySelector(".head-map");
    const slider = view.querySelector("input");
    const names = tokens.map((token) => cut(visible(token)));
    const count = tokens.length;
    let paper, ink, chosen = start, query = count - 1, size = {};

    const pattern = (place) => {
      const head = heads[place];
      head.k ??= new Uint16Array(bytes(head.keys).buffer);
      head.w ??= bytes(head.weights);
      return head;
    };
    const linked = (place, at) => {  // [key, weight] of a query, the strongest first
      const { k, w } = pattern(place), found = [];
      for (let t = at * links; t < (at + 1) * links; t += 1) if (w[t]) found.push([k[t], (w[t] / 255) ** 2]);
      return found;
    };

    const thumbnail = (canvas, place) => {
      const { k, w } = pattern(place), side = canvas.width, cell = side / count;
      const context = canvas.getContext("2d"), image = context.createImageData(side, side), heat = new Float32Array(side * side);
      for (let q = 0; q < count; q += 1) for (let t = q * links; t < (q + 1) * links; t += 1) {
        const x0 = Math.floor(k[t] * cell), y0 = Math.floor(q * cell);
        const x1 = Math.max(x0 + 1, Math.floor((k[t] + 1) * cell)), y1 = Math.max(y0 + 1, Math.floor((q + 1) * cell));
        for (let y = y0; y < y1; y += 1) for (let x = x0; x < x1; x += 1) heat[y * side + x] = Math.max(heat[y * side + x], w[t] / 255);
      }
      heat.forEach((value, at) => {
        for (let c = 0; c < 3; c += 1) image.data[4 * at + c] = paper[c] + (ink[c] - paper[c]) * value;
        image.data[4 * at + 3] = 255;
      });
      context.putImageData(image, 0, 0);
    };
    const waiting = new IntersectionObserver((entries) => {
      for (const entry of entries) if (entry.isIntersecting) {
        waiting.unobserve(entry.target);
        thumbnail(entry.target.firstElementChild, cells.indexOf(entry.target));
      }
    }, { rootMargin: "800px" });

    // The large pattern: queries down the left, keys along the top, arcs above the keys.
    const layout = () => {
      const width = Math.max(280, Math.min(950, map.parentElement.clientWidth));
      const left = 14 + LETTER * Math.max(...names.map((name) => name.length));
      const cell = Math.min(LARGEST, (width - left - 8) / count);
      const arcs = Math.min(120, 24 + cell * count / 4);
      const upright = cell >= LETTER * Math.max(...names.map((name) => name.length)) + 4;
      const top = arcs + (upright ? 18 : 12 + LETTER * Math.max(...names.map((name) => name.length)));
      size = { width, left, cell, arcs, top, height: top + cell * count + 4, every: cell >= LABELLED };
      map.setAttribute("viewBox", `0 0 ${width} ${size.height}`);
      map.setAttribute("height", size.height);
    };
    const label = (parent, place, horizontal, on) => {
      const { left, top, cell } = size, at = (place + 0.5) * cell;
      if (horizontal) {
        const x = left + at, y = top - 5;
        add(parent, "text", { x, y, class: on ? "on" : "", "text-anchor": "start", transform: `rotate(-90 ${x} ${y}) translate(0 4)` }, names[place]);
      } else add(parent, "text", { x: left - 6, y: top + at + 4, class: on ? "on" : "", "text-anchor": "end" }, names[place]);
    };
    const drawMap = () => {
      const { left, top, cell } = size;
      map.replaceChildren();
      const { k, w } = pattern(chosen), group = add(map, "g", {});
      if (count > SHAPES) {
        const canvas = Object.assign(document.createElement("canvas"), { width: 900, height: 900 });
        thumbnail(canvas, chosen);
        add(group, "image", { href: canvas.toDataURL(), x: left, y: top, width: cell * count, height: cell * count });
      } else for (let q = 0; q < count; q += 1) for (let t = q * links; t < (q + 1) * links; t += 1) {
        if (w[t] > 2) add(group, "rect", { class: "cell", x: (left + k[t] * cell).toFixed(1), y: (top + q * cell).toFixed(1), width: cell.toFixed(1), height: cell.toFixed(1), opacity: (w[t] / 255).toFixed(2) });
      }
      add(map, "rect", { class: "frame", x: left, y: top, width: cell * count, height: cell * count });
      map.moving = add(map, "g", {});
      drawQuery();
    };
    const drawQuery = () => {
      const { left, top, cell, every } = size, group = map.moving, found = linked(chosen, query);
      group.replaceChildren();
      const keys = new Map(found), base = top - (every ? 8 + LETTER * Math.max(...names.map((name) => name.length)) : 12);
      for (let place = 0; place < count; place += 1) {
        if (every || keys.get(place) > 0.1 || place === query) label(group, place, true, (keys.get(place) ?? 0) > 0.1);
        if (every || place === query) label(group, place, false, place === query);
      }
      add(group, "rect", { class: "row", x: left - 1, y: top + query * cell - 1, width: cell * count + 2, height: cell + 2 });
      const from = left + (query + 0.5) * cell, ground = every ? base : top - 12 - LETTER * Math.max(...names.map((name) => name.length));
      for (const [key, weight] of found) {
        const to = left + (key + 0.5) * cell, high = Math.max(12, Math.min(ground - 6, Math.abs(from - to) / 2));
        const path = key === query ? `M${from - 4} ${ground} C${from - 12} ${ground - 20} ${from + 12} ${ground - 20} ${from + 4} ${ground}` : `M${from} ${ground} C${from} ${ground - high * 1.3} ${to} ${ground - high * 1.3} ${to} ${ground}`;
        add(group, "path", { class: "arc", d: path, "stroke-width": (1 + 5 * weight).toFixed(2), opacity: (0.25 + 0.75 * Math.sqrt(weight)).toFixed(2) });
      }
    };

    const showQuery = (place) => {
      query = Math.max(0, Math.min(count - 1, place));
      slider.value = query;
      slider.setAttribute("aria-valuetext", `${query + 1} of ${count}: ${tokens[query]}`);
      view.querySelector(".head-token").textContent = `${query + 1} of ${count}: ${visible(tokens[query])}`;
      const list = view.querySelector(".head-links");
      list.replaceChildren("looks at ");
      linked(chosen, query).forEach(([key, weight], place) => {
        const name = document.createElement("b");
        name.textContent = visible(tokens[key]);
        list.append(...(place ? [", "] : []), name, ` (${key + 1}) ${percent(weight)}`);
      });
      drawQuery();
    };
    const choose = (place, focus) => {
      cells[chosen].setAttribute("aria-selected", "false");
      cells[chosen].tabIndex = -1;
      chosen = place;
      cells[chosen].setAttribute("aria-selected", "true");
      cells[chosen].tabIndex = 0;
      if (focus) cells[chosen].focus();
      view.querySelector(".head-says").textContent = heads[chosen].summary;
      drawMap();
      showQuery(query);
    };
    const paint = () => {
      paper = colour("--paper"); ink = colour("--series-1");
      cells.forEach((cell) => waiting.observe(cell));
      if (count > SHAPES && map.moving) drawMap();
    };

    const grid = view.querySelector(".head-grid");
    grid.addEventListener("click", (event) => {
      const place = cells.indexOf(event.target.closest(".head-cell"));
      if (place >= 0) choose(place, true);
    });
    grid.addEventListener("keydown", (event) => {
      const row = Math.floor(chosen / columns) * columns;
      const to = {
        ArrowRight: chosen + 1, ArrowLeft: chosen - 1, ArrowDown: chosen + columns, ArrowUp: chosen - columns,
        Home: row, End: row + columns - 1,
      }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      if (to >= 0 && to < cells.length) choose(to, true);
    });
    slider.max = count - 1;
    slider.addEventListener("input", () => showQuery(Number(slider.value)));
    map.addEventListener("pointermove", (event) => {
      const box = map.getBoundingClientRect(), scale = size.width / box.width;
      const x = (event.clientX - box.left) * scale, y = (event.clientY - box.top) * scale;
      const place = y >= size.top ? Math.floor((y - size.top) / size.cell) : Math.floor((x - size.left) / size.cell);
      if (place >= 0 && place < count && place !== query) showQuery(place);
    });
    matchMedia("(prefers-color-scheme:dark)").addEventListener("change", paint);
    view.querySelector(".head-large").hidden = false;
    cells[0].tabIndex = -1;
    layout();
    paint();
    choose(chosen, false);
    new ResizeObserver(() => { const before = size.width; layout(); if (size.width !== before) drawMap(); }).observe(map.parentElement);
  }
})();
