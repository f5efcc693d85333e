// Signing in again on a form whose sign-in has ended, so that nobody leaves the page with what was typed.
//   dialog#sign-in   holds the form that signs in: opened by "signed-out" on the document, closed by "signed-in"
// Whoever sends something says "signed-out" when the answer is 401, which brings a form token along, and tries again after "signed-in".
const form = document.querySelector("form[data-intake]");
const dialog = document.getElementById("sign-in");
const entry = dialog.querySelector("form");
const refusal = dialog.querySelector("[role=alert]");

document.addEventListener("signed-out", () => dialog.open || dialog.showModal());
document.addEventListener("signed-in", () => dialog.close());
entry.addEventListener("submit", async (event) => {
  if (event.submitter?.formMethod === "dialog") return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(entry));
  body.set("csrf_token", form.elements.csrf_token.value);
  refusal.textContent = "";
  const answer = await fetch(entry.action, { method: "POST", body, redirect: "manual" }).catch(() => null);
  if (answer?.type === "opaqueredirect") {
    entry.reset();
    document.dispatchEvent(new CustomEvent("signed-in"));
    return document.dispatchEvent(new CustomEvent("say", { detail: "You are signed in again." }));
  }
  const page = answer?.status === 422 && new DOMParser().parseFromString(await answer.text(), "text/html");
  refusal.textContent = page ? page.querySelector(".err li").textContent.trim() : "That did not work. Try again in a minute.";
  entry.elements.password?.focus();
});
