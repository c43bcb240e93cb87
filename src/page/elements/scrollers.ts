/// <reference lib="dom" />
/**
 * What scrolls must be reachable with the keyboard (WCAG 2.1.1), and what does
 * not scroll must not be a stop on the way.
 *
 * @module
 */

/** Lets elements take the focus for as long as there is more in them than is seen. */
export function watchScrollers(elements: readonly HTMLElement[]): void {
  const look = () => {
    for (const element of elements) {
      const more = element.scrollHeight > element.clientHeight + 1 ||
        element.scrollWidth > element.clientWidth + 1;
      if (more) element.tabIndex = 0;
      else element.removeAttribute("tabindex");
    }
  };
  const sizes = new ResizeObserver(look);
  const contents = new MutationObserver(look);
  for (const element of elements) {
    sizes.observe(element);
    contents.observe(element, { childList: true, subtree: true });
  }
  look();
}
