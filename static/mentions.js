// Colleagues' names in a comment: after an @ a list of who may see the bug, taken with Enter, Tab or a click.
//   textarea[data-mentions="/bugs/BUG-1/colleagues"]   asked once, at the first @, for {items: ["Mira Kos", …]}
// Without this script names are typed; the server reads them either way.
const TYPED = /(?:^|[^\p{L}\p{N}_@.])@([\p{L}\p{N}][^\n@]{0,60})?$/u;
const MOST = 8;
const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

for (const area of document.querySelectorAll("textarea[data-mentions]")) {
  const list = make("div", { class: "pop", id: `${area.id}-names`, hidden: "", role: "listbox", "aria-label": "Colleagues" });
  area.after(list);
  area.closest(".f").classList.add("names");
  area.setAttribute("aria-autocomplete", "list");
  area.setAttribute("aria-controls", list.id);
  const box = listbox(area, list, take);
  let asked = null;
  let found = [];

  const typed = () => (area.selectionStart === area.selectionEnd ? TYPED.exec(area.value.slice(0, area.selectionStart)) : null);

  async function show() {
    if (!typed()) return box.close();
    asked ??= fetch(area.dataset.mentions).then((answer) => (answer.ok ? answer.json() : { items: [] }));
    const names = (await asked.catch(() => ({ items: [] }))).items;
    const begun = fold(typed()?.[1] ?? "");
    found = names.filter((name) => ` ${fold(name)}`.includes(` ${begun}`) && fold(name) !== begun).slice(0, MOST);
    if (!typed() || !found.length) return box.close();
    if (!box.isOpen) say(`${found.length} ${found.length === 1 ? "name" : "names"}. Enter takes the first.`);
    box.show(found.map((label) => ({ label })));
    box.light(0);
  }

  function take(index) {
    const end = area.selectionStart;
    const begin = end - (typed()[1] ?? "").length;
    area.setRangeText(`${found[index]} `, begin, end, "end");
    box.close();
    area.focus();
  }

  area.addEventListener("input", show);
  area.addEventListener("blur", box.close);
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return area.form.requestSubmit();
    if (!box.isOpen || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (stepOf(event)) box.step(stepOf(event));
    else if (event.key === "Enter" || event.key === "Tab") take(box.at);
    else if (event.key === "Escape") box.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}
