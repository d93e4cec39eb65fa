/** The image tools in the bar: buttons where there is room, lists with the same words where there is not. */
import { h, quiet, say } from './dom.ts';
import { type Offer, offers } from './imaging/hanging.ts';
import type { ToolState } from './imaging/index.ts';
import type { Action, Tool } from './keys.ts';
import type { Jump, Preset, Sheet, Stack } from './wire.ts';

export interface ToolbarEvents {
  layout(code: string): void;
  act(action: Action): void;
}

const TOOLS: readonly (readonly [Tool, string, string])[] = [
  ['window', 'W/L', 'Window: drag with the left button (W)'],
  ['zoom', 'Zoom', 'Zoom: drag with the left button (Z)'],
  ['pan', 'Pan', 'Pan: drag with the left button (P)'],
  ['length', 'Length', 'Length in mm (L)'],
  ['angle', 'Angle', 'Angle in degrees: three points (A)'],
  ['ellipse', 'Ellipse', 'Ellipse: mean, SD and area; HU on CT (E)'],
  ['point', 'Value', 'Value at a point; HU on CT (D)'],
  ['arrow', 'Arrow', 'Arrow with a letter (Q)'],
  ['slip', 'Slip', 'Three-point slip on a sagittal slice (S)'],
  ['cross', 'Cross', 'Crosshair: one place of the body in all views (Shift+T)'],
];

const ACTS: readonly (readonly [Action, string, string, string])[] = [
  [{ kind: 'full' }, 'Full', 'Active view to full size and back', 'F'],
  [{ kind: 'invert' }, 'Invert', 'Invert', 'I'],
  [{ kind: 'reset' }, 'Reset', 'Window, zoom and place as at the start; marks stay', 'R'],
  [{ kind: 'lens' }, 'Lens', 'Magnifier at the mouse', 'G'],
  [{ kind: 'jumps' }, 'Go to', 'Go to a place', 'T'],
  [{ kind: 'block', by: 1 }, 'Block', 'Next block of an axial series; Shift+B: the one before', 'B'],
  [{ kind: 'second' }, '2nd window', 'Images to a second window and back', 'O'],
];

/** Longer titles than this stand in a list instead of a row of buttons. */
const MOST_LAYOUT_LETTERS = 28;

export class Toolbar {
  readonly root: HTMLElement;
  /** Stands over the images; the next digit chooses. */
  readonly menu = h('div', { class: 'jump-menu', role: 'group', 'aria-label': 'Go to' });
  readonly #events: ToolbarEvents;
  readonly #layouts = h('div', { class: 'group', role: 'group', 'aria-label': 'Layout' });
  readonly #tools = h('div', { class: 'group wide', role: 'group', 'aria-label': 'Left button' });
  readonly #toolList = h('select', { class: 'narrow', 'aria-label': 'Left button', title: 'Left button' });
  readonly #acts = h('div', { class: 'group widest', role: 'group', 'aria-label': 'Images' });
  readonly #actList = h('select', {
    class: 'wider',
    'aria-label': 'Images',
    title: 'What to do with the images',
  });
  readonly #presets = h('select', { 'aria-label': 'Window preset', title: 'Window preset (Shift+digit)' });
  readonly #link: HTMLButtonElement;

  constructor(events: ToolbarEvents) {
    this.#events = events;
    this.#link = quiet('Link', 'Linked scrolling (X)', () => events.act({ kind: 'link', offset: false }), {
      class: 'link',
    });
    this.#fillTools();
    this.#fillActs();
    this.#presets.addEventListener('change', () => {
      events.act({ kind: 'preset', key: this.#presets.value });
      backToTitle(this.#presets);
    });
    this.menu.hidden = true;
    this.root = h(
      'div',
      { class: 'tools', role: 'toolbar', 'aria-label': 'Image tools' },
      this.#layouts,
      this.#tools,
      this.#toolList,
      this.#acts,
      this.#actList,
      h('div', { class: 'group' }, this.#presets, this.#link),
    );
  }

  #fillTools(): void {
    this.#tools.append(
      ...TOOLS.map(([tool, label, title]) =>
        quiet(label, title, () => this.#events.act({ kind: 'tool', tool }), { 'data-tool': tool }),
      ),
    );
    this.#toolList.append(...TOOLS.map(([tool, label]) => new Option(label, tool)));
    this.#toolList.addEventListener('change', () => {
      const chosen = TOOLS.find(([tool]) => tool === this.#toolList.value);
      if (chosen) this.#events.act({ kind: 'tool', tool: chosen[0] });
      this.#toolList.blur();
    });
  }

  #fillActs(): void {
    this.#acts.append(
      ...ACTS.map(([action, label, title, key]) =>
        quiet(label, `${title} (${key})`, () => this.#events.act(action), { 'data-act': action.kind }),
      ),
    );
    this.#actList.append(
      new Option('Images', '', true, true),
      ...ACTS.map(([action, , title, key]) => new Option(`${title} (${key})`, action.kind)),
    );
    this.#actList.addEventListener('change', () => {
      const chosen = ACTS.find(([action]) => action.kind === this.#actList.value);
      backToTitle(this.#actList);
      if (chosen) this.#events.act(chosen[0]);
    });
  }

  /** What this case can be shown in, and where it can go to. */
  announce(sheet: Sheet, stacks: readonly Stack[]): void {
    this.#layoutButtons(offers(sheet, stacks));
    const options = sheet.presets.map(
      (preset: Preset) => new Option(`${preset.key}  ${preset.title}`, preset.key),
    );
    this.#presets.replaceChildren(new Option('Window', '', true, true), ...options);
    this.#places(sheet.jumps ?? []);
  }

  /** Buttons while they fit, a list otherwise. */
  #layoutButtons(found: readonly Offer[]): void {
    const room = found.reduce((sum, { layout }) => sum + layout.title.length, 0);
    if (room > MOST_LAYOUT_LETTERS) {
      this.#layouts.replaceChildren(this.#layoutList(found));
      return;
    }
    const buttons = found.map(({ layout: { code, title } }) =>
      quiet(title.replace(' x ', '×'), `Layout ${title} (V: next)`, () => this.#events.layout(code), {
        'data-layout': code,
      }),
    );
    this.#layouts.replaceChildren(...buttons);
  }

  #layoutList(found: readonly Offer[]): HTMLSelectElement {
    const list = h('select', { class: 'layouts', 'aria-label': 'Layout', title: 'Layout (V: next)' });
    for (const { layout, obstacle } of found) {
      // What a case does not allow stays listed with its reason, so that nobody looks for it.
      const option = new Option(obstacle ? `${layout.title} (${obstacle})` : layout.title, layout.code);
      option.disabled = obstacle !== '';
      list.append(option);
    }
    list.addEventListener('change', () => {
      this.#events.layout(list.value);
      list.blur();
    });
    return list;
  }

  #places(jumps: readonly Jump[]): void {
    const go = (number: number) => () => {
      this.open(false);
      this.#events.act({ kind: 'jump', number });
    };
    this.menu.replaceChildren(
      h('span', { role: 'status' }, 'Go to'),
      ...jumps.map(({ title }, index) => {
        const button = quiet('', `${title} (T, then ${index + 1})`, go(index + 1));
        button.append(h('kbd', {}, String(index + 1)), title);
        return button;
      }),
    );
  }

  get jumping(): boolean {
    return !this.menu.hidden;
  }

  open(on: boolean): void {
    this.menu.hidden = !on;
  }

  show(state: ToolState): void {
    const list = this.#layouts.querySelector('select');
    if (list) list.value = state.layout;
    press(this.#layouts, (button) => button.dataset.layout === state.layout);
    press(this.#tools, (button) => button.dataset.tool === state.tool);
    this.#toolList.value = state.tool;
    this.#acts.querySelector('[data-act="lens"]')?.setAttribute('aria-pressed', String(state.lens));
    this.#link.setAttribute('aria-pressed', String(state.linked));
    say(this.#link, state.linked ? (state.offset ? 'Link on ±' : 'Link on') : 'Link off');
  }

  apart(on: boolean): void {
    this.#acts.querySelector('[data-act="second"]')?.setAttribute('aria-pressed', String(on));
  }
}

function press(group: HTMLElement, pressed: (button: HTMLElement) => boolean): void {
  for (const button of group.querySelectorAll<HTMLElement>('button')) {
    button.setAttribute('aria-pressed', String(pressed(button)));
  }
}

/** A list of acts shows its own name again, and gives the keyboard back. */
function backToTitle(list: HTMLSelectElement): void {
  list.selectedIndex = 0;
  list.blur();
}
