// Hints beside the texts of a form: drafts.js hears them from the server, where what looks like a secret is masked too.
//   [data-hints="actual"]      where those about one text are shown; while somebody types in it, only that it holds a secret
//   form[data-masking]         where the texts are sent by a [data-mask] button → {steps, actual, expected}
const form = document.querySelector("form[data-intake]");
const say = (text) => document.dispatchEvent(new CustomEvent("say", { detail: text }));
let hints;

function line({ sentence, is_secret }) {
  const item = document.createElement("li");
  item.append(sentence);
  if (!is_secret) return item;
  const button = Object.assign(document.createElement("button"), { className: "btn small", textContent: "Mask it", formAction: form.dataset.masking });
  button.dataset.mask = "";
  item.append(" ", button);
  return item;
}

function draw() {
  if (!hints) return;
  for (const list of form.querySelectorAll("[data-hints]")) {
    const name = list.dataset.hints;
    const mine = hints.filter((hint) => hint.field === name && (hint.is_secret || document.activeElement !== form.elements[name]));
    const words = mine.map((hint) => hint.sentence).join(" ");
    if (words === list.dataset.words) continue;
    list.dataset.words = words;
    list.replaceChildren(...mine.map(line));
    if (words) say(words);
  }
}

form.addEventListener("draft:hints", (event) => {
  hints = event.detail;
  draw();
});
form.addEventListener("focusout", () => setTimeout(draw));
form.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-mask]");
  if (!button) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form));
  body.delete("files");
  const response = await fetch(button.formAction, { method: "POST", body, headers: { Accept: "application/json" } }).catch(() => null);
  if (!response?.ok) return say("It could not be masked. Try again.");
  for (const [name, text] of Object.entries(await response.json())) if (form.elements[name].value !== text) form.elements[name].value = text;
  form.elements[button.closest("[data-hints]").dataset.hints].focus();
  button.closest("li").remove();
  form.dispatchEvent(new Event("input"));
  say("Masked.");
});
