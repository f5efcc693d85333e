// Every staff page: what is said aloud, messages, menus, and single keys. No page needs it to work.
//   "say" events on document      {detail: text} is spoken by #live after 700 ms of quiet; messages are, and [data-say]
//   [data-key="x"]                is pressed by x (that of m by . too), unless it is inside [data-ref] (board.js looks after those)
//   a[data-go="x"]                is opened by g x          [data-open="id"]   opens that dialog
//   form[data-undo]               is sent by u, a message's before the menu's, which stands for ten minutes
//   [data-close]                  closes its message
//   [data-ref="BUG-158"]          is a bug of a list: show.js goes on from the list that one came from
// Off with <html data-keys="off">. Silent in input, textarea, select, open dialogs and with Ctrl, Alt or Meta.
const live = document.getElementById("live");
let quiet;
document.addEventListener("say", (event) => {
  clearTimeout(quiet);
  live.textContent = "";
  quiet = setTimeout(() => (live.textContent = event.detail), 700);
});

// ---- messages: ten seconds, longer under the pointer or with focus inside
const say = (text) => document.dispatchEvent(new CustomEvent("say", { detail: text }));
const toasts = document.querySelector(".toasts");
const news = [...document.querySelectorAll(".toasts p, [data-say]")];
if (news.length) say(news.map((each) => each.textContent.trim()).join(" "));
if (toasts) {
  let timer;
  const start = () => (timer = setTimeout(() => toasts.replaceChildren(), 10_000));
  const stop = () => clearTimeout(timer);
  toasts.addEventListener("pointerenter", stop);
  toasts.addEventListener("focusin", stop);
  toasts.addEventListener("pointerleave", start);
  toasts.addEventListener("focusout", start);
  start();
}

// ---- menus and dialogs
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  const opener = event.target.closest("[data-open]");
  if (opener) {
    opener.closest("details")?.removeAttribute("open");
    document.getElementById(opener.dataset.open).showModal();
  }
  event.target.closest("[data-close]")?.closest(".toast").remove();
  if (event.target.matches("dialog[open]")) event.target.close(); // the backdrop
});
document.addEventListener("focusin", (event) => {
  // A menu that one has left would cover what has the focus now.
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  const menu = event.target.closest("details.menu[open]");
  if (!menu) return;
  const rows = [...menu.querySelectorAll("a, button")].filter((row) => row.checkVisibility());
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) rows.at((rows.indexOf(document.activeElement) + step + (step < 0 && !rows.includes(document.activeElement) ? 1 : 0)) % rows.length).focus();
  else if (event.key === "Escape") {
    menu.open = false;
    menu.querySelector("summary").focus();
  } else return;
  event.preventDefault();
});

addEventListener("pagehide", () => {
  const refs = [...new Set([...document.querySelectorAll("main [data-ref]")].map((each) => each.dataset.ref))];
  if (refs.length) sessionStorage.setItem("around", JSON.stringify({ address: location.pathname + location.search, refs }));
});

// ---- a sent form is not sent again by a second click; Back makes it usable again
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post" || event.defaultPrevented) return;
  if (Date.now() - (event.target.dataset.sent ?? 0) < 15_000) event.preventDefault();
  else event.target.dataset.sent = Date.now();
});
addEventListener("pageshow", () => document.querySelectorAll("[data-sent]").forEach((form) => delete form.dataset.sent));

// ---- the palette is fetched when somebody goes to its field
const find = document.querySelector(".find");
find?.addEventListener("focusin", () => import(find.dataset.palette), { once: true });
document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || !find) return;
  event.preventDefault();
  find.querySelector("input").focus();
});

// ---- keys
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented && event.target.matches("input, textarea")) event.target.blur();
});
let afterG = 0;
document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey || key.length !== 1) return;
  if (document.documentElement.dataset.keys === "off" || document.querySelector("dialog[open]")) return;
  if (target.closest("input, textarea, select, [contenteditable]")) return;
  const name = CSS.escape(key === "." ? "m" : key);
  const wanted = event.timeStamp - afterG < 1500 && afterG ? `a[data-go="${name}"]` : `[data-key="${name}"]`;
  afterG = key === "g" ? event.timeStamp : 0;
  const found = [...document.querySelectorAll(wanted)].filter((each) => !each.closest("[data-ref], #board-menu")).at(-1);
  if (!found) return;
  event.preventDefault();
  if (found.matches("input, textarea, select")) {
    found.focus();
    found.select?.();
  } else {
    found.click();
    if (found.matches("summary")) found.focus();
  }
});
