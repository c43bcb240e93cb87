/// <reference lib="dom" />
/**
 * A card: a value, its title and what it means.
 *
 * @module
 */
import { el, setText } from "../elements/dom.ts";
import {
  formatCount,
  formatShortCount,
  SHORT_LIMIT,
} from "../elements/format.ts";

/** A card. */
export interface Card {
  readonly element: HTMLElement;
  /** Shows a text and what it means. */
  set(value: string, detail: string): void;
  /** Shows a count: if it is too long for the card, short and below it exact. */
  setCount(count: number, detail: string): void;
  setTitle(title: string): void;
  /** Highlights the value. */
  warn(on: boolean): void;
}

/** Creates a card. */
export function createCard(title: string): Card {
  const heading = el("h2", {}, title);
  const value = el("strong", {}, "–");
  const detail = el("span");
  const element = el(
    "div",
    { class: "card" },
    heading,
    el("p", {}, value, " ", detail),
  );
  const set = (valueText: string, detailText: string) => {
    setText(value, valueText);
    setText(detail, detailText);
    detail.title = detailText;
  };
  return {
    element,
    set,
    setCount(count, detailText) {
      const short = formatShortCount(count, SHORT_LIMIT);
      const exact = formatCount(count);
      set(short, short === exact ? detailText : exact);
      value.title = short === exact ? "" : exact;
    },
    setTitle(text) {
      setText(heading, text);
    },
    warn(on) {
      element.classList.toggle("warn", on);
    },
  };
}
