// Colleagues' names in a comment: after an @ a list of who may see the bug, taken with Enter, Tab or a click.
//   textarea[data-mentions="/bugs/BUG-1/colleagues"]   asked once, at the first @, for {items: ["Mira Kos", …]}
// Without this script names are typed; the server reads them either way.
const TYPED = /(?:^|[^\p{L}\p{N}_@.])@([\p{L}\p{N}][^\n@]{0,60})?$/u;
const MOST = 8;
const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const say = (text) => document.dispatchEvent(new CustomEvent("say", { detail: text }));

for (const area of document.querySelectorAll("textarea[data-mentions]")) {
  const list = Object.assign(document.createElement("div"), { className: "pop", id: `${area.id}-names`, hidden: true });
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Colleagues");
  area.after(list);
  area.closest(".f").classList.add("names");
  area.setAttribute("aria-autocomplete", "list");
  area.setAttribute("aria-controls", list.id);
  let asked = null;
  let at = -1;

  const rows = () => [...list.children];
  const typed = () => (area.selectionStart === area.selectionEnd ? TYPED.exec(area.value.slice(0, area.selectionStart)) : null);

  function close() {
    list.hidden = true;
    area.removeAttribute("aria-activedescendant");
  }

  function mark(index) {
    at = index;
    rows().forEach((row, number) => row.setAttribute("aria-selected", String(number === at)));
    area.setAttribute("aria-activedescendant", rows()[at].id);
    rows()[at].scrollIntoView({ block: "nearest" });
  }

  async function show() {
    if (!typed()) return close();
    asked ??= fetch(area.dataset.mentions).then((answer) => (answer.ok ? answer.json() : { items: [] }));
    const names = (await asked.catch(() => ({ items: [] }))).items;
    const begun = fold(typed()?.[1] ?? "");
    const found = names.filter((name) => ` ${fold(name)}`.includes(` ${begun}`) && fold(name) !== begun).slice(0, MOST);
    if (!typed() || !found.length) return close();
    list.replaceChildren(
      ...found.map((name, number) => {
        const row = Object.assign(document.createElement("div"), { className: "opt-row", id: `${list.id}-${number}`, textContent: name });
        row.setAttribute("role", "option");
        return row;
      }),
    );
    if (list.hidden) say(`${found.length} ${found.length === 1 ? "name" : "names"}. Enter takes the first.`);
    list.hidden = false;
    mark(0);
  }

  function take(name) {
    const end = area.selectionStart;
    const begin = end - (typed()[1] ?? "").length;
    area.setRangeText(`${name} `, begin, end, "end");
    close();
    area.focus();
  }

  area.addEventListener("input", show);
  area.addEventListener("blur", close);
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return area.form.requestSubmit();
    if (list.hidden || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) mark((at + step + rows().length) % rows().length);
    else if (event.key === "Enter" || event.key === "Tab") take(rows()[at].textContent);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // focus stays in the text
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => event.target.closest(".opt-row") && take(event.target.closest(".opt-row").textContent));
}
