// The field at the top of every page, as a palette: what can be done here, what is here, and what the server finds.
// Whatever is a link or a button with a name on the page can be called by it:
//   [data-key]                    what can be done on this page; of the selected card, whatever board.js adds to a
//                                 "verbs" event on document {detail: [{label, key, run}]}
//   a[data-go], .who-menu         the pages; [data-pages] is the heading over them
//   form[data-saves]              its fields save what is chosen
//   .find [role=combobox]         the field; its form is the search without any script. Words of its data-open,
//                                 data-search and data-here are said around what was typed and over what is here
//   data-more                     what answers with the rest: GET …?q=&opened= → {groups: [{name, rows: [{label, url, hint}]}]}
const input = document.querySelector(".find input");
const LATER = 120; // ms after the last key
const [FEW, MANY] = [5, 8]; // of each kind on the page, before anything is typed and then
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const labelOf = (element) => {
  if (element.labels?.length) return element.labels[0].textContent.trim();
  const copy = element.cloneNode(true);
  for (const extra of copy.querySelectorAll("kbd, svg, .n, .muted")) extra.remove();
  return (copy.textContent.trim() || copy.getAttribute("aria-label") || "").replace(/\s+/g, " ");
};
const box = listbox(input, document.getElementById("find-list"), take);
const known = new Map(); // what the server found, by what was typed
let rows = [];
let timer;
let controller;

// ---- what stands on the page
function command(element) {
  const isField = element.matches("input, select, textarea");
  return { label: labelOf(element), key: element.dataset.key, run: () => (isField ? element.focus() : element.click()) };
}

const NAMED = "main .verbs :is(a, button), main .panel :is(button, a.btn):not(li *), form[data-saves] :is(input:not([type=hidden]), select)";

function onPage() {
  const card = [];
  document.dispatchEvent(new CustomEvent("verbs", { detail: card }));
  const isInMenu = (each) => !each.hidden && each.closest("main details.menu:not([open])")?.checkVisibility();
  const isHere = (each) => each !== input && !each.closest(".who-menu, [data-ref], #board-menu, dialog, .find") && (each.checkVisibility() || isInMenu(each));
  const all = [...document.querySelectorAll(`[data-key], ${NAMED}`)].filter(isHere).map(command);
  const own = all.filter(({ label, key }) => key || all.filter((other) => other.label === label).length === 1);
  const menu = (what) => [...document.querySelectorAll(`.who-menu ${what}`)].map(command);
  const nav = [...document.querySelectorAll("nav a[data-go]")].map((each) => ({ ...command(each), key: `g ${each.dataset.go}` }));
  const here = [...card, ...own, ...menu("button")].map((each) => ({ ...each, group: input.dataset.here }));
  const pages = [...nav, ...menu("a:not(.nav-more)")].map((each) => ({ ...each, group: input.dataset.pages }));
  return [...here, ...pages].filter((each) => each.label);
}

// ---- what was typed
function found(typed) {
  const words = plain(typed).split(/\s+/).filter(Boolean);
  const begins = ({ label }) => {
    const parts = plain(label).split(/[^\p{L}\p{N}]+/u);
    return words.every((word) => parts.some((part) => part.startsWith(word)));
  };
  const here = onPage().filter(begins);
  const more = (known.get(typed) ?? []).flatMap(({ name, rows: all }) => all.map((each) => ({ ...each, group: name, run: () => location.assign(each.url) })));
  const ref = typed.match(/^(?:bug-)?([1-9][0-9]{0,8})$/i);
  const exact = ref ? [{ label: `${input.dataset.open} BUG-${ref[1]}`, run: () => location.assign(`/bugs/BUG-${ref[1]}`) }] : [];
  const search = typed ? [{ label: `${input.dataset.search} “${typed}”`, key: "↵", run: () => input.form.submit() }] : [];
  // What was typed is words to look for unless it is the beginning of something here.
  const all = [...few(here, typed ? MANY : FEW), ...more];
  return words.join("").length > 1 || exact.length ? [...exact, ...all, ...search] : [...search, ...all];
}

function few(all, most) {
  const count = {};
  return all.filter(({ group }) => (count[group] = (count[group] ?? 0) + 1) <= most);
}

function draw() {
  const before = rows[box.at]?.label;
  const hasWalked = box.at > 0;
  rows = found(input.value.trim());
  box.show(rows);
  gather();
  box.light(Math.max(0, hasWalked ? rows.findIndex(({ label }) => label === before) : 0));
}

// Puts the rows of each group under its heading.
function gather() {
  const list = document.getElementById("find-list");
  [...list.children].forEach((row, index) => {
    const { group } = rows[index];
    if (group && rows[index - 1]?.group !== group)
      list.append(make("div", { role: "group", "aria-label": group }, make("p", { class: "muted", "aria-hidden": "true" }, group)));
    (group ? list.lastElementChild : list).append(row);
  });
}

async function look() {
  const typed = input.value.trim();
  controller?.abort();
  controller = new AbortController();
  const before = JSON.parse(localStorage.getItem("opened") ?? "[]");
  const opened = before.filter((number) => location.pathname !== `/bugs/BUG-${number}`).join(".");
  try {
    const address = `${input.dataset.more}?${new URLSearchParams({ q: typed, opened })}`;
    const answer = await fetch(address, { signal: controller.signal, headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    known.set(typed, (await answer.json()).groups);
    if (document.activeElement !== input || input.value.trim() !== typed) return;
    draw();
    say(`${rows.length} ${rows.length === 1 ? "result" : "results"}. ${rows[box.at].label}.`);
  } catch {
    // without a connection there is what stands on the page; Enter searches all the same
  }
}

function ask() {
  draw();
  clearTimeout(timer);
  if (!known.has(input.value.trim())) timer = setTimeout(look, input.value ? LATER : 0);
}

function close() {
  clearTimeout(timer);
  controller?.abort();
  box.close();
}

function take(index) {
  const { run } = rows[index];
  close();
  input.blur();
  run();
}

input.addEventListener("input", (event) => event.isComposing || ask());
input.addEventListener("compositionend", ask);
input.addEventListener("focus", ask);
input.addEventListener("blur", close);
input.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const step = stepOf(event);
  if (step && box.isOpen) {
    box.step(step);
    say(`${rows[box.at].label}, ${box.at + 1} of ${rows.length}.`);
  } else if (step) draw();
  else if (event.key === "Enter" && box.isOpen && rows[box.at]) take(box.at);
  else if (event.key === "Escape" && box.isOpen) close();
  else if (event.key === "Escape") input.blur();
  else return;
  event.preventDefault();
  event.stopPropagation();
});
if (document.activeElement === input) ask();
