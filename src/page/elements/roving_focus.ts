/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * Makes the buttons of a list one tab stop: the arrow keys, Home and End move
 * between them.
 *
 * @module
 */

const STEPS: Readonly<Record<string, number>> = {
  ArrowUp: -1,
  ArrowDown: 1,
  Home: -Infinity,
  End: Infinity,
};

/** The tab stop of a list of buttons. */
export class RovingFocus {
  readonly #list: HTMLElement;

  /** @param list contains the buttons, which may change */
  constructor(list: HTMLElement) {
    this.#list = list;
    list.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (step === undefined || event.ctrlKey || event.metaKey) return;
      this.#move(step);
      event.preventDefault();
    });
    list.addEventListener("focusin", ({ target }) => {
      if (target instanceof HTMLButtonElement) this.#setStop(target);
    });
  }

  /**
   * Call it when the buttons have changed.
   *
   * @param preferred the tab stop while no button has the focus
   */
  update(preferred?: HTMLButtonElement): void {
    const buttons = this.#buttons();
    const stop = buttons.find((button) => button === document.activeElement) ??
      preferred ?? buttons.find(({ tabIndex }) => tabIndex === 0) ?? buttons[0];
    if (stop) this.#setStop(stop);
  }

  #move(step: number): void {
    const buttons = this.#buttons();
    const from = buttons.findIndex((one) => one === document.activeElement);
    const to = Math.min(Math.max(from + step, 0), buttons.length - 1);
    buttons[to]?.focus();
  }

  #setStop(stop: HTMLButtonElement): void {
    for (const button of this.#buttons()) {
      const tabIndex = button === stop ? 0 : -1;
      if (button.tabIndex !== tabIndex) button.tabIndex = tabIndex;
    }
  }

  #buttons(): HTMLButtonElement[] {
    return [...this.#list.querySelectorAll("button")];
  }
}
