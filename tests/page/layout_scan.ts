/// <reference lib="dom" />
/**
 * Finds faults of the layout in a page: overflow, overlap and cut text.
 *
 * @module
 */

/** A fault, and the widths of the page at which it was found. */
export interface LayoutFault {
  readonly fault: string;
  /** CSS pixels. */
  readonly widths: number[];
}

/**
 * Sets the width of the frame that contains the page to one after the other,
 * and returns all faults. Runs in the browser, in the frame: it uses nothing
 * outside of its body. There is no pause between two widths, so that thousands
 * take seconds; code of the page that runs after a resize does not run.
 *
 * @param widths CSS pixels; empty: only the present width
 */
export function findLayoutFaults(widths: readonly number[]): LayoutFault[] {
  interface Box {
    readonly left: number;
    readonly top: number;
    readonly right: number;
    readonly bottom: number;
  }
  /** A text or a control, as far as it is visible. */
  interface Item {
    readonly element: Element;
    readonly what: string;
    readonly box: Box;
  }
  /** Fractions of pixels, and the parts of letters below the line. */
  const TOLERANCE_PX = 1.5;
  const CONTROLS = "button, input, select, a, summary, [role='application']";

  const found = new Map<string, number[]>();
  const report = (fault: string) => {
    const at = found.get(fault) ?? [];
    found.set(fault, at);
    if (at.at(-1) !== innerWidth) at.push(innerWidth);
  };
  const describe = (element: Element, text = "") => {
    const name = element.id
      ? `#${element.id}`
      : element.classList.length > 0
      ? `.${[...element.classList].join(".")}`
      : element.localName;
    const parent = element.parentElement;
    const place = element.id || !parent
      ? name
      : `${parent.id ? `#${parent.id}` : `.${parent.className}`} ${name}`;
    return text ? `${place} "${text}"` : place;
  };
  const width = ({ left, right }: Box) => right - left;
  const height = ({ top, bottom }: Box) => bottom - top;
  const intersect = (a: Box, b: Box): Box => ({
    left: Math.max(a.left, b.left),
    top: Math.max(a.top, b.top),
    right: Math.min(a.right, b.right),
    bottom: Math.min(a.bottom, b.bottom),
  });
  const isEmpty = (box: Box) => width(box) <= 0 || height(box) <= 0;

  /**
   * Clips a box by the ancestors of an element. What a user can scroll into
   * view is not cut off.
   */
  function visiblePart(start: Element, box: Box): { box: Box; cut: boolean } {
    let visible = box;
    let cut = false;
    let scrollsX = false;
    let scrollsY = false;
    for (
      let element: Element | null = start;
      element && element !== document.documentElement;
      element = element.parentElement
    ) {
      const { overflowX, overflowY, position } = getComputedStyle(element);
      if (overflowX !== "visible" || overflowY !== "visible") {
        const { left, top, right, bottom } = element.getBoundingClientRect();
        const border = { left, top, right, bottom };
        const clipped = intersect(visible, border);
        const isCutX = width(visible) - width(clipped) > TOLERANCE_PX;
        const isCutY = height(visible) - height(clipped) > TOLERANCE_PX;
        scrollsX ||= /auto|scroll/.test(overflowX);
        scrollsY ||= /auto|scroll/.test(overflowY);
        cut ||= (isCutX && !scrollsX) || (isCutY && !scrollsY);
        visible = clipped;
        if (isEmpty(visible)) break;
      }
      if (position === "fixed") break;
    }
    return { box: visible, cut };
  }

  /** Not for screen readers only, and not drawn by a library. */
  const isShown = (element: Element) =>
    element.checkVisibility({
      visibilityProperty: true,
      opacityProperty: true,
    }) &&
    getComputedStyle(element).clipPath === "none" &&
    !element.closest(".hidden, .ol-viewport, .u-wrap, [aria-hidden='true']");

  const canvas = document.createElement("canvas").getContext("2d")!;

  /** Reports cut text, and returns what is visible. */
  function collect(): Item[] {
    const items: Item[] = [];
    const add = (element: Element, box: Box, what: string) => {
      const part = visiblePart(element, box);
      if (part.cut) report(`cut: ${what}`);
      if (!isEmpty(part.box)) items.push({ element, what, box: part.box });
    };
    const walker = document.createTreeWalker(
      document.body,
      NodeFilter.SHOW_TEXT,
    );
    for (let node; (node = walker.nextNode());) {
      const text = node.textContent!.trim();
      const element = node.parentElement!;
      if (
        !text || element.closest("select, script, noscript") ||
        !isShown(element)
      ) {
        continue;
      }
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const rect of range.getClientRects()) {
        if (rect.width > 0) add(element, rect, describe(element, text));
      }
    }
    for (const element of document.querySelectorAll(CONTROLS)) {
      if (!isShown(element)) continue;
      add(element, element.getBoundingClientRect(), describe(element));
      const style = getComputedStyle(element);
      const text = element instanceof HTMLSelectElement
        ? element.selectedOptions[0]?.text ?? ""
        : element instanceof HTMLInputElement
        ? element.value || element.placeholder
        : "";
      if (!text || !(element instanceof HTMLElement)) continue;
      canvas.font = style.font;
      const room = element.clientWidth - parseFloat(style.paddingLeft) -
        parseFloat(style.paddingRight);
      const needed = canvas.measureText(text).width;
      if (needed > room + TOLERANCE_PX) {
        report(`cut: ${describe(element, text)}`);
      }
    }

    return items;
  }

  function scan(): void {
    const items = collect();
    // Sideways, the page never scrolls.
    const { clientWidth, scrollWidth } = document.documentElement;
    if (scrollWidth > clientWidth) {
      report("overflow: the page scrolls sideways");
    }
    for (const { what, box } of items) {
      if (box.left < -TOLERANCE_PX || box.right > clientWidth + TOLERANCE_PX) {
        report(`overflow: ${what}`);
      }
    }

    // Its arrow is drawn at the right edge of what contains it.
    for (const element of document.querySelectorAll("select")) {
      const { right } = element.getBoundingClientRect();
      const place = element.parentElement!.getBoundingClientRect();
      if (isShown(element) && Math.abs(place.right - right) > TOLERANCE_PX) {
        report(`overflow: the arrow of ${describe(element)}`);
      }
    }

    const isLayered = (element: Element) => element.closest("#map") !== null;
    for (const [index, one] of items.entries()) {
      for (const other of items.slice(index + 1)) {
        if (
          one.element.contains(other.element) ||
          other.element.contains(one.element) ||
          isLayered(one.element) || isLayered(other.element)
        ) continue;
        const common = intersect(one.box, other.box);
        if (width(common) > TOLERANCE_PX && height(common) > TOLERANCE_PX) {
          report(`overlap: ${one.what} and ${other.what}`);
        }
      }
    }
  }

  if (widths.length === 0) scan();
  for (const width of widths) {
    (frameElement as HTMLElement).style.width = `${width}px`;
    scan();
  }
  return [...found].map(([fault, widths]) => ({ fault, widths }));
}
