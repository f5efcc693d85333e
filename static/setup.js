// The duty page of the first run: three weeks of the plan, anew after each change. Without this file a button does it.
const form = document.querySelector("form[data-preview]");
const place = document.getElementById(form.dataset.preview);
let timer = 0;
let asked = null;

async function look() {
  asked?.abort();
  asked = new AbortController();
  const body = new URLSearchParams(new FormData(form));
  body.set("preview", "y");
  try {
    const answer = await fetch(form.action, { method: "POST", body, signal: asked.signal });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    place.replaceChildren(...page.getElementById(place.id).childNodes);
  } catch (error) {
    if (error.name !== "AbortError") place.replaceChildren();
  }
}

form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(look, 500);
});
