// Lists of bugs by keyboard: the board, the list, and a duty queue. What templates give it:
//   .col, .q or .rows             a column; columns are in the order of h and l.  [data-ref="BUG-158"] in it: a card,
//   id="BUG-158" and a link .t or .tt; data-v: its version, and it is redrawn when another poll brings a new one
//   card verbs                    button or link with data-key="1" inside the card (its details.menu), or once per page:
//   <template id="verbs">         of forms and links where {ref}, {status}, {v} and {owner} stand for the card's (also %7Bref%7D);
//                                 data-when="new accepted" on one names the columns (data-status) that have it, data-only
//                                 and data-unless what a card's data-is must and must not say
//                                 data-many on one: it acts on all cards that x chose, at the address of “many”, with
//                                 its own fields (data-own);
//                                 data-to on one: the column that it brings a card to, for drag.js
//   form#chosen                   the bar that says how many those are, and holds their verbs ([data-verbs])
//   [data-poll="/board?area=3"]   around the columns: asked every 20 s with If-None-Match; new cards wait behind
//                                 "2 new reports · show" (r) and never move what is on the screen; a card that others
//                                 moved says so where it is; id and data-news: its content is that of the last answer
const root = document.querySelector("[data-poll], main:not(:has([data-poll]))");
const page = document.querySelector("main");
const template = document.getElementById("verbs");
const place = `selected ${location.pathname}`;
const say = (text) => document.dispatchEvent(new CustomEvent("say", { detail: text }));
const columns = () => [...document.querySelectorAll(".col, .q, .rows")];
const cardsIn = (column) => (column.closest("details:not([open])") ? [] : [...column.querySelectorAll("[data-ref]")]);
const linkOf = (card) => card.querySelector(".t, .tt");
const columnOf = (card) => card.closest(".col, .q, .rows");
let current = null;

// ---- selection: real focus on the card's link, one tab stop for all cards
function mark(card) {
  if (current) {
    current.classList.remove("sel");
    linkOf(current).tabIndex = -1;
  }
  current = card;
  if (!card) return;
  card.classList.add("sel");
  linkOf(card).tabIndex = 0;
  sessionStorage.setItem(place, card.dataset.ref);
}

function select(card) {
  if (!card) return;
  mark(card);
  linkOf(card).focus({ preventScroll: true });
  card.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function rove(isAfterVerb) {
  for (const stop of page.querySelectorAll("[data-ref] :is(.t, .tt, .more)")) if (stop.tabIndex === 0) stop.tabIndex = -1;
  const wanted = /^#(BUG-\d+)$/.exec(location.hash)?.[1] ?? sessionStorage.getItem(place);
  const card = [...page.querySelectorAll("[data-ref]")].find((each) => each.dataset.ref === wanted);
  current = null;
  const further = card && location.hash && new URLSearchParams(location.search).has("more") && cardsIn(columnOf(card));
  if (further) {
    history.replaceState(null, "", location.pathname + location.search);
    select(further[further.indexOf(card) + 1] ?? card); // the first of those that were asked for
  } else if (card && isAfterVerb) select(card);
  else if (card) mark(card);
  else {
    const first = page.querySelector("[data-ref]");
    if (first) linkOf(first).tabIndex = 0;
  }
}

function step(direction) {
  if (!current) return select(page.querySelector("[data-ref]"));
  const cards = cardsIn(columnOf(current));
  select(cards[Math.max(0, Math.min(cards.length - 1, cards.indexOf(current) + direction))]);
}

function aside(direction) {
  if (!current) return select(page.querySelector("[data-ref]"));
  const all = columns();
  const at = cardsIn(columnOf(current)).indexOf(current);
  let to = all.indexOf(columnOf(current)) + direction;
  while (all[to] && !cardsIn(all[to]).length) to += direction;
  if (all[to]) select(cardsIn(all[to])[Math.min(at, cardsIn(all[to]).length - 1)]);
}

// ---- verbs: the page's own forms and links
const statusOf = (card) => columnOf(card).dataset.status ?? card.dataset.status ?? "";
function isOf({ dataset: { when, only, unless } }, card) {
  const marks = (card.dataset.is ?? "").split(" ");
  return (!when || when.split(" ").includes(statusOf(card))) && (!only || marks.includes(only)) && !marks.includes(unless);
}
function verbsOf(card) {
  if (!template) return card;
  const status = statusOf(card);
  const facts = { ref: card.dataset.ref, status, v: card.dataset.v ?? "", owner: card.dataset.owner ?? "" };
  const verbs = template.content.cloneNode(true);
  for (const node of verbs.querySelectorAll("[action], [href], [value]"))
    for (const name of ["action", "href", "value"])
      if (node.hasAttribute(name))
        node.setAttribute(name, node.getAttribute(name).replace(/(?:\{|%7B)(ref|status|v|owner)(?:\}|%7D)/g, (_, fact) => facts[fact]));
  for (const verb of [...verbs.children]) if (!isOf(verb, card)) verb.remove();
  return verbs;
}

function leave(card) {
  const cards = cardsIn(columnOf(card));
  const next = cards[cards.indexOf(card) + 1] ?? cards[cards.indexOf(card) - 1];
  goOn(next?.dataset.ref ?? "", card.dataset.ref);
}

// what the page that comes next has in focus, and the card it says the place of; what is undone is in focus itself
function goOn(focused, acted) {
  sessionStorage.setItem(place, focused);
  sessionStorage.setItem(`${place} after`, acted);
}
document.addEventListener("submit", ({ target }) => {
  const undone = target.matches("[data-undo]") && /BUG-\d+/.exec(target.action)?.[0];
  if (undone) goOn(undone, undone);
});

function tellPlace(card) {
  const column = card?.closest(".col");
  const message = [...document.querySelectorAll(".toasts p")].map((each) => each.textContent.trim()).join(" ");
  if (!column || !message) return;
  const [name, count] = [column.querySelector("h2").firstChild.data.trim(), column.querySelector("h2 .c").textContent];
  say(`${message} ${name}, ${cardsIn(column).indexOf(card) + 1} of ${count}.`);
}

function act(card, element) {
  if (element.matches("[data-choose]")) return choose(card);
  leave(card);
  const form = element.closest("form");
  if (form && !form.isConnected) {
    form.hidden = true;
    element.removeAttribute("data-key"); // where nothing answers, the key is the next card's
    document.body.append(form);
  }
  if (element.matches("a")) {
    sessionStorage.setItem(`${place} asked`, card.dataset.ref); // its page asks something first
    location.assign(element.href);
  } else form.requestSubmit(element);
}

// ---- several at once
const bar = document.getElementById("chosen");
const chosen = new Map(); // the reference of each, and the status and owner it had on the screen

function choose(card) {
  if (!bar) return;
  const { ref } = card.dataset;
  if (!chosen.delete(ref)) chosen.set(ref, `${statusOf(card)} ${card.dataset.owner ?? ""}`);
  showChosen();
  select(card);
  say(`${ref} ${chosen.has(ref) ? "chosen" : "left out"}, ${chosen.size} chosen.`);
}

// Shift and j or k: the one that has the focus and the next one, too.
function extend(direction) {
  const from = current;
  step(direction);
  for (const card of [from, current]) if (!chosen.has(card.dataset.ref)) choose(card);
}

function showChosen() {
  for (const card of page.querySelectorAll("[data-ref]")) {
    card.classList.toggle("chosen", chosen.has(card.dataset.ref));
    linkOf(card).ariaDescription = chosen.has(card.dataset.ref) ? "Chosen" : null;
  }
  if (!bar) return;
  bar.hidden = !chosen.size;
  bar.querySelector("[data-count]").textContent = `${chosen.size} chosen`;
  bar.querySelector("[data-verbs]").replaceChildren(
    ...verbsForAll().map((verb) => {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "btn small" });
      button.append(...[...(verb.querySelector("button") ?? verb).childNodes].map((node) => node.cloneNode(true)));
      button.addEventListener("click", () => actOnAll(verb));
      return button;
    }),
  );
}

// What can be done with one of those that are chosen at least; whoever it cannot be done with is named afterwards.
function verbsForAll() {
  const cards = [...chosen.keys()].map((ref) => document.getElementById(ref)).filter(Boolean);
  return [...(template?.content.querySelectorAll("[data-many]") ?? [])].filter((verb) => cards.some((card) => isOf(verb, card)));
}
const keyOf = (verb) => (verb.querySelector("button") ?? verb).dataset.key;

function actOnAll(verb) {
  const address = verb.getAttribute("action") ?? verb.getAttribute("href");
  bar.action = address.split("?")[0].replace(/(?<=\/bugs\/)[^/]+/, "many");
  bar.append(...[...verb.querySelectorAll("[data-own]")].map((field) => field.cloneNode()));
  for (const [ref, seen] of chosen)
    bar.append(Object.assign(document.createElement("input"), { type: "hidden", name: "bug", value: `${ref} ${seen}` }));
  bar.requestSubmit();
}

bar?.querySelector("[data-none]").addEventListener("click", chooseNone);

function chooseNone() {
  chosen.clear();
  showChosen();
  select(current);
  say("None chosen.");
}

// ---- the menu of one card
const menu = document.createElement("div");
menu.id = "board-menu";
menu.className = "menu-list";
menu.popover = "auto";
document.querySelector("main").append(menu);
addEventListener("resize", () => menu.hidePopover());

function openMenu(card) {
  const own = card.querySelector("details.menu");
  if (own) {
    own.open = true;
    return own.querySelector("a, button")?.focus();
  }
  if (!template) return location.assign(`${linkOf(card).href}#actions`);
  mark(card);
  menu.replaceChildren(verbsOf(card));
  menu.setAttribute("aria-label", `Actions for ${card.dataset.ref}`);
  menu.setAttribute("role", "group");
  menu.showPopover();
  const box = card.getBoundingClientRect();
  menu.style.left = `${Math.max(8, Math.min(box.right, innerWidth - 8) - menu.offsetWidth) + scrollX}px`;
  menu.style.top = `${Math.max(8, Math.min(box.top + 34, innerHeight - menu.offsetHeight - 8)) + scrollY}px`;
  menu.querySelector("a, button").focus();
}

menu.addEventListener("keydown", (event) => {
  const rows = [...menu.querySelectorAll("a, button")];
  const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const pressed = event.key.length === 1 && !event.ctrlKey && !event.metaKey && menu.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (move) rows.at((rows.indexOf(document.activeElement) + move) % rows.length).focus();
  else if (pressed) pressed.click();
  else return;
  event.preventDefault();
  event.stopPropagation();
});
menu.addEventListener("toggle", (event) => {
  if (event.newState === "closed" && (document.activeElement === document.body || menu.contains(document.activeElement))) select(current);
});
menu.addEventListener("click", (event) => {
  const element = event.target.closest("a, button");
  if (!element || !current) return;
  if (!element.matches("[data-choose]")) return leave(current);
  menu.hidePopover();
  choose(current);
});

// ---- keys and pointer
document.addEventListener("focusin", (event) => {
  const card = event.target.closest("[data-ref]");
  if (card && card !== current) mark(card);
});
page.addEventListener("click", (event) => {
  const more = event.target.closest(".more:is(a, button)");
  if (!more) return;
  event.preventDefault();
  openMenu(more.closest("[data-ref]"));
});
document.addEventListener("verbs", (event) => {
  const card = current;
  if (!card) return;
  for (const verb of verbsOf(card).querySelectorAll("[data-key]")) {
    const label = `${verb.firstChild.textContent.trim()} · ${card.dataset.ref}`;
    event.detail.push({ label, key: verb.dataset.key, to: verb.closest("[data-to]")?.dataset.to, run: () => act(card, verb) });
  }
});
const moves = { j: () => step(1), k: () => step(-1), h: () => aside(-1), l: () => aside(1), ArrowDown: () => step(1), ArrowUp: () => step(-1), ArrowLeft: () => aside(-1), ArrowRight: () => aside(1) };
document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.documentElement.dataset.keys === "off" && key.length === 1) return;
  if (target.closest("input, textarea, select, [contenteditable], dialog, details[open]:is(.menu, .narrow), [popover]")) return;
  if (key.startsWith("Arrow") && !target.closest("[data-ref]")) return; // the page's own scrolling
  if (moves[key]) moves[key]();
  else if (!current) return;
  else if (key === "Escape" && chosen.size) chooseNone();
  else if ((key === "Enter" && target === document.body) || key === "o") linkOf(current).click();
  else if (key === "m" || key === ".") openMenu(current);
  else if (key === "y") navigator.clipboard?.writeText(linkOf(current).href).then(() => say("Link copied."));
  else if (key === "J" || key === "K") extend(key === "J" ? 1 : -1);
  else if (chosen.size && verbsForAll().some((verb) => keyOf(verb) === key)) actOnAll(verbsForAll().find((verb) => keyOf(verb) === key));
  else if (key.length === 1) {
    const verb = verbsOf(current).querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (verb) act(current, verb);
    else if (key === "e") location.assign(`${linkOf(current).href}#edit`);
    else return;
  } else return;
  event.preventDefault();
});

// ---- news of others, every 20 s while the page is looked at
let etag = root.dataset.etag ?? "";
let waiting = null; // the newest page with cards that are not shown yet
const newbar = document.createElement("button");
Object.assign(newbar, { type: "button", className: "newbar", hidden: true });
newbar.dataset.key = "r";
document.querySelector("main .page-h")?.append(newbar);
newbar.addEventListener("click", () => {
  newbar.hidden = true;
  root.replaceChildren(...waiting.childNodes);
  waiting = null;
  showChosen();
  rove(true);
});

function redraw(card, fresh) {
  const hadFocus = card.contains(document.activeElement);
  const isSelected = card === current;
  card.replaceWith(fresh);
  linkOf(fresh).tabIndex = -1;
  fresh.classList.add("changed");
  setTimeout(() => fresh.classList.remove("changed"), 1500);
  showChosen();
  if (isSelected) mark(fresh);
  if (hadFocus) linkOf(fresh).focus({ preventScroll: true });
}

async function poll() {
  if (document.visibilityState !== "visible" || document.querySelector("[data-ref] details[open], :popover-open")) return;
  const response = await fetch(root.dataset.poll, { headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store" });
  if (response.status !== 200 || response.redirected) return;
  etag = response.headers.get("ETag") ?? "";
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const next = page.querySelector("[data-poll]");
  if (!next) return;
  for (const place of document.querySelectorAll("[data-news]")) {
    const fresh = page.getElementById(place.id);
    if (fresh && !fresh.isEqualNode(place)) place.replaceChildren(...document.importNode(fresh, true).childNodes);
  }
  const here = new Map([...root.querySelectorAll("[data-ref]")].map((card) => [card.dataset.ref, card]));
  const there = new Map([...next.querySelectorAll("[data-ref]")].map((card) => [card.dataset.ref, card]));
  const left = new Map();
  for (const [ref, old] of here) {
    const card = there.get(ref);
    const place = card ? columnOf(card).dataset.status ?? "" : "gone";
    if (place !== (columnOf(old).dataset.status ?? "")) {
      if (old.dataset.moved !== place) left.set(old, place);
    } else if (card.dataset.v && card.dataset.v !== old.dataset.v) redraw(old, document.importNode(card, true));
  }
  const told = await markMoved(new Map([...left].slice(0, 100)));
  const arrived = [...there.values()].filter((card) => !here.has(card.dataset.ref));
  const reports = arrived.filter((card) => statusOf(card) === "new").length;
  const words = [
    reports && `${reports} new ${reports === 1 ? "report" : "reports"}`,
    arrived.length > reports && `${arrived.length - reports} more`,
    root.querySelectorAll(".moved").length && `${root.querySelectorAll(".moved").length} moved`,
  ].filter(Boolean).join(", ");
  if (!words) return;
  const isNews = newbar.hidden || newbar.firstChild.data !== `${words} · show `;
  if (isNews || told.length) say([...told, `${words}. Press r to show.`].join(" "));
  waiting = document.importNode(next, true);
  newbar.textContent = `${words} · show `;
  newbar.append(Object.assign(document.createElement("kbd"), { textContent: "r", ariaHidden: "true" }));
  newbar.hidden = false;
}

// says on each card, in the place of its area, what others did that took it away; the card itself stays where it is
async function markMoved(cards) {
  if (!cards.size) return [];
  const response = await fetch(`/bugs/news?${new URLSearchParams([...cards.keys()].map((card) => ["ref", card.dataset.ref]))}`);
  const news = new Map((await response.json()).items.map((each) => [each.ref, each]));
  const told = [];
  for (const [card, to] of cards) {
    const { ref } = card.dataset;
    const bug = news.get(ref);
    if (bug?.status === statusOf(card) && card.dataset.v?.startsWith(bug.version)) continue; // others took its place
    const isMoved = bug && bug.status !== statusOf(card);
    const words = isMoved ? bug.place : bug?.words ?? "not here any more";
    card.dataset.moved = to;
    const line = card.querySelector(".area, .ms, .muted");
    line.textContent = line.matches(".area") ? words : `${words} · ${ref}`;
    card.classList.add("moved", "changed");
    setTimeout(() => card.classList.remove("changed"), 1500);
    told.push(isMoved || !bug ? `${ref} is ${words}.` : `${ref}: ${words}`);
  }
  return told;
}
if (root.dataset.poll) setInterval(() => poll().catch(() => {}), Number(root.dataset.every ?? 20) * 1000);

const acted = sessionStorage.getItem(`${place} after`);
sessionStorage.removeItem(`${place} after`);
const asked = sessionStorage.getItem(`${place} asked`);
sessionStorage.removeItem(`${place} asked`);
if (asked && !document.querySelector(".toasts p")) sessionStorage.setItem(place, asked); // one came back and did nothing
rove(acted !== null);
tellPlace(acted && document.getElementById(acted));
