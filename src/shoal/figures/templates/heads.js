"use strict";
(() => {
  const bytes = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const shown = (text) => text.replace(/ /g, "\u00b7").replace(/\n/g, "\u21b5").replace(/\t/g, "\u21e5") || "\u2205";
  const colour = (name) => {
    const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    probe.fillRect(0, 0, 1, 1);
    return probe.getImageData(0, 0, 1, 1).data;
  };

  for (const view of document.querySelectorAll(".head-view")) {
    const holder = document.getElementById("heads-" + view.dataset.heads);
    if (!holder) continue;
    const { tokens, links, heads } = JSON.parse(holder.textContent);
    const cells = [...view.querySelectorAll(".head-cell")];
    const columns = Number(getComputedStyle(view.querySelector(".head-grid")).getPropertyValue("--heads"));
    const large = view.querySelector(".head-large");
    const matrix = view.querySelector(".head-matrix");
    const slider = view.querySelector("input");
    const body = view.querySelector("tbody");
    const count = tokens.length;
    let paper, ink, mark, chosen = 0, query = count - 1;

    const pattern = (place) => {
      const head = heads[place];
      head.k ??= new Uint16Array(bytes(head.keys).buffer);
      head.w ??= bytes(head.weights);
      return head;
    };
    const draw = (canvas, place, size) => {
      const { k, w } = pattern(place);
      const context = canvas.getContext("2d");
      const image = context.createImageData(size, size);
      const heat = new Float32Array(size * size);
      const cell = size / count;
      for (let q = 0; q < count; q += 1) {
        for (let t = 0; t < links; t += 1) {
          const at = q * links + t, value = w[at] / 255;  // the root of the weight
          const x0 = Math.floor(k[at] * cell), y0 = Math.floor(q * cell);
          const x1 = Math.max(x0 + 1, Math.floor((k[at] + 1) * cell)), y1 = Math.max(y0 + 1, Math.floor((q + 1) * cell));
          for (let y = y0; y < y1; y += 1) for (let x = x0; x < x1; x += 1) {
            if (value > heat[y * size + x]) heat[y * size + x] = value;
          }
        }
      }
      for (let at = 0; at < heat.length; at += 1) {
        for (let c = 0; c < 3; c += 1) image.data[4 * at + c] = paper[c] + (ink[c] - paper[c]) * heat[at];
        image.data[4 * at + 3] = 255;
      }
      context.putImageData(image, 0, 0);
    };
    const waiting = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        waiting.unobserve(entry.target);
        draw(entry.target.firstElementChild, cells.indexOf(entry.target), 64);
      }
    }, { rootMargin: "200px" });

    const showQuery = (place) => {
      query = Math.max(0, Math.min(count - 1, place));
      slider.value = query;
      const { k, w } = pattern(chosen);
      slider.setAttribute("aria-valuetext", `${query + 1} of ${count}: ${tokens[query]}`);
      view.querySelector(".head-token").textContent = `${query + 1} of ${count}: ${shown(tokens[query])}`;
      body.replaceChildren();
      for (let t = 0; t < links; t += 1) {
        const at = query * links + t;
        if (!w[at]) continue;
        const row = body.insertRow();
        const name = document.createElement("th");
        name.scope = "row";
        name.textContent = shown(tokens[k[at]]);
        row.append(name);
        const weight = (w[at] / 255) ** 2;
        for (const text of [k[at] + 1, weight < 0.01 ? weight.toPrecision(1) : weight.toFixed(2)]) {
          Object.assign(row.insertCell(), { textContent: text, className: "number" });
        }
      }
      drawLarge();
    };
    const drawLarge = () => {
      draw(matrix, chosen, matrix.width);
      const context = matrix.getContext("2d"), cell = matrix.height / count;
      context.strokeStyle = `rgb(${mark[0]},${mark[1]},${mark[2]})`;
      context.lineWidth = 1;
      context.strokeRect(0.5, Math.floor(query * cell) + 0.5, matrix.width - 1, Math.max(2, Math.floor(cell)));
    };
    const choose = (place, focus) => {
      cells[chosen].setAttribute("aria-selected", "false");
      cells[chosen].tabIndex = -1;
      chosen = place;
      cells[chosen].setAttribute("aria-selected", "true");
      cells[chosen].tabIndex = 0;
      if (focus) cells[chosen].focus();
      view.querySelector(".head-says").textContent = heads[chosen].says;
      showQuery(query);
    };
    const paint = () => {
      paper = colour("--paper"); ink = colour("--series-1"); mark = colour("--series-2");
      cells.forEach((cell) => waiting.observe(cell));
      choose(chosen, false);
    };

    view.querySelector(".head-grid").addEventListener("click", (event) => {
      const place = cells.indexOf(event.target.closest(".head-cell"));
      if (place >= 0) choose(place, true);
    });
    view.querySelector(".head-grid").addEventListener("keydown", (event) => {
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
    matrix.addEventListener("pointermove", (event) => {
      const box = matrix.getBoundingClientRect();
      showQuery(Math.floor(((event.clientY - box.top) / box.height) * count));
    });
    matchMedia("(prefers-color-scheme:dark)").addEventListener("change", paint);
    large.hidden = false;
    const named = cells.findIndex((cell) => cell.classList.contains("named"));
    if (named > 0) { cells[0].tabIndex = -1; chosen = named; }
    paint();
  }
})();
