// The list under a field one types into (ARIA APG: the focus stays in the field), for scripts joined with this one.
//   listbox(field, list, take, pop)   take(index): a row was clicked; pop: what opens
//   rows                              {label, hint or key, parts: nodes instead of the label}
const say = (text) => document.dispatchEvent(new CustomEvent("say", { detail: text }));
const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) node.setAttribute(name, value);
  node.append(...children);
  return node;
};

function listbox(field, list, take, pop = list) {
  let options = [];
  let at = -1;
  let isScrolled = false;
  const isCombobox = field.getAttribute("role") === "combobox";
  const box = {
    get at() {
      return at;
    },
    get isOpen() {
      return !pop.hidden;
    },
    show(rows, isOpen = rows.length > 0) {
      options = rows.map(({ label, parts, hint, key, isOther }, index) => {
        return make(
          "div",
          { class: `opt-row${isOther ? " other" : ""}`, role: "option", id: `${list.id}-${index}`, "aria-selected": "false" },
          make("span", {}, ...(parts ?? [label])),
          ...(key || hint ? [make(key ? "kbd" : "span", { class: "k" }, key || hint)] : []),
        );
      });
      list.replaceChildren(...options);
      pop.hidden = !isOpen;
      at = -1;
      field.removeAttribute("aria-activedescendant");
      if (isCombobox) field.setAttribute("aria-expanded", String(isOpen && rows.length > 0));
    },
    light(index) {
      options[at]?.setAttribute("aria-selected", "false");
      at = options[index] ? index : -1;
      if (at < 0) return field.removeAttribute("aria-activedescendant");
      options[at].setAttribute("aria-selected", "true");
      if (at > 0 || isScrolled) options[at].scrollIntoView({ block: "nearest" });
      field.setAttribute("aria-activedescendant", options[at].id);
    },
    step(by) {
      const count = options.length;
      if (count) box.light((at + by + count + (at < 0 && by < 0 ? 1 : 0)) % count);
    },
    close() {
      pop.hidden = true;
      box.light(-1);
      if (isCombobox) field.setAttribute("aria-expanded", "false");
    },
  };
  pop.addEventListener("scroll", () => (isScrolled = pop.scrollTop > 0), { passive: true });
  for (const kind of ["pointerdown", "mousedown"]) pop.addEventListener(kind, (event) => event.preventDefault()); // the field keeps the focus
  pop.addEventListener("click", (event) => {
    const index = options.indexOf(event.target.closest("[role=option]"));
    if (index >= 0) take(index);
  });
  return box;
}
const stepOf = (event) => ({ ArrowDown: 1, ArrowUp: -1 })[event.key];
