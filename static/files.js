// Files of a form: sent as soon as they are chosen, so that nothing of them is lost with a refused form.
//   form[data-intake] [data-files="/new/files"]   holds a list, a template of its rows and input[type=file]: each file is sent
//                    there at once → {id, name, size, url, thumbnail, removal}, or {refused} with 422;
//                    GET ?key= → {items: […]} brings them back after Back
const form = document.querySelector("form[data-intake]");
const say = (text) => document.dispatchEvent(new CustomEvent("say", { detail: text }));
const chooser = form.querySelector("[data-files]");
const shelf = chooser.querySelector("ul");
const picker = chooser.querySelector("input");
const TOO_LARGE = 413;
const REASONS = { 400: "your sign-in is too old", [TOO_LARGE]: "it is larger than 10 MB", 507: "the server's disk is full" };
const sending = new Set();
form.enctype = "application/x-www-form-urlencoded"; // the files are there already

async function send(file, row = shelf.appendChild(document.createElement("li"))) {
  const name = file.name || "screenshot.png";
  row.className = "file muted";
  row.textContent = `Sending ${name} …`;
  const body = new FormData();
  for (const field of ["csrf_token", "key"]) body.append(field, form.elements[field].value);
  body.append("files", file, name);
  try {
    if (file.size > 1e7) throw TOO_LARGE;
    const response = await fetch(chooser.dataset.files, { method: "POST", body, headers: { Accept: "application/json" } });
    if (response.status === 401) {
      form.elements.csrf_token.value = (await response.json()).csrf_token;
      row.textContent = `${name} is sent once you have signed in.`;
      const signedIn = new Promise((go) => document.addEventListener("signed-in", go, { once: true }));
      document.dispatchEvent(new CustomEvent("signed-out"));
      await signedIn;
      return send(file, row);
    }
    if (!response.ok && response.status !== 422) throw response.status;
    const item = await response.json();
    if (item.refused) return refuse(row, item.refused);
    const kept = line(item);
    document.getElementById(kept.id)?.remove(); // the same file again
    row.replaceWith(kept);
    say(`${name} is added.`);
    return true;
  } catch (error) {
    const reason = REASONS[error] || (error >= 500 ? "the server failed" : "there is no connection");
    refuse(row, `${name} was not added: ${reason}.`);
  }
}

function refuse(row, sentence) {
  row.className = "msg";
  row.textContent = sentence;
  say(sentence);
}

function line(item) {
  const row = chooser.querySelector("template").content.firstElementChild.cloneNode(true);
  const [link, size, button] = row.children;
  row.id = `file-${item.id}`;
  link.href = item.url;
  link.lastElementChild.textContent = item.name;
  if (item.thumbnail) link.querySelector("img").src = item.thumbnail;
  link.querySelector(item.thumbnail ? "svg" : "img").remove();
  size.textContent = item.size;
  button.formAction = item.removal;
  button.lastElementChild.textContent = ` ${item.name}`;
  return row;
}

function add(files) {
  shelf.querySelectorAll(".msg").forEach((each) => each.remove());
  for (const file of files) {
    const sent = send(file).finally(() => sending.delete(sent));
    sending.add(sent);
  }
}

picker.addEventListener("change", () => {
  add(picker.files);
  picker.value = "";
});
document.addEventListener("paste", (event) => {
  const { files, types } = event.clipboardData;
  if (!files.length || types.includes("text/plain")) return; // cells of a sheet come as a picture too
  event.preventDefault();
  add(files);
});
document.addEventListener("dragover", (event) => {
  if (event.dataTransfer.types.includes("Files")) event.preventDefault();
});
document.addEventListener("drop", (event) => {
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  add(event.dataTransfer.files);
});
shelf.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  event.preventDefault();
  const body = new URLSearchParams({ csrf_token: form.elements.csrf_token.value });
  const response = await fetch(button.formAction, { method: "POST", body, headers: { Accept: "application/json" } }).catch(() => null);
  if (!response?.ok && response?.status !== 404) return say("It could not be taken out. Try again.");
  button.closest("li").remove();
  picker.focus();
  say("Taken out.");
});
form.addEventListener("submit", (event) => {
  if (event.defaultPrevented || !sending.size) return;
  event.preventDefault();
  const { submitter } = event;
  Promise.all(sending).then((added) => {
    if (!added.every(Boolean)) return; // whoever sent it believes the file to be in it
    form.requestSubmit(submitter);
  });
});
if (["back_forward", "reload"].includes(performance.getEntriesByType("navigation")[0]?.type) && !form.querySelector(".err"))
  fetch(`${chooser.dataset.files}?${new URLSearchParams({ key: form.elements.key.value })}`)
    .then(async (response) => shelf.replaceChildren(...(await response.json()).items.map(line)))
    .catch(() => {});
