(() => {
  for (const view of document.querySelectorAll(".lens-view")) {
    const rows = [...view.querySelectorAll("tbody tr")].map((row) => [...row.querySelectorAll(".lens")]).filter((row) => row.length);
    const says = view.querySelector(".lens-says");
    if (!rows.length) continue;
    let [row, column] = [rows.length - 1, rows[0].length - 1];
    const layers = [...view.querySelectorAll("thead th")].slice(1).map((head) => head.textContent);
    const read = [...view.querySelectorAll("tbody th")].map((head) => head.textContent);
    const show = (toRow, toColumn, focus) => {
      rows[row][column].tabIndex = -1;
      [row, column] = [Math.max(0, Math.min(rows.length - 1, toRow)), Math.max(0, Math.min(layers.length - 1, toColumn))];
      const cell = rows[row][column];
      cell.tabIndex = 0;
      if (focus) cell.focus();
      says.textContent = `after ${read[row]}, ${layers[column]}: ${cell.title}`;
    };
    const steps = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0], Home: [0, -Infinity], End: [0, Infinity] };
    view.addEventListener("keydown", (event) => {
      const step = steps[event.key];
      if (!step || !event.target.classList.contains("lens")) return;
      event.preventDefault();
      show(row + step[0], column + step[1], true);
    });
    for (const kind of ["pointerover", "focusin"]) {
      view.addEventListener(kind, (event) => {
        const cell = event.target.closest(".lens");
        const at = rows.findIndex((each) => each.includes(cell));
        if (at >= 0) show(at, rows[at].indexOf(cell), false);
      });
    }
    says.hidden = false;
    show(row, column, false);
  }
})();
