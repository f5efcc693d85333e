// The field at the top of every page, as a palette: a reference, what can be done here, pages, and a search. It knows
// only what the page itself says, so whatever is a link or a button with a key can be called by its name, too:
//   [data-key]                    what can be done on this page; of the selected card, whatever board.js adds to a
//                                 "verbs" event on document {detail: [{label, key, run}]}
//   a[data-go]                    the pages
//   .find [role=combobox]         the field; its form is the search without any script. Words of its data-open
//                                 and data-search are said around what was typed
const input = document.querySelector(".find input");
const list = document.getElementById("find-list");
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const labelOf = (element) => {
  if (element.labels?.length) return element.labels[0].textContent.trim();
  const copy = element.cloneNode(true);
  for (const extra of copy.querySelectorAll("kbd, svg, .n")) extra.remove();
  return (copy.textContent.trim() || copy.getAttribute("aria-label") || "").replace(/\s+/g, " ");
};
let rows = [];
let at = 0;

function everything() {
  const card = [];
  document.dispatchEvent(new CustomEvent("verbs", { detail: card }));
  const here = [...document.querySelectorAll("[data-key]")].filter((each) => each !== input && !each.closest("[data-ref], #board-menu, dialog, .find") && each.checkVisibility());
  const run = (element) => () => (element.matches("input, select, textarea") ? element.focus() : element.click());
  return [
    ...card,
    ...here.map((each) => ({ label: labelOf(each), key: each.dataset.key, run: run(each) })),
    ...[...document.querySelectorAll("nav a[data-go]")].map((each) => ({ label: labelOf(each), key: `g ${each.dataset.go}`, run: () => each.click() })),
  ].filter((row) => row.label);
}

function found(typed) {
  const words = plain(typed).split(/\s+/).filter(Boolean);
  const ref = typed.trim().match(/^(?:bug-)?([1-9][0-9]{0,8})$/i);
  const all = everything().filter((row) => words.every((word) => plain(row.label).split(/[^\p{L}\p{N}]+/u).some((part) => part.startsWith(word))));
  const exact = ref ? [{ label: `${input.dataset.open} BUG-${ref[1]}`, run: () => location.assign(`/bugs/BUG-${ref[1]}`) }] : [];
  const search = typed.trim() ? [{ label: `${input.dataset.search} “${typed.trim()}”`, key: "↵", run: () => input.form.submit() }] : [];
  // What was typed is words to look for unless it is the beginning of something here.
  return words.join("").length > 1 || exact.length ? [...exact, ...all, ...search] : [...search, ...all];
}

function draw() {
  rows = found(input.value).slice(0, 12);
  at = 0;
  list.replaceChildren(
    ...rows.map((row, index) => {
      const item = Object.assign(document.createElement("li"), { id: `find-${index}`, className: "opt-row", role: "option" });
      item.append(Object.assign(document.createElement("span"), { textContent: row.label }));
      if (row.key) item.append(Object.assign(document.createElement("kbd"), { className: "k", textContent: row.key }));
      return item;
    }),
  );
  list.hidden = !rows.length;
  input.setAttribute("aria-expanded", String(rows.length > 0));
  light(0);
}

function light(index) {
  list.children[at]?.setAttribute("aria-selected", "false");
  at = (index + rows.length) % (rows.length || 1);
  list.children[at]?.setAttribute("aria-selected", "true");
  list.children[at]?.scrollIntoView({ block: "nearest" });
  if (rows.length) input.setAttribute("aria-activedescendant", `find-${at}`);
  else input.removeAttribute("aria-activedescendant");
}

function close() {
  list.hidden = true;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
}

input.addEventListener("input", draw);
input.addEventListener("focus", draw);
input.addEventListener("blur", close);
input.addEventListener("keydown", (event) => {
  const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (move && !list.hidden) light(at + move);
  else if (move) draw();
  else if (event.key === "Enter" && !list.hidden && rows[at]) {
    const { run } = rows[at];
    close();
    input.blur();
    run();
  } else if (event.key === "Escape" && !list.hidden) close();
  else if (event.key === "Escape") input.blur();
  else return;
  event.preventDefault();
  event.stopPropagation();
});
list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
list.addEventListener("click", (event) => {
  const row = event.target.closest("li");
  if (!row) return;
  const { run } = rows[[...list.children].indexOf(row)];
  close();
  input.blur();
  run();
});
if (document.activeElement === input) draw();
