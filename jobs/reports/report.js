"use strict";
// Takes over the table of rows: finds, sorts and turns pages. Only the rows in sight exist as elements.
(() => {
  const source = document.getElementById("attention-rows");
  if (!source) return;
  const { columns, rows } = JSON.parse(source.textContent);
  const byId = (id) => document.getElementById(id);
  const table = byId("attention");
  const outcomeAt = columns.indexOf("outcome");
  const words = new Intl.Collator("en", { numeric: true });
  const state = { found: rows, column: -1, falling: false, page: 0 };
  let texts = null;

  function compare(one, other) {
    const left = one[state.column];
    const right = other[state.column];
    if (left === null || right === null) return (left === null) - (right === null); // what is empty comes last
    const order = typeof left === "number" && typeof right === "number" ? left - right : words.compare(left, right);
    return state.falling ? -order : order;
  }

  function find() {
    const wanted = byId("find").value.trim().toLowerCase();
    const outcome = byId("outcome").value;
    if (wanted && !texts) texts = rows.map((row) => row.filter((cell) => cell !== null).join("\n").toLowerCase());
    state.found = rows.filter(
      (row, place) => (!outcome || row[outcomeAt] === outcome) && (!wanted || texts[place].includes(wanted))
    );
    if (state.column >= 0) state.found.sort(compare);
    state.page = 0;
    draw();
  }

  function line(row) {
    const element = document.createElement("tr");
    row.forEach((cell, place) => {
      const box = element.appendChild(document.createElement("td"));
      box.className = columns[place];
      box.textContent = cell === null ? "" : String(cell);
    });
    return element;
  }

  function draw() {
    const size = Number(byId("size").value);
    const last = Math.max(0, Math.ceil(state.found.length / size) - 1);
    state.page = Math.min(Math.max(state.page, 0), last);
    const start = state.page * size;
    const sight = state.found.slice(start, start + size);
    table.tBodies[0].replaceChildren(...sight.map(line));
    const number = (count) => count.toLocaleString("en");
    byId("shown").textContent = sight.length
      ? `Rows ${number(start + 1)} to ${number(start + sight.length)} of ${number(state.found.length)}` +
        (state.found.length < rows.length ? ` found among ${number(rows.length)}` : "")
      : "No row fits.";
    byId("place").textContent = `Page ${number(state.page + 1)} of ${number(last + 1)}`;
    byId("pager").hidden = last === 0;
    for (const button of byId("pager").querySelectorAll("button")) {
      button.disabled = /first|back/.test(button.dataset.step) ? state.page === 0 : state.page === last;
    }
  }

  function sortBy(place) {
    state.falling = state.column === place && !state.falling;
    state.column = place;
    [...table.tHead.rows[0].cells].forEach((heading, at) => {
      if (at === place) heading.setAttribute("aria-sort", state.falling ? "descending" : "ascending");
      else heading.removeAttribute("aria-sort");
    });
    find();
  }

  [...table.tHead.rows[0].cells].forEach((heading, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    button.addEventListener("click", () => sortBy(place));
    heading.replaceChildren(button);
  });
  for (const outcome of new Set(rows.map((row) => row[outcomeAt]))) byId("outcome").append(new Option(outcome, outcome));
  const steps = { first: () => 0, back: (page) => page - 1, on: (page) => page + 1, last: () => Infinity };
  byId("pager").addEventListener("click", (event) => {
    const step = steps[event.target.dataset.step];
    if (!step) return;
    state.page = step(state.page);
    draw();
  });
  let waiting = 0;
  byId("find").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(find, 150);
  });
  byId("outcome").addEventListener("change", find);
  byId("size").addEventListener("change", find);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("filters").hidden = false;
  draw();
})();
