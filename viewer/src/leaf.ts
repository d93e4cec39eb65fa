/** Parts of the sheet that scroll: a page by one key, and a shade where there is more than is seen. */

/** So much of the page before stays in sight. */
const OVERLAP_PX = 40;
const SCROLLS = '.criteria, .remarks';

/** Mark a part that hides something above or below; `style` fades its edge there. */
function mark(part: HTMLElement): void {
  const below = part.scrollHeight - part.clientHeight - part.scrollTop;
  part.classList.toggle('more-above', part.scrollTop > 1);
  part.classList.toggle('more-below', below > 1);
}

export class Leaves {
  readonly #list: HTMLElement;
  /** The list's own scroller: what scrolls when nothing within it does. */
  readonly #scroller: HTMLElement;
  readonly #sizes = new ResizeObserver(() => this.#mark());

  constructor(list: HTMLElement, scroller: HTMLElement) {
    this.#list = list;
    this.#scroller = scroller;
    this.#sizes.observe(scroller);
    // Scrolling does not bubble; it is heard on its way down. Pictures that come change what there is to scroll.
    for (const kind of ['scroll', 'load']) scroller.addEventListener(kind, () => this.#mark(), true);
  }

  get #parts(): readonly HTMLElement[] {
    return [...this.#list.querySelectorAll<HTMLElement>(SCROLLS), this.#scroller];
  }

  #mark(): void {
    for (const part of this.#parts) mark(part);
  }

  /** Where each part stands, to be given to `put` when the list has been drawn anew. */
  places(): ReadonlyMap<string, number> {
    return new Map(this.#parts.map((part) => [part.className.split(' ')[0] ?? '', part.scrollTop]));
  }

  put(places: ReadonlyMap<string, number>): void {
    for (const part of this.#parts) part.scrollTop = places.get(part.className.split(' ')[0] ?? '') ?? 0;
    this.#mark();
  }

  /** One page on or back: of the criteria, else of the remarks, else of the sheet. */
  turn(by: 1 | -1): void {
    const part = this.#parts.find(({ scrollHeight, clientHeight }) => scrollHeight > clientHeight + 1);
    part?.scrollBy({ top: by * Math.max(OVERLAP_PX, part.clientHeight - OVERLAP_PX) });
  }
}
