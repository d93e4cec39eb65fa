/** What stands over a picture: corners, side letters, scale bar, reference line, points. Never over the middle. */
import { say } from '../dom.ts';
import type { Stack } from '../wire.ts';

const SVG = 'http://www.w3.org/2000/svg';

export type Spot = readonly [number, number];

export interface Corners {
  readonly slice: string;
  readonly position: string;
  /** Which block of slices this is, where the series comes in several. */
  readonly block: string;
  /** What the slice is when it is not one of the series' own. */
  readonly kind: string;
  readonly window: string;
  readonly note: string;
  readonly letters: {
    readonly left: string;
    readonly right: string;
    readonly top: string;
    readonly bottom: string;
  } | null;
  readonly bar: { readonly mm: number; readonly px: number } | null;
}

export interface Drawing {
  readonly lines: readonly (readonly [Spot, Spot])[];
  readonly spot: Spot | null;
  readonly slips: readonly SlipDrawing[];
  readonly labels: readonly LabelDrawing[];
}

export interface LabelDrawing {
  readonly text: string;
  readonly at: Spot;
  /** On which side of its place the text lies, so that it grows away from the vertebra. */
  readonly anchor: 'start' | 'end';
}

export interface SlipDrawing {
  readonly cell: string;
  readonly points: readonly Spot[];
  readonly foot: Spot | null;
  readonly text: string;
  readonly movable: boolean;
}

export const POINT_NAMES = ['P', 'A', 'Q'] as const;
const LABEL_OFFSETS: readonly Spot[] = [
  [8, 4],
  [-18, 14],
  [-14, -8],
];

function div(name: string, parent: HTMLElement): HTMLElement {
  const element = document.createElement('div');
  element.className = name;
  parent.append(element);
  return element;
}

export function shape(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  parent: Element,
): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  parent.append(element);
  return element;
}

export class Overlay {
  readonly drawing: SVGSVGElement;
  readonly title: HTMLSelectElement;
  readonly #slice: HTMLElement;
  readonly #position: HTMLElement;
  readonly #block: HTMLElement;
  readonly #kind: HTMLElement;
  readonly #hint: HTMLElement;
  readonly #window: HTMLElement;
  readonly #note: HTMLElement;
  readonly #value: HTMLElement;
  readonly #prompt: HTMLElement;
  readonly #bar: HTMLElement;
  readonly #barText: HTMLElement;
  readonly #letters: Readonly<Record<'left' | 'right' | 'top' | 'bottom', HTMLElement>>;
  readonly #panel: HTMLElement;
  readonly #panelText: HTMLElement;
  readonly #panelButton: HTMLButtonElement;

  constructor(parent: HTMLElement, synthetic: boolean, retry: () => void) {
    this.drawing = document.createElementNS(SVG, 'svg');
    this.drawing.classList.add('marks');
    this.drawing.setAttribute('aria-hidden', 'true');
    parent.append(this.drawing);
    const topLeft = div('corner top-left', parent);
    this.title = document.createElement('select');
    this.title.className = 'series';
    this.title.tabIndex = -1;
    topLeft.append(this.title);
    this.#kind = div('kind', topLeft);
    this.#note = div('view-note', topLeft);
    this.#hint = div('hint', topLeft);
    this.#hint.setAttribute('role', 'status');
    this.#prompt = div('prompt', topLeft);
    const topRight = div('corner top-right', parent);
    this.#slice = div('slice', topRight);
    this.#position = div('position', topRight);
    this.#block = div('block', topRight);
    const bottomLeft = div('corner bottom-left', parent);
    if (synthetic) div('synthetic', bottomLeft).textContent = 'synthetic';
    this.#value = div('value-here', bottomLeft);
    this.#window = div('window', bottomLeft);
    const bottomRight = div('corner bottom-right', parent);
    this.#barText = div('bar-text', bottomRight);
    this.#bar = div('bar', bottomRight);
    this.#letters = {
      left: div('letter at-left', parent),
      right: div('letter at-right', parent),
      top: div('letter at-top', parent),
      bottom: div('letter at-bottom', parent),
    };
    this.#panel = div('cover', parent);
    this.#panel.setAttribute('role', 'alert');
    this.#panelText = document.createElement('p');
    this.#panelButton = document.createElement('button');
    this.#panelButton.type = 'button';
    this.#panelButton.tabIndex = -1;
    this.#panelButton.textContent = 'Try again (Y)';
    this.#panelButton.addEventListener('click', retry);
    this.#panel.append(this.#panelText, this.#panelButton);
    this.uncover();
  }

  /** Hide the picture behind a sentence. With `retry`, a button asks for it again. */
  cover(sentence: string, retry: boolean, quiet = false): void {
    this.#panelText.textContent = sentence;
    this.#panelButton.hidden = !retry;
    this.#panel.classList.toggle('quiet', quiet);
    this.#panel.hidden = false;
  }

  uncover(): void {
    this.#panel.hidden = true;
  }

  /** The stacks to choose from; a role without one keeps its name in front. */
  series(stacks: readonly Stack[], shown: Stack | undefined, title: string): void {
    this.title.setAttribute('aria-label', 'Series in this view');
    const options = stacks.map((stack) => new Option(stack.title, stack.id, false, stack === shown));
    if (!shown) options.unshift(new Option(title, '', true, true));
    this.title.replaceChildren(...options);
  }

  value(text: string): void {
    say(this.#value, text);
  }

  /** A quiet word about the last step; gone with the next. */
  hint(text: string): void {
    say(this.#hint, text);
  }

  get prompted(): string {
    return this.#prompt.textContent ?? '';
  }

  prompt(text: string): void {
    say(this.#prompt, text);
  }

  corners(corners: Corners): void {
    say(this.#slice, corners.slice);
    say(this.#position, corners.position);
    say(this.#block, corners.block);
    say(this.#kind, corners.kind);
    say(this.#window, corners.window);
    say(this.#note, corners.note);
    for (const side of ['left', 'right', 'top', 'bottom'] as const) {
      say(this.#letters[side], corners.letters?.[side] ?? '');
    }
    const width = `${(corners.bar?.px ?? 0).toFixed(1)}px`;
    if (this.#bar.style.width !== width) this.#bar.style.width = width;
    this.#bar.hidden = corners.bar === null;
    say(this.#barText, corners.bar ? `${corners.bar.mm} mm` : '');
  }

  draw(drawing: Drawing): void {
    this.drawing.replaceChildren();
    for (const [[x1, y1], [x2, y2]] of drawing.lines) {
      shape('line', { x1, y1, x2, y2, class: 'reference' }, this.drawing);
    }
    if (drawing.spot) {
      const [x, y] = drawing.spot;
      shape(
        'path',
        { d: `M${x - 9} ${y}h6M${x + 3} ${y}h6M${x} ${y - 9}v6M${x} ${y + 3}v6`, class: 'located' },
        this.drawing,
      );
    }
    for (const label of drawing.labels) {
      const [x, y] = label.at;
      const text = shape(
        'text',
        { x, y, class: 'vertebra', 'text-anchor': label.anchor, 'dominant-baseline': 'middle' },
        this.drawing,
      );
      text.textContent = label.text;
    }
    for (const slip of drawing.slips) this.#slip(slip);
  }

  #slip(slip: SlipDrawing): void {
    const group = shape('g', { class: 'slip', 'data-slip': slip.cell }, this.drawing);
    const [p, a, q] = slip.points;
    if (p && a) shape('line', { x1: p[0], y1: p[1], x2: a[0], y2: a[1], class: 'endplate' }, group);
    if (p && q && slip.foot) {
      const [x, y] = slip.foot;
      shape('line', { x1: q[0], y1: q[1], x2: x, y2: y, class: 'perpendicular' }, group);
      shape('line', { x1: p[0], y1: p[1], x2: x, y2: y, class: 'value' }, group);
      const text = shape(
        'text',
        { x: Math.max(p[0], x) + 12, y: Math.max(p[1], y) + 24, class: 'value-text' },
        group,
      );
      text.textContent = slip.text;
    }
    slip.points.forEach(([x, y], index) => {
      const name = POINT_NAMES[index] as string;
      const handle = shape(
        'g',
        {
          class: slip.movable ? 'handle movable' : 'handle',
          'data-point': index,
          'data-slip-cell': slip.cell,
        },
        group,
      );
      shape('circle', { cx: x, cy: y, r: 11, class: 'grip' }, handle);
      shape('circle', { cx: x, cy: y, r: 4, class: 'dot' }, handle);
      // Each letter stands on its own side of its point: P and Q are often a few millimetres apart.
      const [dx, dy] = LABEL_OFFSETS[index] ?? [8, -7];
      const label = shape('text', { x: x + dx, y: y + dy, class: 'point-name' }, handle);
      label.textContent = name;
    });
  }
}
