// Buttons that copy what another element says: <button data-copy="id" hidden>. Without JavaScript they stay hidden.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  const label = button.textContent;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    let done = false;
    try {
      await navigator.clipboard.writeText(source.textContent);
      done = true;
    } catch {
      getSelection().selectAllChildren(source); // no clipboard over plain http: one key is left to press
    }
    button.textContent = done ? "Copied" : "Selected: press Ctrl C";
    document.dispatchEvent(new CustomEvent("say", { detail: `${button.textContent}.` }));
    setTimeout(() => (button.textContent = label), 4000);
  });
}
