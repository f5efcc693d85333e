// A search field that says how the last word may go on:
//   <input data-suggest="/search/suggestions">   rows from GET …?q= → {items: [{value, label, hint}]}
// Nothing is highlighted by itself, so Enter searches for what was typed; ↓ ↑ choose a row, Enter or Tab takes it, Esc
// closes. A field such as area: that was taken shows its values next.
const say = (text) => document.dispatchEvent(new CustomEvent("say", { detail: text }));

function suggest(input) {
  const list = document.createElement("div");
  list.id = `${input.id}-list`;
  list.className = "pop";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Suggestions");
  for (const [name, value] of Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list" }))
    input.setAttribute(name, value);
  const place = Object.assign(document.createElement("span"), { className: "suggested" });
  input.before(place);
  place.append(input, list);

  const known = new Map();
  let rows = [];
  let at = -1;
  let timer;
  let controller;

  function close() {
    clearTimeout(timer);
    controller?.abort();
    list.hidden = true;
    at = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function draw(items) {
    rows = items;
    at = -1;
    list.replaceChildren(
      ...items.map(({ label, hint }, index) => {
        const row = document.createElement("div");
        Object.assign(row, { className: "opt-row", id: `${list.id}-${index}` });
        row.setAttribute("role", "option");
        row.setAttribute("aria-selected", "false");
        const words = document.createElement("span");
        words.textContent = label;
        row.append(words);
        if (hint) row.append(Object.assign(document.createElement("span"), { className: "k", textContent: hint }));
        return row;
      }),
    );
    list.hidden = items.length === 0;
    input.setAttribute("aria-expanded", String(!list.hidden));
    input.removeAttribute("aria-activedescendant");
    if (items.length) say(`${items.length} ${items.length === 1 ? "suggestion" : "suggestions"}.`);
  }

  function highlight(index) {
    list.children[at]?.setAttribute("aria-selected", "false");
    at = index;
    list.children[at].setAttribute("aria-selected", "true");
    list.children[at].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", list.children[at].id);
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
    if (event.isComposing || list.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) highlight((at + step + rows.length + (at < 0 && step < 0 ? 1 : 0)) % rows.length);
    else if (event.key === "Escape") close();
    else if (at >= 0 && (event.key === "Enter" || (event.key === "Tab" && !event.shiftKey))) take(at);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // focus stays in the field
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const row = event.target.closest(".opt-row");
    if (row) take([...list.children].indexOf(row));
  });
}

for (const input of document.querySelectorAll("input[data-suggest]")) suggest(input);

// Opening the filters goes to the first of them.
for (const panel of document.querySelectorAll("details.narrow"))
  panel.addEventListener("toggle", () => panel.open && panel.querySelector("input:not([hidden]), select:not([hidden])").focus());
