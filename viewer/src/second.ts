/**
 * The images in a window of their own, for a second monitor. The very same elements move there and back: nothing is
 * loaded, shown or sent twice, and what is drawn on them stays. The empty page inherits this one's policy and origin.
 */
import type { Bars } from './bars.ts';
import { drawWith } from './frames.ts';

export interface SecondEvents {
  /** Keys and mouse of this page count as the room's own. */
  opened(page: Document): void;
  refused(sentence: string): void;
  /** The images have another size, or another window. */
  resized(): void;
}

const REFUSED = 'The browser refused a second window. Allow pop-ups for this site, then press O again.';
const LOOK_MS = 500;

export class SecondWindow {
  readonly #bars: Bars;
  readonly #events: SecondEvents;
  #other: Window | null = null;
  #timer = 0;
  /** What is to be undone when the images come back; null while they never left. */
  #drawHere: (() => void) | null = null;

  constructor(bars: Bars, events: SecondEvents) {
    this.#bars = bars;
    this.#events = events;
    window.addEventListener('pagehide', () => this.#other?.close());
  }

  toggle(): void {
    this.#look();
    if (this.#other) this.close();
    else this.#open();
  }

  /** Some browsers tear a closed window down without a word. */
  #look(): void {
    if (this.#other?.closed) this.#back();
  }

  close(): void {
    const other = this.#other;
    if (!other) return;
    this.#back();
    other.close();
  }

  #open(): void {
    const { availWidth: width, availHeight: height } = window.screen;
    const other = window.open('', '_blank', `popup,width=${width},height=${height}`);
    if (!other) {
      this.#events.refused(REFUSED);
      return;
    }
    this.#other = other;
    this.#timer = window.setInterval(() => this.#look(), LOOK_MS);
    const page = other.document;
    // Before its first picture: the empty page would flash white in a dark room.
    page.documentElement.className = 'dark';
    page.documentElement.style.background = getComputedStyle(document.body).backgroundColor;
    page.documentElement.lang = document.documentElement.lang;
    const scheme = page.createElement('meta');
    scheme.name = 'color-scheme';
    scheme.content = 'dark';
    page.head.replaceChildren(scheme);
    page.title = document.title;
    void this.#dress(page).then(() => {
      // It may be closed again before its style sheets are there.
      this.#look();
      if (this.#other === other) this.#move(other);
    });
  }

  /** The same style sheets; the images come when they are there. */
  #dress(page: Document): Promise<unknown> {
    const sheets = document.querySelectorAll<HTMLLinkElement>('link[rel="stylesheet"]');
    return Promise.all(
      [...sheets].map(
        ({ href }) =>
          new Promise((done) => {
            const link = page.createElement('link');
            link.rel = 'stylesheet';
            link.addEventListener('load', done);
            link.addEventListener('error', done);
            link.href = href;
            page.head.append(link);
          }),
      ),
    );
  }

  #move(other: Window): void {
    const page = other.document;
    const main = page.createElement('main');
    main.className = 'cockpit second';
    page.body.className = 'room';
    page.body.replaceChildren(main);
    const { parts, root, sheet, images, elsewhere } = this.#bars;
    main.append(...parts);
    root.classList.add('apart');
    root.insertBefore(elsewhere, sheet);
    this.#bars.apart(true);
    this.#drawHere = drawWith(other);
    // The first window's own watch on sizes sleeps while that window is covered.
    const { ResizeObserver: Watch } = other as Window & typeof globalThis;
    new Watch(() => this.#events.resized()).observe(images);
    this.#events.opened(page);
    other.addEventListener('pagehide', () => this.#back());
    other.focus();
  }

  #back(): void {
    if (!this.#other) return;
    this.#other = null;
    window.clearInterval(this.#timer);
    if (!this.#drawHere) return;
    this.#drawHere();
    this.#drawHere = null;
    const { parts, root, sheet, elsewhere } = this.#bars;
    elsewhere.remove();
    for (const part of parts) root.insertBefore(part, sheet);
    root.classList.remove('apart');
    this.#bars.apart(false);
    this.#events.resized();
  }
}
