/** What makes hours of reading bearable: mouse habits, a quiet hint to rest, the display check of a sitting. */
import type { Api } from './api.ts';
import type { Bars } from './bars.ts';
import { dialogOpen, keysDialog } from './dialogs.ts';
import { displayDialog } from './display.ts';
import type { Comfort, Habit } from './wire.ts';

/** Without input for so long, somebody has rested. */
const RESTED_MS = 5 * 60_000;
const LOOK_EVERY_MS = 30_000;

export interface EaseEvents {
  habit(habit: Habit): void;
  /** A dialog of ours is closed: the keyboard goes back to the sheet. */
  refocus(): void;
}

export class Ease {
  readonly #api: Api;
  readonly #bars: Bars;
  readonly #events: EaseEvents;
  readonly #comfort: Comfort;
  #code: string;
  #since = Date.now();
  #lastInput = Date.now();

  constructor(api: Api, bars: Bars, comfort: Comfort, events: EaseEvents) {
    this.#api = api;
    this.#bars = bars;
    this.#comfort = comfort;
    this.#events = events;
    this.#code = comfort.habit;
    window.setInterval(() => this.#rest(), LOOK_EVERY_MS);
  }

  get habit(): Habit | undefined {
    return this.#comfort.habits.find(({ code }) => code === this.#code);
  }

  /** The keys, and the habits to choose from. */
  help(): void {
    keysDialog(this.#comfort.habits, this.#code, (code) => void this.#choose(code));
  }

  async #choose(code: string): Promise<void> {
    this.#code = code;
    if (this.habit) this.#events.habit(this.habit);
    const outcome = await this.#api.prefer(code);
    if (outcome.kind !== 'ok') this.#bars.notice('The mouse habit holds for now; it could not be kept.');
  }

  // The display check -----------------------------------------------------------------------------------------------

  /** Asked beside a case that is already open: nothing waits for it. */
  look(): void {
    if (dialogOpen()) return;
    displayDialog(
      this.#comfort,
      async (looked) => {
        const outcome = await this.#api.lookedAt(looked);
        if (outcome.kind !== 'ok')
          this.#bars.notice('The display check could not be kept; it is asked again.');
        else if (!looked.seen) {
          this.#bars.notice(
            'Noted: not all of the test pattern is seen. Darken the room or set the monitor.',
          );
        }
      },
      () => this.#events.refocus(),
    );
  }

  // Rest ------------------------------------------------------------------------------------------------------------

  watch(page: Document): void {
    for (const kind of ['keydown', 'pointerdown', 'wheel']) {
      page.addEventListener(kind, () => this.#noteInput(), { passive: true, capture: true });
    }
  }

  /** Put away, the hint comes back after as long again. */
  rested(): void {
    this.#since = Date.now();
    this.#rest();
  }

  #noteInput(): void {
    const now = Date.now();
    if (now - this.#lastInput > RESTED_MS) this.#since = now;
    this.#lastInput = now;
  }

  #rest(): void {
    this.#bars.rest(Math.floor((Date.now() - this.#since) / 60_000));
  }
}
