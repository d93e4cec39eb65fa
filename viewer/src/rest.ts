/** The quiet hint that somebody has read for long. */
import { h, quiet, say } from './dom.ts';

const AFTER_MIN = 50;

export class RestHint {
  readonly element = h('span', { class: 'rest' });
  readonly #text = h('span', {});
  readonly #away: HTMLElement;

  constructor(rested: () => void) {
    this.#away = quiet('Put away', 'Hide this hint; it comes back after as long again', rested);
  }

  show(minutes: number): void {
    if (minutes < AFTER_MIN) {
      this.element.replaceChildren();
      return;
    }
    say(this.#text, `${minutes} minutes without a break`);
    // Only once: a button that is replaced would lose the press on it.
    if (this.element.childElementCount === 0) this.element.append(this.#text, this.#away);
  }
}
