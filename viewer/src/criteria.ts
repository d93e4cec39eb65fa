/**
 * Criteria of an item: what each level of its scale means, with a schematic drawing and pictures of the phantom.
 *
 * Drawings and pictures are found by the codes of item and level alone, and fetched when criteria are opened.
 */
import { h, quiet, say } from './dom.ts';
import type { Item, Level, Plate, RoomFacts } from './wire.ts';

export type Illustrations = Pick<RoomFacts, 'drawings' | 'atlas'>;

/** What a measurement has in place of a level. */
const FIGURE = 'figure';
const DRAWN = 'Pictures: drawn phantom, synthetic. No patients.';

/** One panel of a drawing; which one is said by the address's fragment. */
function panel(drawing: string, part: string, said: string): HTMLElement {
  return h('img', { class: 'panel', src: `${drawing}#${part}`, alt: said, width: 120, height: 90 });
}

export class Criteria {
  readonly #shown: Illustrations;
  #item = '';
  /** Which picture of the item is large; -1 is none. */
  #large = -1;
  #plates: HTMLButtonElement[] = [];
  #told: HTMLElement | null = null;

  constructor(shown: Illustrations) {
    this.#shown = shown;
  }

  /** Everything that is told of an item. The large picture stays large while it is the same item's. */
  of(item: Item): HTMLElement {
    if (this.#item !== item.code) this.#large = -1;
    this.#item = item.code;
    this.#plates = [];
    // It scrolls: who has no mouse and no short cut reaches it by Tab from below.
    const box = h('div', { class: 'criteria', role: 'group', tabindex: 0, 'aria-label': 'Criteria' });
    const drawing = this.#shown.drawings[item.code];
    if (item.scale.kind === 'continuous') {
      const figure = drawing !== undefined && panel(drawing, FIGURE, `Drawing: ${item.short || item.asked}`);
      if (figure) box.append(h('p', {}, figure));
      box.append(...this.#row(false, this.#pictures(item, FIGURE, item.scale.name)));
    } else {
      const told = item.scale.levels.filter(
        (level) => level.criteria || drawing !== undefined || this.#of(item, String(level.code)).length > 0,
      );
      if (told.length > 0) {
        box.append(h('ol', { class: 'levels' }, ...told.map((one) => this.#level(item, one, drawing))));
      }
    }
    if (item.criteria) box.append(h('p', {}, item.criteria));
    if (item.read_on) box.append(h('p', { class: 'soft' }, `Read on: ${item.read_on}`));
    if (item.source) box.append(h('p', { class: 'soft' }, item.source));
    this.#told = null;
    if (this.#plates.length > 0) {
      this.#told = h('p', { class: 'soft told', role: 'status' });
      box.prepend(
        h('p', { class: 'soft drawn' }, DRAWN, ' ', h('kbd', {}, 'Space'), ' enlarges the next.'),
        this.#told,
      );
    }
    this.#mark();
    return box;
  }

  /** Make the next picture large, or the one before; beyond the ends all are small. */
  closer(by: 1 | -1): void {
    const places = this.#plates.length + 1;
    this.#show(((this.#large + 1 + by + places) % places) - 1);
  }

  #of(item: Item, code: string): readonly Plate[] {
    return this.#shown.atlas[item.code]?.[code] ?? [];
  }

  #level(item: Item, level: Level, drawing: string | undefined): HTMLElement {
    const { code, label, criteria, key } = level;
    const said =
      item.scale.kind === 'ordinal' ? `${item.scale.name} ${label}` : `${item.scale.name}: ${label}`;
    return h(
      'li',
      {},
      h(
        'p',
        {},
        h('kbd', {}, key),
        label !== key && h('strong', {}, label),
        criteria ? ` ${criteria}` : null,
      ),
      ...this.#row(
        drawing !== undefined && panel(drawing, `level-${code}`, `Drawing of ${label}`),
        this.#pictures(item, String(code), said),
      ),
    );
  }

  #row(drawing: HTMLElement | false, pictures: readonly HTMLElement[]): readonly HTMLElement[] {
    // One picture alone needs no name beside its level; several are told apart by theirs.
    const kind = pictures.length > 1 ? 'shown' : 'shown alone';
    return drawing || pictures.length > 0 ? [h('div', { class: kind }, drawing, ...pictures)] : [];
  }

  #pictures(item: Item, code: string, said: string): readonly HTMLElement[] {
    return this.#of(item, code).map((plate) => {
      const { src, title, width, height } = plate;
      const turn = () => {
        const at = this.#plates.indexOf(button);
        this.#show(this.#large === at ? -1 : at);
      };
      const button = quiet('', `${title}: larger or smaller`, turn, { class: 'plate', tabindex: '-1' });
      const image = h('img', { src, alt: `Phantom, ${said}, ${title}`, width, height });
      // Where it cannot be had the words and the drawing are enough: no broken frame.
      image.addEventListener('error', () => {
        button.remove();
        const at = this.#plates.indexOf(button);
        if (at < 0) return;
        this.#plates.splice(at, 1);
        this.#show(-1);
      });
      button.append(image, h('span', { class: 'plate-title', 'aria-hidden': 'true' }, title));
      this.#plates.push(button);
      return button;
    });
  }

  #show(at: number): void {
    this.#large = at;
    this.#mark();
    const large = this.#plates[at];
    large?.scrollIntoView({ block: 'nearest' });
    if (this.#told) say(this.#told, large?.querySelector('img')?.alt ?? '');
  }

  #mark(): void {
    this.#plates.forEach((button, at) => {
      button.setAttribute('aria-pressed', String(at === this.#large));
    });
  }
}
