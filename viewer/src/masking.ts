/** A rectangle drawn on the large picture becomes four numbers in the form, and the other way round. */

const FIELDS = ['row0', 'row1', 'column0', 'column1'] as const;

interface Corner {
  readonly row: number;
  readonly column: number;
}

export class Masking {
  readonly #picture: HTMLElement;
  readonly #form: HTMLFormElement | null;
  readonly #box: HTMLElement;
  #from: Corner | null = null;

  constructor(picture: HTMLElement, form: HTMLFormElement | null) {
    this.#picture = picture;
    this.#form = form;
    this.#box = document.createElement('div');
    this.#box.className = 'mask-box';
    this.#box.hidden = true;
    if (!form) return;
    picture.append(this.#box);
    picture.addEventListener('pointerdown', (event) => this.#begin(event));
    picture.addEventListener('pointermove', (event) => this.#drag(event));
    picture.addEventListener('pointerup', () => this.#end());
    picture.addEventListener('dragstart', (event) => event.preventDefault());
    form.addEventListener('input', () => this.#draw());
    window.addEventListener('resize', () => this.#draw());
  }

  /** Forget what was drawn. */
  clear(): void {
    this.#from = null;
    for (const name of FIELDS) this.#set(name, '');
    this.#box.hidden = true;
  }

  get #image(): HTMLImageElement | null {
    return this.#picture.matches('.all') ? null : this.#picture.querySelector('img');
  }

  #set(name: string, value: string): void {
    const field = this.#form?.elements.namedItem(name);
    if (field instanceof HTMLInputElement) field.value = value;
  }

  #get(name: string): number {
    const field = this.#form?.elements.namedItem(name);
    return field instanceof HTMLInputElement && /^\d+$/.test(field.value) ? Number(field.value) : Number.NaN;
  }

  /** The pixel under the pointer; at the rim the outermost one. A slice's picture has one dot a pixel. */
  #corner(event: PointerEvent): Corner | null {
    const image = this.#image;
    if (!image?.naturalWidth) return null;
    const at = image.getBoundingClientRect();
    const within = (share: number, size: number) =>
      Math.min(Math.max(Math.floor(share * size), 0), size - 1) + 1;
    return {
      row: within((event.clientY - at.top) / at.height, image.naturalHeight),
      column: within((event.clientX - at.left) / at.width, image.naturalWidth),
    };
  }

  #begin(event: PointerEvent): void {
    if (event.button !== 0 || !this.#form || this.#form.closest('[hidden]')) return;
    this.#from = this.#corner(event);
    if (this.#from) this.#picture.setPointerCapture(event.pointerId);
  }

  #drag(event: PointerEvent): void {
    const from = this.#from;
    const to = from && this.#corner(event);
    if (!from || !to || (Math.abs(to.row - from.row) < 2 && Math.abs(to.column - from.column) < 2)) return;
    const details = this.#form?.closest('details');
    if (details) details.open = true;
    this.#set('row0', String(Math.min(from.row, to.row)));
    this.#set('row1', String(Math.max(from.row, to.row)));
    this.#set('column0', String(Math.min(from.column, to.column)));
    this.#set('column1', String(Math.max(from.column, to.column)));
    this.#draw();
  }

  #end(): void {
    if (this.#from && !this.#box.hidden) this.#form?.querySelector<HTMLElement>('button')?.focus();
    this.#from = null;
  }

  #draw(): void {
    const image = this.#image;
    const [row0, row1, column0, column1] = FIELDS.map((name) => this.#get(name)) as [
      number,
      number,
      number,
      number,
    ];
    this.#box.hidden = !image?.naturalWidth || !(row0 <= row1 && column0 <= column1);
    if (this.#box.hidden || !image) return;
    const at = image.getBoundingClientRect();
    const frame = this.#picture.getBoundingClientRect();
    const tall = at.height / image.naturalHeight;
    const wide = at.width / image.naturalWidth;
    this.#box.style.left = `${at.left - frame.left + (column0 - 1) * wide}px`;
    this.#box.style.top = `${at.top - frame.top + (row0 - 1) * tall}px`;
    this.#box.style.width = `${(column1 - column0 + 1) * wide}px`;
    this.#box.style.height = `${(row1 - row0 + 1) * tall}px`;
  }
}
