({ // what a test asks a page about itself; evaluated as it stands
  sideways: () => (document.documentElement.scrollWidth > document.documentElement.clientWidth ? ["scrolls sideways"] : []),

  // What moves, of what was asked to keep still.
  motion: () => {
    const isMoving = (style) => [style.transitionDuration, style.animationDuration].some((time) => /[1-9]/.test(time)) || style.scrollBehavior === "smooth";
    return [...document.querySelectorAll("*")]
      .filter((each) => [undefined, "::before", "::after"].some((part) => isMoving(getComputedStyle(each, part))))
      .map((each) => `moves ${each.outerHTML.slice(0, 120)}`);
  },

  // Whether the ground is as light or dark as was asked for.
  theme: (wanted) => {
    const ground = getComputedStyle(document.body).backgroundColor;
    const [red, green, blue] = ground.match(/[\d.]+/g).map(Number);
    return (red + green + blue < 3 * 128) === (wanted === "dark") ? [] : [`is on ${ground}`];
  },

  // Words that are hard to read on what is behind them (WCAG 2.2, 1.4.3).
  contrast: () => {
    const colour = (words) => {
      const [red, green, blue, alpha = 1] = words.match(/[\d.]+/g).map(Number);
      return [...[red, green, blue].map((part) => (words.startsWith("color") ? part : part / 255)), alpha];
    };
    const over = (top, below) => [0, 1, 2].map((at) => top[at] * top[3] + below[at] * (1 - top[3]));
    const ground = (each) => {
      if (!each) return [1, 1, 1];
      const own = colour(getComputedStyle(each).backgroundColor);
      return own[3] === 1 ? own : over(own, ground(each.parentElement));
    };
    const light = (parts) => {
      const [red, green, blue] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const faded = (each) => (each ? Number(getComputedStyle(each).opacity) * faded(each.parentElement) : 1);
    const isRead = (each) =>
      [...each.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()) &&
      each.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !each.closest(":disabled, [aria-disabled=true], option, svg");
    return [...document.body.querySelectorAll("*")].filter(isRead).flatMap((each) => {
      const style = getComputedStyle(each);
      const behind = ground(each);
      const [red, green, blue, alpha] = colour(style.color);
      const [less, more] = [light(over([red, green, blue, alpha * faded(each)], behind)), light(behind)].sort((a, b) => a - b);
      const ratio = (more + 0.05) / (less + 0.05);
      const isLarge = parseFloat(style.fontSize) >= (style.fontWeight >= 700 ? 18.66 : 24);
      return ratio < (isLarge ? 3 : 4.5) ? [`contrast ${ratio.toFixed(2)} ${each.outerHTML.slice(0, 120)}`] : [];
    });
  },

  // Everything to hit that is smaller than 24 points and has not as much room to itself, or, where it is what a phone's
  // page is for, smaller than 44 (WCAG 2.2, 2.5.8); links in sentences are exempt.
  small: (isPhone) => {
    const all = [...document.querySelectorAll("a, button, summary, select, input:not([type=hidden]), textarea")]
      .filter((each) => each.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !each.matches(".skip, [aria-hidden=true]"))
      .map((each) => ((each.matches("[type=radio], [type=checkbox]") && each.closest("label")) || each))
      .map((each) => [each, each.getBoundingClientRect()])
      .filter(([, box]) => box.width);
    const isNear = (box, x, y, reach) =>
      Math.hypot(Math.max(box.left - x, 0, x - box.right), Math.max(box.top - y, 0, y - box.bottom)) < reach;
    const isInSentence = (each) => each.matches("a") && getComputedStyle(each).display === "inline";
    return all
      .filter(([each, box]) => {
        if (isPhone && each.matches("main .primary")) return Math.min(box.width, box.height) < 43.5;
        if (Math.min(box.width, box.height) > 23.5 || isInSentence(each)) return false;
        return all.some(([other, its]) => other !== each && isNear(its, (box.left + box.right) / 2, (box.top + box.bottom) / 2, 12));
      })
      .map(([each]) => `is small ${each.outerHTML.slice(0, 120)}`);
  },

  // What is wrong with the focus on an element that has it.
  focus() {
    const it = document.activeElement;
    const isBox = it.matches("[type=radio], [type=checkbox]");
    const target = (isBox && it.closest("label")) || it;
    const rings = [it, target, it.nextElementSibling, it.closest(".card"), it.closest(".rail")?.querySelector(".calm-box")];
    const isRinged = rings.some((each) => {
      const style = each && getComputedStyle(each);
      return style && ((style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2) || /0px 0px 0px [2-9]/.test(style.boxShadow));
    });
    const box = target.getBoundingClientRect();
    const middle = (box.left + box.right) / 2;
    const points = [[middle, box.top - 1], [middle, box.bottom + 1], [box.left - 1, box.top + 1], [box.right + 1, box.bottom - 1]];
    const bars = this.bars().filter((bar) => !bar.contains(it) && !it.matches(".skip"));
    const isCovered = points.some(([x, y]) => bars.some((bar) => bar.contains(document.elementFromPoint(x, y))));
    const isThere = box.bottom > 0 && box.top < innerHeight;
    const wrong = [isRinged || "has no ring", !isCovered || "is covered", isThere || "is out of sight"];
    return wrong.filter((each) => each !== true).map((each) => `${each} ${it.outerHTML.slice(0, 120)}`);
  },
  bars: () => [...document.querySelectorAll("body *")].filter((each) => ["fixed", "sticky"].includes(getComputedStyle(each).position) && !each.matches(".toasts")),

  // The same of everything that Tab stops at, one after the other.
  stops() {
    const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")];
    return all.flatMap((each) => {
      if (each.tabIndex < 0 || !each.checkVisibility({ visibilityProperty: true })) return [];
      each.focus();
      return document.activeElement === each ? this.focus() : [];
    });
  },

  // The same of where Tab has led; null once every stop was seen.
  next() {
    const it = document.activeElement;
    if (!it || it === document.body || it.dataset.seen) return null;
    it.dataset.seen = "1";
    return this.focus();
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
