// The page of one bug.
//   form[data-saves]     is sent as soon as one of its lists has a new choice; its button is for those without scripts
//   [data-copy-link]     copies the bug's own address     #edit in the address goes to the first field of that part
//   [data-around]        gets links to the bug before and after this one, in the list that one came from (J and K);
//                        keys.js leaves that list in sessionStorage as "around": its address and its references;
//                        the numbers of the last five bugs stay in localStorage as "opened", for palette.js
//   [data-bug]           gets a line of what others did since [data-event]; asked every 20 s while the page is looked at
const around = document.querySelector("[data-around]");
const list = JSON.parse(sessionStorage.getItem("around") ?? "null");
const at = list?.refs.indexOf(around?.dataset.around) ?? -1;

function link(ref, key, words) {
  const a = Object.assign(document.createElement("a"), { className: "btn small quiet", href: `/bugs/${ref}`, textContent: `${words} ` });
  a.dataset.key = key;
  a.append(Object.assign(document.createElement("kbd"), { textContent: key, ariaHidden: "true" }));
  return a;
}

if (at >= 0) {
  const [before, after] = [list.refs[at - 1], list.refs[at + 1]];
  const place = Object.assign(document.createElement("span"), { className: "muted", textContent: `${at + 1} / ${list.refs.length}` });
  around.append(place, ...(after ? [link(after, "J", around.dataset.next)] : []), ...(before ? [link(before, "K", around.dataset.previous)] : []));
  for (const back of document.querySelectorAll("[data-back]")) back.href = list.address;
}

for (const copy of document.querySelectorAll("[data-copy-link]")) {
  copy.hidden = false;
  copy.addEventListener("click", () =>
    navigator.clipboard?.writeText(location.origin + location.pathname).then(() => document.dispatchEvent(new CustomEvent("say", { detail: "Link copied." }))),
  );
}
if (location.hash === "#edit") document.querySelector("#edit input:not([type=hidden])")?.focus();
if (around) {
  const before = JSON.parse(localStorage.getItem("opened") ?? "[]");
  const number = Number(around.dataset.around.slice(4));
  localStorage.setItem("opened", JSON.stringify([number, ...before.filter((each) => each !== number)].slice(0, 5)));
}

const kept = sessionStorage.getItem("saved");
sessionStorage.removeItem("saved");
if (kept) addEventListener("load", () => document.getElementById(kept)?.focus());

for (const form of document.querySelectorAll("form[data-saves]")) {
  form.addEventListener("submit", () => sessionStorage.setItem("saved", document.activeElement?.id ?? ""));
  form.addEventListener("change", (event) => {
    if (event.target.matches("select")) form.requestSubmit();
  });
  form.addEventListener("focusout", (event) => {
    if (event.target.matches("[type=text]:not([role])") && event.target.value !== event.target.defaultValue) form.requestSubmit();
  });
}

const news = document.querySelector("[data-bug]");
const line = Object.assign(document.createElement("p"), { className: "bar calm later", hidden: true });
line.append("", Object.assign(document.createElement("a"), { className: "link", href: location.pathname, textContent: "Show" }));
news?.after(line);
let etag = "";
let told = Number(news?.dataset.event);
async function ask() {
  if (document.visibilityState !== "visible") return;
  const response = await fetch(`/bugs/news?ref=${news.dataset.bug}`, { headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store" });
  if (response.status !== 200 || response.redirected) return;
  etag = response.headers.get("ETag") ?? "";
  const [bug] = (await response.json()).items;
  if (!bug || bug.event <= told) return;
  told = bug.event;
  line.firstChild.data = `${bug.words} `;
  line.hidden = false;
  document.dispatchEvent(new CustomEvent("say", { detail: bug.words }));
}
if (news) setInterval(() => ask().catch(() => {}), Number(news.dataset.every ?? 20) * 1000);
