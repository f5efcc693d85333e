({ // what a test asks a page about itself; evaluated as it stands
  // Everything to hit that is smaller than 24 points and has not as much room to itself, or, where it is what a phone's
  // page is for, smaller than 44 (WCAG 2.2, 2.5.8); links in sentences are exempt.
  small: (isPhone) => {
    const all = [...document.querySelectorAll("a, button, summary, select, input:not([type=hidden]), textarea")]
      .filter((each) => each.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !each.matches(".skip"))
      .map((each) => (each.matches("[type=radio], [type=checkbox]") ? each.closest("label") : each))
      .map((each) => [each, each.getBoundingClientRect()])
      .filter(([, box]) => box.width);
    const isNear = (box, x, y, reach) =>
      Math.hypot(Math.max(box.left - x, 0, x - box.right), Math.max(box.top - y, 0, y - box.bottom)) < reach;
    return all
      .filter(([each, box]) => {
        if (isPhone && each.matches("main .primary")) return Math.min(box.width, box.height) < 43.5;
        if (Math.min(box.width, box.height) > 23.5 || each.closest("p, li")) return false;
        return all.some(([other, its]) => other !== each && isNear(its, (box.left + box.right) / 2, (box.top + box.bottom) / 2, 12));
      })
      .map(([each]) => each.outerHTML.slice(0, 120));
  },

  // What is wrong with the focus as it is; null once every stop was seen.
  focus: () => {
    const it = document.activeElement;
    if (!it || it === document.body || it.dataset.seen) return null;
    it.dataset.seen = "1";
    const isBox = it.matches("[type=radio], [type=checkbox]");
    const target = isBox ? it.closest("label") : it;
    const rings = [it, target, it.nextElementSibling, it.closest(".rail")?.querySelector(".calm-box")];
    const isRinged = rings.some((each) => {
      const style = each && getComputedStyle(each);
      return style && ((style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2) || style.boxShadow !== "none");
    });
    const box = target.getBoundingClientRect();
    const middle = (box.left + box.right) / 2;
    const points = [[middle, box.top - 1], [middle, box.bottom + 1], [box.left - 1, box.top + 1], [box.right + 1, box.bottom - 1]];
    const bars = [...document.querySelectorAll(".top, .foot")].filter((bar) => !bar.contains(it) && !it.matches(".skip"));
    const isCovered = points.some(([x, y]) => bars.some((bar) => bar.contains(document.elementFromPoint(x, y))));
    const isThere = box.bottom > 0 && box.top < innerHeight;
    const wrong = [isRinged || "has no ring", !isCovered || "is covered", isThere || "is out of sight"];
    return { it: it.outerHTML.slice(0, 100), wrong: wrong.filter((each) => each !== true) };
  },

  // What the form would send, and putting it there.
  sent: () =>
    Object.fromEntries(
      [...new FormData(document.querySelector("[data-intake]"))].filter(
        ([name, value]) => typeof value === "string" && !["csrf_token", "revision", "key"].includes(name),
      ),
    ),
  put: (values) => {
    for (const each of document.querySelector("[data-intake]").elements) {
      if (each.type === "radio") each.checked = each.value === values[each.name];
      else if (each.name in values) each.value = values[each.name];
      if (each.matches("select")) each.dispatchEvent(new Event("change"));
    }
  },
  unscript: () => {
    for (const each of document.querySelectorAll("[data-intake] > noscript"))
      each.replaceWith(...new DOMParser().parseFromString(each.textContent, "text/html").body.childNodes);
  },
})
