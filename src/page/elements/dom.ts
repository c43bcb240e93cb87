/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * Creates, finds and updates elements of the page. Names from the server are
 * inserted as text, never parsed as markup.
 *
 * @module
 */

/**
 * Attributes of an element: `true` sets an empty value, `false` and undefined
 * omit it.
 */
export type Attributes = Readonly<
  Record<string, string | number | boolean | undefined>
>;

/** A child of an element; undefined adds nothing. */
export type Content = Node | string | undefined;

/**
 * Creates an element.
 *
 * @param attributes `class`, `aria-label` and so on, but not `style` or `on…`:
 * the Content-Security-Policy forbids them
 * @param content child elements and texts
 */
export function el<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...content: readonly Content[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  setAttributes(element, attributes);
  element.append(...content.filter((child) => child !== undefined));
  return element;
}

/** Sets the attributes of an element. */
export function setAttributes(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
}

/**
 * Returns the element with an id.
 *
 * @throws {Error} if the page has no such element with this tag
 */
export function byId<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  id: string,
): HTMLElementTagNameMap[Name] {
  const element = document.getElementById(id);
  if (element?.localName !== name) {
    throw new Error(`Cannot find <${name} id="${id}"> in the page`);
  }
  return element as HTMLElementTagNameMap[Name];
}

/** Sets the text of an element if it differs, which avoids a layout. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Returns a text that starts with a capital letter. */
export function capitalized(text: string): string {
  const [first = ""] = text;
  return first.toLocaleUpperCase() + text.slice(first.length);
}

/** Makes a screen reader read a text once it is idle (aria-live polite). */
export function announce(text: string): void {
  const region = byId("div", "announcer");
  // A screen reader reads only changes: a repeated text gets a space.
  region.textContent = region.textContent === text ? `${text}\u00a0` : text;
}

/**
 * Makes elements focusable while their content overflows: scrollable content
 * must be reachable with the keyboard (WCAG 2.1.1).
 */
export function focusWhileScrollable(elements: readonly HTMLElement[]): void {
  const update = () => {
    for (const element of elements) {
      const overflows = element.scrollHeight > element.clientHeight + 1 ||
        element.scrollWidth > element.clientWidth + 1;
      if (overflows) element.tabIndex = 0;
      else element.removeAttribute("tabindex");
    }
  };
  const resizes = new ResizeObserver(update);
  const mutations = new MutationObserver(update);
  for (const element of elements) {
    resizes.observe(element);
    mutations.observe(element, { childList: true, subtree: true });
  }
  update();
}
