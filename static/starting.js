// Words that start from a sentence of the catalogue.
//   select[name=sentence]     its options say in data-words what each language reads; data-known is what is known of the bug
//   [name=version], [name=report]   what is known besides of the chosen option: data-words, else its own text
//   [name=gap]                stands for the gap; shown while the sentence has one
//   textarea[data-starts]     a language; empty: the one chosen in [name=language]. What somebody typed is left alone.
const sentence = document.querySelector("select[name=sentence]");
const GAP = "…";

function start(form) {
  const { gap, language, version, report } = form.elements;
  const known = JSON.parse(sentence.dataset.known);
  const notes = [...form.querySelectorAll("textarea[data-starts]")];
  const written = new Map(notes.map((note) => [note, ""])); // what this page itself put there

  const ofChoice = (select) => {
    const option = select?.selectedOptions[0];
    if (!option?.value) return {};
    return option.dataset.words && option.value !== "other" ? JSON.parse(option.dataset.words) : { [select.name]: { "": option.text } };
  };
  const filled = (text, spoken, words) => {
    let isKnown = true;
    const said = text.replace(/\{\{ *([a-z]+) *\}\}/g, (_braces, name) => {
      const value = words[name]?.[spoken] || words[name]?.[""];
      isKnown &&= Boolean(value);
      return value;
    });
    return isKnown ? said : "";
  };

  function fill() {
    const texts = JSON.parse(sentence.selectedOptions[0]?.dataset.words ?? "{}");
    const words = { ...known, ...ofChoice(version), ...ofChoice(report) };
    gap.closest(".f").hidden = !Object.values(texts).some((text) => text.includes(GAP));
    let count = 0;
    for (const note of notes) {
      if (note.value && note.value !== written.get(note)) continue;
      const spoken = note.dataset.starts || language.value;
      note.value = filled(texts[spoken] ?? "", spoken, words).replace(GAP, gap.value.trim() || GAP);
      written.set(note, note.value);
      if (note.value) count++;
    }
    return count;
  }

  form.addEventListener("change", (event) => {
    if (![sentence, version, report, language].includes(event.target)) return;
    const count = fill();
    if (event.target === sentence && count) document.dispatchEvent(new CustomEvent("say", { detail: `Filled in: ${count} of ${notes.length}.` }));
  });
  gap.addEventListener("input", fill);
  fill();
}

if (sentence) start(sentence.form);
