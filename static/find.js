// A search field that says how the last word may go on:
//   <input data-suggest="/search/suggestions">   rows from GET …?q= → {items: [{value, label, hint}]}
// Nothing is highlighted by itself, so Enter searches for what was typed; ↓ ↑ choose a row, Enter or Tab takes it, Esc
// closes. A field such as area: that was taken shows its values next.
function suggest(input) {
  const list = make("div", { id: `${input.id}-list`, class: "pop", hidden: "", role: "listbox", "aria-label": "Suggestions" });
  for (const [name, value] of Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list" }))
    input.setAttribute(name, value);
  const place = make("span", { class: "suggested" });
  input.before(place);
  place.append(input, list);

  const box = listbox(input, list, take);
  const known = new Map();
  let rows = [];
  let timer;
  let controller;

  function close() {
    clearTimeout(timer);
    controller?.abort();
    box.close();
  }

  function draw(items) {
    rows = items;
    box.show(rows);
    if (rows.length) say(`${rows.length} ${rows.length === 1 ? "suggestion" : "suggestions"}.`);
  }

  function take(index) {
    const { value } = rows[index];
    input.value = value.endsWith(":") ? value : `${value} `;
    close();
    if (value.endsWith(":")) ask();
  }

  async function look(text) {
    controller?.abort();
    controller = new AbortController();
    try {
      if (!known.has(text)) {
        const address = `${input.dataset.suggest}?q=${encodeURIComponent(text)}`;
        const response = await fetch(address, { signal: controller.signal, headers: { Accept: "application/json" } });
        if (!response.ok) return;
        known.set(text, (await response.json()).items);
      }
      if (input.value === text && document.activeElement === input) draw(known.get(text));
    } catch {
      // without a connection there are no suggestions; Enter searches all the same
    }
  }

  function ask() {
    clearTimeout(timer);
    const text = input.value;
    if (!text.trim() || text.length > 1000) return close();
    timer = setTimeout(() => look(text), 120);
  }

  input.addEventListener("input", (event) => event.isComposing || ask());
  input.addEventListener("compositionend", ask);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing || !box.isOpen) return;
    if (stepOf(event)) box.step(stepOf(event));
    else if (event.key === "Escape") close();
    else if (box.at >= 0 && (event.key === "Enter" || (event.key === "Tab" && !event.shiftKey))) take(box.at);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

for (const input of document.querySelectorAll("input[data-suggest]")) suggest(input);

// Opening the filters goes to the first of them.
for (const panel of document.querySelectorAll("details.narrow"))
  panel.addEventListener("toggle", () => panel.open && panel.querySelector("input:not([hidden]), select:not([hidden])").focus());
