// A list you type into (ARIA APG: editable combobox, list autocomplete) on top of native form controls.
//   <select data-combo>            its options; option data-a="alias,alias" is searched, data-k="hint" is shown at the end;
//                                  data-agents: GET ?ua= → {value} reads what a browser says of itself;
//                                  data-placeholder; data-other="name" offers "Not listed: use …" and posts the words there
//   <input data-combo data-src>    rows from GET src?q= → {items: [{value, label, hint, …}]}; data-value names the hidden
//                                  input that posts the chosen value; the words themselves are posted too;
//                                  data-nothing: what is said where nothing is found; data-new="New customer" offers what
//                                  was typed as a row of that name
// The first keystroke empties the value, so nothing stale is ever posted. Tab or Enter takes the highlighted row, Esc
// puts back what was there and then leaves. The text is never completed inside the field: that breaks dictation.
// Events on the control: change; combo:known {item|null}; combo:unknown {text, isPicked}, a complete address nobody has,
// or what was typed once its row is picked.
const OTHER = "other";
const LETTERS = { đ: "d", ð: "d", ł: "l", ø: "o", ı: "i", ß: "ss", æ: "ae", œ: "oe", þ: "th" };
const fold = (text) =>
  text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "").replace(/[đðłøıßæœþ]/g, (letter) => LETTERS[letter]);
const wordsOf = (folded) => folded.split(/[^\p{L}\p{N}]+/u).filter(Boolean);

// Lower is better, -1 is no match: start of the label, starts of its words, of its aliases, initials, anywhere.
function rank(row, query, tokens) {
  if (row.folded.startsWith(query)) return 0;
  const starts = (words) => tokens.length > 0 && tokens.every((token) => words.some((word) => word.startsWith(token)));
  if (starts(row.words)) return 1;
  if (starts(row.both)) return 2;
  if (query.length > 1 && row.initials.includes(query)) return 3;
  return row.folded.includes(query) ? 4 : -1;
}

function indexed(row) {
  const folded = fold(row.label);
  const words = wordsOf(folded);
  const aliases = (row.aliases || "").split(",").flatMap((alias) => wordsOf(fold(alias)));
  return { ...row, folded, words, both: [...words, ...aliases], initials: words.map((word) => word[0]).join("") };
}

// The label with the letters that matched set off, as nodes: labels are other people's words.
function marked(label, tokens) {
  const nodes = [];
  let end = 0;
  for (const { 0: word, index } of label.matchAll(/[\p{L}\p{N}\p{M}]+/gu)) {
    const token = tokens.filter((each) => fold(word).startsWith(each)).sort((a, b) => b.length - a.length)[0];
    if (!token) continue;
    let length = 1;
    while (length < word.length && fold(word.slice(0, length)).length < token.length) length++;
    nodes.push(label.slice(end, index), make("mark", {}, word.slice(0, length)));
    end = index + length;
  }
  return [...nodes, label.slice(end)];
}

function combobox(input, source) {
  const list = make("div", { role: "listbox", id: `${input.id}-list`, "aria-label": "Options" });
  const note = make("p", { hidden: "" });
  const pop = make("div", { class: "pop", hidden: "" }, list, note);
  const box = make("div", { class: "combo" });
  const attributes = { role: "combobox", "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list" };
  for (const [name, value] of Object.entries({ ...attributes, autocomplete: "off", autocapitalize: "none", spellcheck: "false" }))
    input.setAttribute(name, value);
  const isFirst = document.activeElement === document.body && document.querySelector("[autofocus]:not([hidden])") === input;
  const hadFocus = document.activeElement === input || isFirst;
  input.replaceWith(box);
  box.append(input, pop);

  const menu = listbox(input, list, take, pop);
  let rows = [];
  let before = { value: source.value(), text: input.value };
  let ticket = 0; // of the newest search; older answers are dropped
  let takesFirst = false; // Tab or Enter came before the answer

  const showState = () => box.toggleAttribute("data-ok", Boolean(source.value()));
  const remember = () => (before = { value: source.value(), text: input.value });

  function draw(found, query, text = found.length === 0 && query ? source.nothing : "") {
    const tokens = wordsOf(query);
    const wasOpen = menu.isOpen;
    rows = found;
    note.textContent = text;
    note.hidden = !text;
    menu.show(
      rows.map((row) => ({ ...row, parts: row.isOther ? [`${source.offer} “${row.label}”`] : marked(row.label, tokens) })),
      rows.length > 0 || text !== "",
    );
    if (wasOpen || !menu.isOpen) return; // the place is measured once, not at every key
    const field = input.getBoundingClientRect();
    const floor = document.querySelector(".foot")?.getBoundingClientRect().top ?? innerHeight;
    const room = floor - field.bottom;
    pop.classList.toggle("up", room < Math.min(pop.offsetHeight, 312) + 8 && field.top - 60 > room);
  }

  function offer(found, query) {
    draw(found, query);
    const listed = rows.filter((row) => !row.isOther).length;
    menu.light(query ? (listed ? 0 : -1) : rows.findIndex((row) => row.value === source.value()));
    if (!query) return;
    say(listed ? `${listed} ${listed === 1 ? "option" : "options"}. ${rows[0].label} highlighted.` : "No match.");
  }

  async function search(text) {
    const mine = ++ticket;
    const query = fold(text.trim());
    const found = source.find(query, text.trim());
    if (Array.isArray(found)) return offer(found, query);
    menu.light(-1); // what is highlighted answers older words: Tab must not take it
    const slow = setTimeout(() => {
      box.toggleAttribute("data-busy", true);
      if (!menu.isOpen && document.activeElement === input) draw([], query, "Searching…");
    }, 300);
    try {
      const items = await found;
      if (mine !== ticket) return;
      offer(items, query);
      if (takesFirst && menu.at >= 0) take(menu.at, false);
      else if (document.activeElement !== input) menu.close();
    } catch (error) {
      if (mine === ticket && error.name !== "AbortError") draw([], query, "Could not look. Go on typing, or try again.");
    } finally {
      clearTimeout(slow);
      if (mine === ticket) {
        takesFirst = false;
        box.removeAttribute("data-busy");
      }
    }
  }

  function take(index, aloud = true) {
    const row = rows[index];
    if (!row) return;
    ticket++;
    box.removeAttribute("data-busy");
    source.take(row);
    input.value = row.label;
    menu.close();
    showState();
    remember();
    if (aloud || document.activeElement !== input) say(`${row.label} chosen.`);
  }

  input.addEventListener("input", (event) => {
    takesFirst = false;
    source.clear();
    showState();
    if (!event.isComposing) search(input.value);
  });
  input.addEventListener("compositionend", () => search(input.value));
  input.addEventListener("focus", () => {
    remember();
    input.select();
  });
  input.addEventListener("click", () => menu.isOpen || search(source.value() ? "" : input.value));
  input.addEventListener("blur", () => {
    const exact = rows.filter((row) => !row.isOther && fold(row.label) === fold(input.value.trim()));
    if (!source.value() && exact.length === 1) take(rows.indexOf(exact[0]));
    if (!takesFirst) menu.close();
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    const step = stepOf(event);
    if (step && event.altKey) {
      event.preventDefault();
      if (step > 0 && !menu.isOpen) search(source.value() ? "" : input.value);
      if (step < 0) menu.close();
    } else if (step) {
      event.preventDefault();
      const wasOpen = menu.isOpen;
      if (!wasOpen) search(source.value() ? "" : input.value);
      if (rows.length === 0 || !menu.isOpen) return;
      if (wasOpen || menu.at < 0) menu.step(step);
      say(`${list.children[menu.at].firstChild.textContent}, ${menu.at + 1} of ${rows.length}.`);
    } else if (event.key === "Enter" || (event.key === "Tab" && !event.shiftKey)) {
      if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) event.preventDefault(); // never sends the form
      if (menu.isOpen && menu.at >= 0) take(menu.at);
      else if (source.isSearching() && !source.value() && input.value.trim()) {
        takesFirst = true;
        source.hurry();
      }
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      if (!menu.isOpen && input.value === before.text) return input.blur();
      ticket++;
      menu.close();
      if (input.value === before.text) return;
      source.restore(before.value);
      input.value = before.text;
      showState();
    }
  });
  const refresh = () => {
    if (document.activeElement === input && input.value !== before.text) return; // somebody is typing
    source.show();
    showState();
    remember();
  };
  source.onOutsideChange(refresh);
  addEventListener("pageshow", refresh);
  input.form?.addEventListener("reset", () => setTimeout(refresh));
  showState();
  if (hadFocus) input.focus(); // moving it took the focus away
}

function fromSelect(select) {
  const id = select.id;
  const copied = ["aria-describedby", "aria-invalid", "aria-required"].map((name) => [name, select.getAttribute(name)]);
  const input = make("input", { type: "text", placeholder: select.dataset.placeholder || null, ...Object.fromEntries(copied) });
  input.disabled = select.disabled;
  input.autofocus = select.autofocus;
  select.id = `${id}-value`;
  input.id = id;
  select.hidden = true;
  select.before(input);
  let index;
  const learn = () =>
    (index ??= [...select.options]
      .filter((option) => option.value && option.value !== OTHER && !option.disabled)
      .map((option) => indexed({ value: option.value, label: option.text, hint: option.dataset.k, aliases: option.dataset.a })));
  input.addEventListener("focus", () => setTimeout(learn)); // before the first key, which would wait for it
  let isOurs = false;
  const set = (value) => {
    if (select.value === value) return;
    select.value = value;
    isOurs = true;
    select.dispatchEvent(new Event("change", { bubbles: true }));
    isOurs = false;
  };
  const words = () => select.form?.elements[select.dataset.other];
  const source = {
    nothing: "Nothing matches.",
    offer: "Not listed: use",
    value: () => select.value,
    clear: () => set(""),
    restore: set,
    isSearching: () => false,
    hurry() {},
    show: () => (input.value = select.value ? select.selectedOptions[0].text : ""),
    onOutsideChange: (refresh) => select.addEventListener("change", () => isOurs || refresh()),
    find(query, text) {
      learn();
      if (!query) return index;
      if (select.dataset.agents && /^Mozilla\/\d/.test(text)) {
        const meant = (answer) => index.filter((row) => row.value === answer.value);
        return fetch(`${select.dataset.agents}?ua=${encodeURIComponent(text)}`).then((response) => response.json()).then(meant);
      }
      const tokens = wordsOf(query);
      const found = [[], [], [], [], []];
      for (const row of index) found[rank(row, query, tokens)]?.push(row);
      const rows = found.flat().slice(0, 24);
      const isListed = rows.some((row) => row.folded === query);
      return select.dataset.other && !isListed ? [...rows, { isOther: true, label: text }] : rows;
    },
    take(row) {
      if (row.isOther) {
        [...select.options].find((option) => option.value === OTHER) || select.add(new Option("", OTHER));
        [...select.options].find((option) => option.value === OTHER).text = row.label;
        const field = words() || select.form.appendChild(make("input", { type: "hidden", name: select.dataset.other }));
        field.value = row.label;
      }
      set(row.isOther ? OTHER : row.value);
    },
  };
  source.show();
  combobox(input, source);
}

function fromServer(input) {
  const hidden = document.getElementById(input.dataset.value);
  const known = new Map();
  let current = null; // {controller, start, query}
  const tell = (name, detail) => input.dispatchEvent(new CustomEvent(`combo:${name}`, { bubbles: true, detail }));
  const looksComplete = (text) => /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/.test(text);
  const isIn = (row, query) => [row.email, row.label, row.hint].some((words) => words && fold(words).includes(query));
  const withNew = (items, query, text) => {
    const isKnown = items.some((row) => [row.email, row.label].some((words) => words && fold(words) === query));
    return input.dataset.new && query && !isKnown ? [...items, { isOther: true, label: text }] : items;
  };
  let last = null; // the row that was taken
  const source = {
    nothing: input.dataset.nothing ?? "Nobody found. A complete e-mail address adds a new one.",
    offer: `${input.dataset.new}:`,
    value: () => hidden.value,
    clear() {
      hidden.value = "";
      if (!looksComplete(input.value.trim())) tell("known", { item: null });
    },
    restore(value) {
      hidden.value = value;
      if (value && last?.value === value) tell("known", { item: last });
    },
    isSearching: () => current !== null,
    hurry: () => current?.start(),
    show() {},
    onOutsideChange: (refresh) => input.addEventListener("combo:sync", refresh),
    find(query, text) {
      current?.controller.abort();
      current = null;
      const done = (items) => {
        if (looksComplete(text) && !items.some((row) => isIn(row, query))) tell("unknown", { text });
        return withNew(items, query, text);
      };
      if (known.has(query)) return done(known.get(query));
      const controller = new AbortController();
      const mine = (current = { controller, start() {} });
      const answer = new Promise((resolve) => {
        const timer = setTimeout(resolve, query ? 150 : 0);
        mine.start = () => (clearTimeout(timer), resolve());
      })
        .then(() => fetch(`${input.dataset.src}?q=${encodeURIComponent(text)}`, { signal: controller.signal, headers: { Accept: "application/json" } }))
        .then((response) => (response.ok ? response.json() : Promise.reject(new Error(response.status))))
        .then(({ items }) => {
          known.set(query, items);
          return done(items);
        });
      return answer.finally(() => (current === mine ? (current = null) : null));
    },
    take(row) {
      if (row.isOther) return tell("unknown", { text: row.label, isPicked: true });
      last = row;
      hidden.value = row.value;
      input.value = row.label;
      input.dispatchEvent(new Event("change", { bubbles: true }));
      tell("known", { item: row });
    },
  };
  combobox(input, source);
}

for (const control of document.querySelectorAll("[data-combo]")) (control.matches("select") ? fromSelect : fromServer)(control);
