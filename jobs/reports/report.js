"use strict";
// Takes over the long tables: finds, sorts and turns pages. Only the rows in sight exist as elements.
(() => {
  const words = new Intl.Collator("en", { numeric: true });
  const number = (count) => count.toLocaleString("en");
  const steps = { first: () => 0, back: (page) => page - 1, on: (page) => page + 1, last: () => Infinity };

  function take(form) {
    const byId = (id) => document.getElementById(id);
    const name = form.dataset.table;
    const { columns, rows } = JSON.parse(byId(`${name}-rows`).textContent);
    const [table, shown, pager] = [byId(name), byId(`${name}-shown`), byId(`${name}-pager`)];
    const { find: wanted, kind, size } = form.elements;
    const kindAt = columns.indexOf(kind.dataset.column);
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
      const text = wanted.value.trim().toLowerCase();
      if (text && !texts) texts = rows.map((row) => row.filter((cell) => cell !== null).join("\n").toLowerCase());
      state.found = rows.filter(
        (row, place) => (!kind.value || row[kindAt] === kind.value) && (!text || texts[place].includes(text))
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
        box.dataset.label = labels[place];
        box.textContent = cell === null ? "" : String(cell);
      });
      return element;
    }

    function draw() {
      const most = Number(size.value);
      const last = Math.max(0, Math.ceil(state.found.length / most) - 1);
      state.page = Math.min(Math.max(state.page, 0), last);
      const start = state.page * most;
      const sight = state.found.slice(start, start + most);
      table.tBodies[0].replaceChildren(...sight.map(line));
      shown.textContent = sight.length
        ? `Rows ${number(start + 1)} to ${number(start + sight.length)} of ${number(state.found.length)}` +
          (state.found.length < rows.length ? ` found among ${number(rows.length)}` : "")
        : "No row fits.";
      pager.querySelector("span").textContent = `Page ${number(state.page + 1)} of ${number(last + 1)}`;
      pager.hidden = last === 0;
      for (const button of pager.querySelectorAll("button")) {
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

    const labels = [...table.tHead.rows[0].cells].map((heading) => heading.textContent);
    table.classList.add("sorts");
    labels.forEach((_, place) => {
      const heading = table.tHead.rows[0].cells[place];
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = heading.textContent;
      button.addEventListener("click", () => sortBy(place));
      heading.replaceChildren(button);
    });
    for (const value of new Set(rows.map((row) => row[kindAt]))) kind.append(new Option(value, value));
    pager.addEventListener("click", (event) => {
      const step = steps[event.target.dataset.step];
      if (!step) return;
      state.page = step(state.page);
      draw();
    });
    let waiting = 0;
    wanted.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(find, 150);
    });
    kind.addEventListener("change", find);
    size.addEventListener("change", find);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = false;
    draw();
  }

  document.querySelectorAll("form[data-table]").forEach(take);
})();
