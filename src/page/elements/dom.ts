/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * Elements, made from code. Text goes in as text only: what a sensor or a layer
 * is called is never read as markup.
 *
 * @module
 */

/** Attributes; `true` is one without a value, `false` and undefined leave it out. */
export type Attributes = Readonly<
  Record<string, string | number | boolean | undefined>
>;

/** What is in an element. */
export type Content = Node | string | undefined;

/**
 * Makes an element.
 *
 * @param attributes `class`, `aria-label` and so on; never `style` or `on…`,
 * which the Content-Security-Policy forbids
 * @param content Elements, and texts
 */
export function el<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...content: readonly Content[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  decorate(element, attributes);
  element.append(...content.filter((one) => one !== undefined));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * An icon of 20 × 20, drawn with a line in the colour of the text.
 *
 * @param paths What SVG has as `d`
 */
export function icon(...paths: readonly string[]): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  decorate(svg, {
    viewBox: "0 0 20 20",
    width: 20,
    height: 20,
    class: "icon",
    "aria-hidden": "true",
  });
  for (const d of paths) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

/**
 * The element of the page with this id.
 *
 * @throws {Error} if the page has none of that kind
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

/** Sets a text if it is another: nothing is laid out again for nothing. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

function decorate(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
}
