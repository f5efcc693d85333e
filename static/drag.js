// Cards of the board by pointer: dropped on a column they do what the verb does that leads there. Everything else about
// a verb, its form, its key and its undo, is board.js's; a verb says with data-to where it brings a card.
const board = document.getElementById("board");
const leadsSomewhere = document.getElementById("verbs")?.content.querySelector("[data-to]");
const places = () => [...document.querySelectorAll("[data-status]:is(.col, .rails > details)")];
let verbs = new Map(); // of the card that is dragged: by the status that each leads to

function verbsOf(card) {
  card.querySelector(".t").focus({ preventScroll: true }); // board.js acts on the card that has the focus
  const found = [];
  document.dispatchEvent(new CustomEvent("verbs", { detail: found }));
  return new Map(found.filter((verb) => verb.to).map((verb) => [verb.to, verb]));
}

function end() {
  verbs = new Map();
  for (const place of places()) place.classList.remove("may", "over");
}

const placeOf = (event) => {
  const place = event.target.closest?.("[data-status]:is(.col, .rails > details)");
  return place && verbs.has(place.dataset.status) ? place : null;
};

if (board && leadsSomewhere) {
  for (const card of board.querySelectorAll(".card")) card.draggable = true;
  board.addEventListener("pointerover", ({ target }) => {
    const card = target.closest(".card"); // one that another poll brought
    if (card) card.draggable = true;
  });
  board.addEventListener("dragstart", (event) => {
    const card = event.target.closest?.(".card");
    if (!card) return;
    verbs = verbsOf(card);
    event.dataTransfer.setData("text/plain", card.dataset.ref);
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setDragImage(card, 12, 12);
    for (const place of places()) place.classList.toggle("may", verbs.has(place.dataset.status));
  });
  document.addEventListener("dragover", (event) => {
    const over = placeOf(event);
    for (const place of places()) place.classList.toggle("over", place === over);
    if (over) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    const place = placeOf(event);
    if (!place) return;
    event.preventDefault();
    const verb = verbs.get(place.dataset.status);
    end();
    verb.run();
  });
  document.addEventListener("dragend", end);
}
