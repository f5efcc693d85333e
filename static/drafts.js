// The words of a form that is not filed yet: they survive Back and reload, and are saved for later.
//   form[data-intake][data-drafts="/drafts"]   where they are sent after two seconds without a key, when something changed
//                    → {sentence, key, revision, hints}; with 401 once the sign-in has ended; {sentence} with 409 once it is filed;
//                    csrf_token comes along where that of the page may be too old
//   input[name=key]  "7.…": begins with the number of whoever fills the form in; nobody else is shown these words
//   #draft           the line that says what became of them
//   #drafts          what was begun and may be continued
// Without a connection they are kept in this browser, and a form that was sent is filed once it is back.
const form = document.querySelector("form[data-intake]");
const line = document.getElementById("draft");
const button = form.querySelector("[data-file]");
const label = button.firstChild.data;
const owner = form.elements.key.value.split(".")[0];
const place = `words ${owner} ${location.pathname}`;
const QUIET = 2000;
const AGAIN = 5000;
const say = (text) => document.dispatchEvent(new CustomEvent("say", { detail: text }));
const words = (...without) => {
  const body = new URLSearchParams(new FormData(form));
  for (const name of ["csrf_token", "files", ...without]) body.delete(name);
  return body;
};
const typed = () => String(words("key", "revision"));
const send = (to, body, more = {}) => {
  body.set("csrf_token", form.elements.csrf_token.value);
  return fetch(to, { method: "POST", body, headers: { Accept: "application/json" }, ...more });
};

const shelf = () => `draft ${form.elements.key.value}`;
const keepHere = () => localStorage.setItem(shelf(), JSON.stringify([form.dataset.drafts, String(words())]));

let saved = typed(); // null: whatever is typed now, it has to be sent
let pause;
let sending;
let isCutOff = false;
let isSent = false;
let isSignedOut = false;
let waiting; // the button that files it once there is a connection, and a sign-in

function tell(...nodes) {
  if (line.textContent !== nodes[0] && !(line.textContent && nodes[0].startsWith("Draft saved"))) say(nodes[0]);
  line.replaceChildren(...nodes);
}

async function save() {
  clearTimeout(pause);
  const now = typed();
  if (now === saved || isSent) return;
  const body = words();
  const here = shelf();
  sending?.abort();
  const mine = (sending = new AbortController());
  try {
    const response = await send(form.dataset.drafts, body, { signal: mine.signal });
    connected();
    const answer = await response.json();
    saved = now;
    localStorage.removeItem(here);
    for (const field of ["key", "revision", "csrf_token"]) if (field in answer) form.elements[field].value = answer[field];
    form.dispatchEvent(new CustomEvent("draft:hints", { detail: answer.hints }));
    tell(answer.sentence);
    const isOut = response.status === 401;
    if (isOut !== isSignedOut) document.dispatchEvent(new CustomEvent(isOut ? "signed-out" : "signed-in"));
    else if (isOut) offerSignIn();
  } catch (error) {
    if (error.name === "AbortError") return;
    saved = null;
    keepHere();
    if (error.name === "TypeError") cutOff();
    else tell("Not saved yet: the server failed. Your text is kept here.");
    pause = setTimeout(save, AGAIN);
  }
}

function cutOff() {
  isCutOff = true;
  saved = null;
  tell(waiting ? "No connection. It is filed once that is back." : "No connection. Your text is kept here.");
  button.firstChild.data = "File when back online ";
}

function connected() {
  if (!isCutOff) return;
  isCutOff = false;
  button.firstChild.data = label;
  if (waiting) setTimeout(() => form.requestSubmit(waiting));
}

// ---- a sign-in that has ended: what was typed is kept all the same, and filed after signing in, here or in another tab
function offerSignIn() {
  const opener = Object.assign(document.createElement("button"), { type: "button", className: "btn small", textContent: "Sign in" });
  opener.dataset.open = "sign-in";
  line.append(" ", opener);
}
document.addEventListener("signed-out", () => {
  if (!isSignedOut) offerSignIn();
  isSignedOut = true;
});
document.addEventListener("signed-in", () => {
  isSignedOut = false;
  line.querySelector("button")?.remove();
  if (waiting) form.requestSubmit(waiting);
});
document.getElementById("sign-in").addEventListener("close", () => {
  if (isSignedOut) waiting = undefined;
});
addEventListener("focus", () => {
  if (!isSignedOut) return;
  saved = null;
  save();
});

const later = () => {
  clearTimeout(pause);
  pause = setTimeout(save, QUIET);
};
form.addEventListener("input", later);
form.addEventListener("change", later);
addEventListener("offline", cutOff);
addEventListener("online", save);
form.addEventListener("submit", (event) => {
  if (event.defaultPrevented) return;
  if (isCutOff || isSignedOut) {
    event.preventDefault();
    waiting = event.submitter;
    return isCutOff ? cutOff() : document.dispatchEvent(new CustomEvent("signed-out"));
  }
  isSent = true;
  sending?.abort();
});

// ---- Back and reload, with the key that keeps them one report
const [entry] = performance.getEntriesByType("navigation");
const before = sessionStorage.getItem(place);
if (before && ["back_forward", "reload"].includes(entry?.type) && !form.querySelector(".err")) {
  const values = new URLSearchParams(before);
  for (const each of form.elements) {
    const other = values.get(each.dataset.other); // words that are not listed are a choice of their own
    if (other && !form.elements[each.dataset.other]) {
      each.add(new Option(other, "other"));
      form.append(Object.assign(document.createElement("input"), { type: "hidden", name: each.dataset.other, value: other }));
    }
    if (each.type === "radio" || each.type === "checkbox") each.checked = values.getAll(each.name).includes(each.value);
    else if (each.name && values.has(each.name)) each.value = values.get(each.name);
    if (each.matches("select")) each.dispatchEvent(new Event("change", { bubbles: true }));
  }
}
addEventListener("pagehide", () => {
  sessionStorage.setItem(place, words());
  if (isSent || typed() === saved) return;
  if (saved === null) keepHere();
  send(form.dataset.drafts, words(), { keepalive: true }).catch(() => {});
});
addEventListener("pageshow", () => (isSent = false));

// ---- what was kept here while there was no connection goes to the server, from where it can be continued
const left = Object.keys(localStorage).filter((name) => name.startsWith(`draft ${owner}.`) && name !== shelf());
Promise.all(
  left.map(async (name) => {
    const [to, body] = JSON.parse(localStorage.getItem(name));
    const response = await send(to, new URLSearchParams(body));
    if (response.ok || response.status === 409) localStorage.removeItem(name);
  }),
)
  .then(() => left.length && fetch(location.href))
  .then(async (response) => {
    const offers = document.getElementById("drafts");
    if (!response || !offers) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    offers.replaceChildren(...page.getElementById("drafts").childNodes);
  })
  .catch(() => {});
