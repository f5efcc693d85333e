// File a bug, or attach a customer to one: known bugs beside the form, the customer, and keys.
//   <form data-intake>                     with button[data-file] that files it
//   .rail[data-src="/new/similar"]         holds #known (filled here), #known-count, .calm-box (what to read while empty)
//   select[name=area], [name=symptom]      their choice asks GET src?area=&symptom=&text= (and the words that are not listed) → {items: [{ref, title, status,
//                                          status_label, people_waiting, age, why, attach_url}], intended: {note, declines: [{title, url}], more, more_url}}
//   [data-areas="3 8"]                     holds a list that is asked for these areas only: seen (data-asked) and kept there
//   #new-customer                          hidden, and shown for somebody nobody knows (combo:unknown)
//   #customer-note                         a line about the chosen customer: item.note; item.platform and item.version
//                                          fill the lists of those names, unless a person chose or it is [data-asked]
//   input[name=filled]                     names those lists, until a person chooses in them or the customer changes
//   #customer-history[data-src]            what src/{id}/history says of the customer who is chosen
// Where there is no rail, as on the page that attaches, everything but the known bugs works the same.
const form = document.querySelector("form[data-intake]");
const rail = form.querySelector(".rail[data-src]");
const list = document.getElementById("known");
const count = document.getElementById("known-count");
const intended = document.getElementById("intended");
const calm = rail?.querySelector(".calm-box");
const say = (text) => document.dispatchEvent(new CustomEvent("say", { detail: text }));
const make = (tag, className, ...children) => {
  const node = document.createElement(tag);
  node.className = className;
  node.append(...children);
  return node;
};

// ---- known bugs that look the same
let asked = "";
let shown = "";
let asking;
let pause;
const empty = [...(calm?.childNodes ?? [])].map((node) => node.cloneNode(true));

// Once both are chosen the panel is a tab stop, before the answer too: Tab lands in the same place at any speed.
function look(delay = 0) {
  if (!rail) return;
  clearTimeout(pause);
  const areBoth = form.elements.area.value && form.elements.symptom.value;
  rail.toggleAttribute("data-chosen", Boolean(areBoth));
  if (!areBoth) list.removeAttribute("tabindex");
  else if (!list.children.length) list.tabIndex = 0;
  pause = setTimeout(ask, delay);
}

async function ask() {
  const area = form.elements.area.value;
  const symptom = form.elements.symptom.value;
  const text = ["actual", "expected", "steps"].map((name) => form.elements[name]?.value.trim() || "").join(" ").slice(0, 400);
  if (!area || !symptom) {
    asking?.abort();
    asked = "";
    drawIntended();
    return draw([], empty);
  }
  const words = ["area_other", "symptom_other"].map((name) => [name, form.elements[name.replace("_other", "")].value === "other" && form.elements[name]?.value]);
  const query = new URLSearchParams({ area, symptom, text, ...Object.fromEntries(words.filter(([, typed]) => typed)) }).toString();
  if (query === asked) return;
  asked = query;
  asking?.abort();
  asking = new AbortController();
  try {
    const response = await fetch(`${rail.dataset.src}?${query}`, { signal: asking.signal, headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(response.status);
    const answer = await response.json();
    drawIntended(answer.intended);
    draw(answer.items.slice(0, 3), ["No known bug looks like this. Yours is the first."]);
  } catch (error) {
    if (error.name === "AbortError") return;
    asked = "";
    draw([], ["Could not look for known bugs. File it anyway, we check on arrival."]);
  }
}

function card(item, index) {
  const then = { live: ": which version do they have?", declined: " and read why it stays" };
  const goes = `Attach this customer${then[item.status] ?? ""}`;
  const key = make("kbd", "", "↵");
  key.setAttribute("aria-hidden", "true");
  const waiting = item.people_waiting ? `${item.people_waiting} waiting` : "nobody waits";
  const button = make(
    "button",
    "dup",
    make("span", "dt", item.title),
    make("span", "dm", make("span", `chip st-${item.status}`, item.status_label), ...[item.ref, waiting, item.age].filter(Boolean).map((words) => make("span", "", words))),
    make("span", "why", item.why || ""),
    make("span", "go", goes, ...(index ? [] : [key])),
  );
  button.type = "button";
  button.tabIndex = index ? -1 : 0;
  button.addEventListener("click", () => attach(item));
  return button;
}

function drawIntended({ note = "", declines = [], more = 0, more_url } = {}) {
  if (!intended) return;
  intended.hidden = !note && !declines.length;
  intended.querySelector("p").textContent = note;
  const link = ({ title, url }) => Object.assign(make("a", "link", title), { href: url, target: "_blank", rel: "noopener" });
  intended.querySelector("ul").replaceChildren(...declines.map((bug) => make("li", "", link(bug))), ...(more ? [make("li", "", link({ title: `${more} more, among all that was declined here`, url: more_url }))] : []));
}

function draw(items, words) {
  const refs = items.map((item) => item.ref).join();
  calm.replaceChildren(...words);
  calm.hidden = items.length > 0;
  count.hidden = items.length === 0;
  count.textContent = items.length || "";
  const hadFocus = list.contains(document.activeElement);
  const focused = Math.max(0, [...list.children].indexOf(document.activeElement));
  list.replaceChildren(...items.map(card));
  if (items.length) list.removeAttribute("tabindex");
  else if ("chosen" in rail.dataset) list.tabIndex = 0;
  if (hadFocus) (list.children[Math.min(focused, items.length - 1)] ?? list).focus();
  if (refs && refs !== shown)
    say(`${items.length} known ${items.length === 1 ? "bug looks" : "bugs look"} the same. Press Tab to review ${items.length === 1 ? "it" : "them"}.`);
  shown = refs;
}

function attach(item) {
  form.querySelector("[name=bug]")?.remove();
  const button = make("button", ""); // it stays, for a form that has to wait
  Object.assign(button, { type: "submit", name: "bug", value: item.ref, hidden: true, formNoValidate: true });
  button.formAction = item.attach_url + (form.dataset.panel || "");
  form.append(button);
  form.requestSubmit(button);
}

list?.addEventListener("keydown", (event) => {
  const cards = [...list.children];
  const at = cards.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: cards.length - 1 }[event.key];
  if (at < 0 || to === undefined) return;
  event.preventDefault();
  const next = cards.at(to % cards.length);
  cards.forEach((each) => (each.tabIndex = each === next ? 0 : -1));
  next.focus();
});
form.addEventListener("change", (event) => {
  if (["area", "symptom"].includes(event.target.name)) look();
});
document.addEventListener("signed-in", () => look());
form.addEventListener("input", (event) => {
  if (event.target.matches("textarea")) look(500);
});
// Tab brings only the first line of a text into sight, and the bar at the bottom would cover the rest.
form.addEventListener("focusin", (event) => event.target.matches("textarea") && event.target.scrollIntoView({ block: "nearest" }));

// ---- lists of some areas only: a choice that the area makes impossible is cleared, and only that
const narrowed = [...form.querySelectorAll("[data-areas]")];
function narrow() {
  const area = form.elements.area.value;
  if (!area) return; // somebody is typing
  for (const box of narrowed) {
    const select = box.querySelector("select");
    const isAsked = box.dataset.areas.split(" ").includes(area);
    box.toggleAttribute("data-asked", isAsked);
    if (isAsked || !select.value) continue;
    select.value = "";
    select.dispatchEvent(new Event("change", { bubbles: true }));
    say(`${box.querySelector("label").textContent.trim()} is not asked for this area, and is empty again.`);
  }
}
form.addEventListener("change", (event) => event.target.name === "area" && narrow());

// ---- the customer
const newcomer = document.getElementById("new-customer");
const note = document.getElementById("customer-note");
const standing = note?.dataset.unknown;
form.addEventListener("combo:unknown", ({ detail: { text, isPicked } }) => {
  const isAddress = text.includes("@");
  const name = form.elements.new_name;
  if (isPicked && !isAddress && !name.value) name.value = text;
  const country = text.split(".").pop().toLowerCase();
  const spoken = newcomer?.hidden && newcomer.querySelector(`option[data-countries~="${CSS.escape(country)}"]`);
  if (spoken) spoken.selected = true; // a guess from the address, shown and changeable
  if (newcomer?.hidden) say("New customer: tell us name, company and language.");
  if (newcomer) newcomer.hidden = false;
  recall();
});
const past = document.getElementById("customer-history");
let recalled;
async function recall(number) {
  if (!past) return;
  recalled = number;
  const answer = number && (await fetch(`${past.dataset.src}/${number}/history`).catch(() => null));
  const page = answer?.ok && !answer.redirected ? await answer.text() : "";
  if (recalled === number) past.replaceChildren(...new DOMParser().parseFromString(page, "text/html").body.children);
}
form.addEventListener("combo:known", ({ detail: { item } }) => {
  if (newcomer) newcomer.hidden = true;
  const filled = fill(item ?? {});
  if (note) note.textContent = item?.note ? [item.note, FILLED[filled]].filter(Boolean).join(" ") : standing;
  recall(item?.value);
});

// What a customer's last report says of platform and version; what a person chose stays.
const FILLED = {
  platform: "The platform is filled in from it.",
  version: "The version is filled in from it.",
  "platform version": "Platform and version are filled in from it.",
};
let isFilling = false;
const filledLists = () => form.elements.filled?.value.split(" ").filter(Boolean) ?? [];
function fill(item) {
  const before = filledLists();
  const now = [];
  for (const name of ["platform", "version"]) {
    const select = form.elements[name];
    if (!select || "asked" in select.dataset || (select.value && !before.includes(name))) continue;
    const was = select.value;
    select.value = item[name] ?? "";
    if (select.value) now.push(name);
    isFilling = true;
    if (select.value !== was) select.dispatchEvent(new Event("change", { bubbles: true }));
    isFilling = false;
  }
  if (form.elements.filled) form.elements.filled.value = now.join(" ");
  return now.join(" ");
}
form.addEventListener("change", ({ target }) => {
  if (!isFilling && filledLists().includes(target.name)) form.elements.filled.value = filledLists().filter((name) => name !== target.name).join(" ");
});

// Whoever has no address is found by the name that is added: both say the same.
form.elements.new_name?.addEventListener("input", ({ target }) => {
  const { customer, customer_id: known } = form.elements;
  if (customer.value.trim() && !customer.value.includes("@") && !known.value) customer.value = target.value;
});

// ---- keys: digits choose how bad it is, Ctrl+Enter files, with Shift and begins another, Enter alone never does
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  form.requestSubmit((event.shiftKey && form.querySelector("[data-another]")) || form.querySelector("[data-file]"));
});
form.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key === "Enter" && event.target.matches("input")) event.preventDefault();
  const digit = event.target.closest("[data-digits]")?.querySelectorAll("input")[Number(event.key) - 1];
  if (digit && !event.ctrlKey && !event.altKey && !event.metaKey) {
    digit.focus();
    digit.click();
  }
});

narrow();
look();
