/** The labels page of the desk: vertebrae are named on a sagittal slice, with the mouse or with the keys alone. */
import { h, say } from './dom.ts';
import { Numbering } from './numbering.ts';

type Slice = readonly [number: number, rows: number, columns: number, proportion: number];

interface Island {
  readonly slices: readonly Slice[];
  readonly middle: number;
  readonly spots: readonly (readonly [string, number, number, number])[];
  readonly schemes: Readonly<Record<string, readonly string[]>>;
  readonly fixed: boolean;
}

const must = <T extends Element>(selector: string): T => {
  const found = document.querySelector<T>(selector);
  if (!found) throw new Error(`The page lacks ${selector}.`);
  return found;
};
const clamp = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));

const ARROWS: Readonly<Record<string, readonly [row: number, column: number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

class LabelPage {
  readonly #facts: Island;
  readonly #picture = must<HTMLElement>('[data-label-picture]');
  readonly #frame = must<HTMLElement>('.label-frame');
  readonly #image = must<HTMLImageElement>('.label-frame img');
  readonly #marks = must<HTMLElement>('[data-label-marks]');
  readonly #list = must<HTMLElement>('[data-label-list]');
  readonly #said = must<HTMLElement>('[data-label-said]');
  readonly #slider = must<HTMLInputElement>('#slice');
  readonly #scheme = document.querySelector<HTMLSelectElement>('#scheme');
  readonly #next = document.querySelector<HTMLSelectElement>('#next-label');
  readonly #numbering: Numbering;
  #place: number;
  #cross: readonly [row: number, column: number];
  #dirty = false;

  constructor(facts: Island) {
    this.#facts = facts;
    this.#place = Math.max(
      0,
      facts.slices.findIndex(([number]) => number === facts.middle),
    );
    const spots = facts.spots.map(([name, slice, row, column]) => ({ name, slice, row, column }));
    this.#numbering = new Numbering(facts.schemes[this.#scheme?.value ?? ''] ?? this.#fallback(), spots);
    const [, rows, columns] = this.#slice;
    this.#cross = [Math.round(rows * 0.75), Math.round(columns / 2)];
    this.#slider.max = String(facts.slices.length);
    this.#slider.value = String(this.#place + 1);
    this.#listen();
    this.#show();
  }

  /** Labels that can no longer be changed are only listed; every name has its place. */
  #fallback(): readonly string[] {
    return [...new Set(Object.values(this.#facts.schemes).flat())];
  }

  get #slice(): Slice {
    return this.#facts.slices[this.#place] as Slice;
  }

  #listen(): void {
    this.#slider.addEventListener('input', () => this.#go(Number(this.#slider.value) - 1));
    this.#picture.addEventListener(
      'wheel',
      (event) => {
        if (event.ctrlKey) return;
        event.preventDefault();
        this.#go(this.#place + Math.sign(event.deltaY));
      },
      { passive: false },
    );
    this.#picture.addEventListener('keydown', (event) => this.#key(event));
    if (this.#facts.fixed) return;
    this.#frame.addEventListener('click', (event) => this.#click(event));
    this.#scheme?.addEventListener('change', () => {
      this.#numbering.renumber(this.#facts.schemes[this.#scheme?.value ?? ''] ?? []);
      this.#changed('Numbered anew from the bottom.');
    });
    this.#next?.addEventListener('change', () => {
      this.#numbering.choose(this.#next?.value ?? '');
      this.#picture.focus();
    });
    must('[data-label-undo]').addEventListener('click', () => this.#undo());
    must('[data-label-clear]').addEventListener('click', () => {
      this.#numbering.clear();
      this.#changed('All labels are taken away; keep them so, or undo.');
    });
    must<HTMLFormElement>('[data-label-form]').addEventListener('submit', (event) => this.#fill(event));
    window.addEventListener('beforeunload', (event) => {
      if (this.#dirty) event.preventDefault();
    });
  }

  // --- pointing ----------------------------------------------------------------------------------------------------

  #click(event: MouseEvent): void {
    const box = this.#frame.getBoundingClientRect();
    const [, rows, columns] = this.#slice;
    const row = ((event.clientY - box.top) / box.height) * rows - 0.5;
    const column = ((event.clientX - box.left) / box.width) * columns - 0.5;
    this.#cross = [clamp(row, 0, rows - 1), clamp(column, 0, columns - 1)];
    this.#set();
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    if (event.key === 'PageUp') this.#go(this.#place - 1);
    else if (event.key === 'PageDown') this.#go(this.#place + 1);
    else if (this.#facts.fixed) return;
    else if (arrow) this.#move(arrow, event.shiftKey ? 10 : 1);
    else if (event.key === 'Enter') this.#set();
    else if (event.key === 'Backspace') this.#undo();
    else return;
    event.preventDefault();
  }

  #move([down, right]: readonly [number, number], by: number): void {
    const [, rows, columns] = this.#slice;
    const [row, column] = this.#cross;
    this.#cross = [clamp(row + down * by, 0, rows - 1), clamp(column + right * by, 0, columns - 1)];
    this.#draw();
  }

  #set(): void {
    const [number] = this.#slice;
    const name = this.#numbering.set(number, ...this.#cross);
    if (name === null) {
      say(this.#said, 'Every label of this numbering is set.');
      return;
    }
    const next = this.#numbering.next;
    this.#changed(next ? `${name} is set. Next: ${next}.` : `${name} is set, the last one.`);
  }

  #undo(): void {
    if (this.#numbering.undo()) this.#changed(`Undone. Next: ${this.#numbering.next ?? 'none'}.`);
  }

  #go(place: number): void {
    this.#place = clamp(place, 0, this.#facts.slices.length - 1);
    this.#slider.value = String(this.#place + 1);
    this.#show();
  }

  // --- showing -----------------------------------------------------------------------------------------------------

  #changed(sentence: string): void {
    this.#dirty = true;
    say(this.#said, sentence);
    this.#draw();
  }

  #show(): void {
    const [number, , , proportion] = this.#slice;
    const address = (this.#picture.dataset.slice ?? '').replace(/\/0\.png$/, `/${number}.png`);
    if (this.#image.getAttribute('src') !== address) this.#image.src = address;
    this.#image.alt = `Slice ${number}`;
    this.#picture.style.setProperty('--proportion', String(proportion));
    say(must('[data-slice-number]'), String(this.#place + 1));
    this.#draw();
  }

  #draw(): void {
    const [number, rows, columns] = this.#slice;
    const at = (element: HTMLElement, row: number, column: number): HTMLElement => {
      element.style.setProperty('top', `${((row + 0.5) / rows) * 100}%`);
      element.style.setProperty('left', `${((column + 0.5) / columns) * 100}%`);
      return element;
    };
    const marks = this.#numbering.spots.map((spot) => {
      const far = spot.slice === number ? '' : ' far';
      return at(h('span', { class: `label-mark${far}` }, spot.name), spot.row, spot.column);
    });
    const cross = at(h('span', { class: 'label-cross' }), ...this.#cross);
    this.#marks.replaceChildren(...marks, ...(this.#facts.fixed ? [] : [cross]));
    this.#listed();
    this.#offer();
  }

  #listed(): void {
    const rows = this.#numbering.spots.map((spot) =>
      h(
        'li',
        {},
        h('strong', {}, spot.name),
        h('span', { class: 'soft' }, ` slice ${spot.slice}`),
        !this.#facts.fixed &&
          h(
            'button',
            { type: 'button', class: 'plain', click: () => this.#remove(spot.name) },
            `Remove ${spot.name}`,
          ),
      ),
    );
    this.#list.replaceChildren(...rows.reverse());
  }

  #remove(name: string): void {
    this.#numbering.remove(name);
    this.#changed(`${name} is removed.`);
    this.#picture.focus();
  }

  #offer(): void {
    const next = this.#numbering.next;
    const options = this.#numbering.names.map((name) => {
      const text = this.#numbering.has(name) ? `${name} (set, moves)` : name;
      return new Option(text, name, false, name === next);
    });
    this.#next?.replaceChildren(...options);
  }

  #fill(event: Event): void {
    const form = event.target as HTMLFormElement;
    for (const old of form.querySelectorAll('input[name=spot]')) old.remove();
    for (const { name, slice, row, column } of this.#numbering.spots) {
      const value = `${name}:${slice}:${row.toFixed(2)}:${column.toFixed(2)}`;
      form.append(h('input', { type: 'hidden', name: 'spot', value }));
    }
    this.#dirty = false;
  }
}

const island = document.getElementById('labels')?.textContent;
if (island) new LabelPage(JSON.parse(island) as Island);
