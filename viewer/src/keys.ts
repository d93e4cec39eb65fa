/** Key -> action, pure. The table below is also what the help dialog and KEYS.md show. */

export interface Press {
  readonly key: string;
  readonly code: string;
  readonly shift: boolean;
  readonly ctrl: boolean;
  readonly alt: boolean;
}

export type Region = 'sheet' | 'images';

export interface Context {
  /** Where the visible focus is; it alone decides what a plain digit does. */
  readonly region: Region;
  /** `text`: letters are typed. `number`: only digits and signs are. */
  readonly typing: 'none' | 'number' | 'text';
  /** What the open cell waits for. */
  readonly mode: 'grade' | 'reason' | 'note';
  /** Key caps of the open cell, or of the reasons. */
  readonly caps: readonly string[];
  /** A mark on an image is chosen: the key that removes goes to it. */
  readonly marked?: boolean;
  /** The arrows move a place on the picture: a tool sets points, or one that is set is carried. */
  readonly pointing?: boolean;
  /** The list of places is open: the next digit chooses one. */
  readonly jumping?: boolean;
  /** The criteria of the focused item are open, and their pictures with them. */
  readonly criteria?: boolean;
}

export type Tool =
  | 'window'
  | 'zoom'
  | 'pan'
  | 'scroll'
  | 'length'
  | 'angle'
  | 'ellipse'
  | 'point'
  | 'arrow'
  | 'slip'
  | 'cross';

export type Action =
  | { readonly kind: 'cap'; readonly cap: string }
  | { readonly kind: 'preset'; readonly key: string }
  | { readonly kind: 'move'; readonly by: 1 | -1 }
  | { readonly kind: 'step'; readonly by: 1 | -1 }
  | { readonly kind: 'across'; readonly by: 1 | -1 }
  | { readonly kind: 'closer'; readonly by: 1 | -1 }
  | { readonly kind: 'leaf'; readonly by: 1 | -1 }
  | { readonly kind: 'scroll'; readonly by: number }
  | { readonly kind: 'edge'; readonly to: 'first' | 'last' }
  | { readonly kind: 'tool'; readonly tool: Tool }
  | { readonly kind: 'jump'; readonly number: number }
  | { readonly kind: 'block'; readonly by: 1 | -1 }
  | { readonly kind: 'link'; readonly offset: boolean }
  | { readonly kind: 'cursor'; readonly right: number; readonly down: number }
  | { readonly kind: 'take_point'; readonly by: 1 | -1 }
  | { readonly kind: 'zoom'; readonly by: 1 | -1 }
  | { readonly kind: 'work'; readonly right: number; readonly down: number }
  | { readonly kind: Plain };

export type Plain =
  | 'accept'
  | 'escape'
  | 'clear'
  | 'unassessable'
  | 'criteria'
  | 'keep'
  | 'comment'
  | 'leave_comment'
  | 'region'
  | 'undo'
  | 'redo'
  | 'help'
  | 'full'
  | 'layout'
  | 'view'
  | 'invert'
  | 'reset'
  | 'overlays'
  | 'middle'
  | 'jumps'
  | 'leave_jumps'
  | 'lens'
  | 'second'
  | 'retry'
  | 'pin'
  | 'see_pin'
  | 'unpin'
  | 'remove_mark'
  | 'set_cursor';

export interface KeyLine {
  readonly group: 'Sheet' | 'Images' | 'Tools' | 'Everywhere';
  readonly keys: string;
  readonly does: string;
}

export const KEY_LINES: readonly KeyLine[] = [
  { group: 'Sheet', keys: '0–9', does: 'grade the open cell and move on (focus in the sheet)' },
  { group: 'Sheet', keys: '↑ ↓ · Tab', does: 'cell before or after' },
  { group: 'Sheet', keys: '← →', does: 'the other side, where sides and segments are asked' },
  { group: 'Sheet', keys: 'Enter', does: 'take a typed number, move on; at the end: summary, then submit' },
  { group: 'Sheet', keys: 'U, then a digit', does: 'not assessable, with its reason' },
  { group: 'Sheet', keys: '?', does: 'criteria of the open item' },
  {
    group: 'Sheet',
    keys: 'Space · Shift+Space',
    does: 'with criteria open: enlarge the next, previous picture',
  },
  { group: 'Sheet', keys: 'Shift+PageUp · Shift+PageDown', does: 'turn a page of criteria, remarks, sheet' },
  { group: 'Sheet', keys: 'K', does: 'keep the answer as it is, with its remark' },
  { group: 'Sheet', keys: 'Delete', does: 'clear the open cell' },
  { group: 'Sheet', keys: '=', does: 'keep the slice of the active view as evidence of the open cell' },
  { group: 'Sheet', keys: 'J · Shift+Delete', does: 'show that slice again · take it back' },
  { group: 'Sheet', keys: 'C · Ctrl+Enter', does: 'write a comment · leave it' },
  { group: 'Sheet', keys: 'Ctrl+Z · Ctrl+Y', does: 'undo · redo' },
  { group: 'Images', keys: 'Wheel · PageUp PageDown', does: 'scroll the active view' },
  { group: 'Images', keys: '↑ ↓ · Home End', does: 'scroll, first, last slice (focus in the images)' },
  { group: 'Images', keys: 'Shift+1–9', does: 'window preset, always' },
  { group: 'Images', keys: '1–9', does: 'window preset (focus in the images)' },
  { group: 'Images', keys: 'N', does: 'next view becomes the active one' },
  { group: 'Images', keys: 'F · double-click', does: 'active view to full size and back' },
  {
    group: 'Images',
    keys: '+ − · Ctrl+arrows',
    does: 'zoom · as the left button: window, zoom, pan (focus in the images)',
  },
  { group: 'Images', keys: 'V', does: 'next layout' },
  { group: 'Images', keys: 'M', does: 'back to the start slices' },
  { group: 'Images', keys: 'T, then a digit', does: 'go to: midline, right or left pars, index disc' },
  { group: 'Images', keys: 'B · Shift+B', does: 'next, previous block of an axial series' },
  { group: 'Images', keys: 'X · Shift+X', does: 'linked scrolling on or off · link as the slices stand now' },
  { group: 'Images', keys: 'I · R', does: 'invert · reset the active view' },
  { group: 'Images', keys: 'H', does: 'hide or show overlays' },
  { group: 'Images', keys: 'Shift+click', does: 'locate the point in the other views' },
  { group: 'Images', keys: 'Shift+T', does: 'crosshair: left button shows one place in all views' },
  { group: 'Images', keys: 'G', does: 'magnifier: while held, or tap on and off' },
  { group: 'Images', keys: 'O', does: 'images to a second window and back' },
  { group: 'Tools', keys: 'W · Z · P', does: 'left button: window, zoom, pan' },
  { group: 'Tools', keys: 'L · A', does: 'length in mm · angle: click, or draw with the button held' },
  { group: 'Tools', keys: 'E · D', does: 'ellipse: mean, SD, area · value at a point (HU on CT)' },
  { group: 'Tools', keys: 'Q', does: 'arrow with a letter' },
  {
    group: 'Tools',
    keys: '↑ ↓ ← → · Enter',
    does: 'with a tool, focus in the images: move a cursor (Shift: fast), set a point',
  },
  {
    group: 'Tools',
    keys: 'Full stop · comma',
    does: 'take the next, previous point to move it (focus in the images)',
  },
  { group: 'Tools', keys: 'Delete · Backspace', does: 'remove the chosen mark' },
  { group: 'Tools', keys: 'S', does: 'three-point slip: P, A, Q on a sagittal slice' },
  { group: 'Tools', keys: 'Right · middle button', does: 'as your mouse habit says, whatever the tool' },
  { group: 'Everywhere', keys: 'F6 · `', does: 'focus from sheet to images and back' },
  { group: 'Everywhere', keys: 'F1', does: 'these keys' },
  { group: 'Everywhere', keys: 'Esc', does: 'leave the reason, the points, the dialog' },
  { group: 'Everywhere', keys: 'Y', does: 'try failed images again' },
];

const LETTERS: Readonly<Record<string, Action>> = {
  u: { kind: 'unassessable' },
  k: { kind: 'keep' },
  c: { kind: 'comment' },
  n: { kind: 'view' },
  f: { kind: 'full' },
  v: { kind: 'layout' },
  m: { kind: 'middle' },
  i: { kind: 'invert' },
  r: { kind: 'reset' },
  h: { kind: 'overlays' },
  y: { kind: 'retry' },
  w: { kind: 'tool', tool: 'window' },
  z: { kind: 'tool', tool: 'zoom' },
  p: { kind: 'tool', tool: 'pan' },
  l: { kind: 'tool', tool: 'length' },
  s: { kind: 'tool', tool: 'slip' },
  a: { kind: 'tool', tool: 'angle' },
  e: { kind: 'tool', tool: 'ellipse' },
  d: { kind: 'tool', tool: 'point' },
  q: { kind: 'tool', tool: 'arrow' },
  j: { kind: 'see_pin' },
  g: { kind: 'lens' },
  o: { kind: 'second' },
};

const ARROWS: Readonly<Record<string, readonly [right: number, down: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
const FAST = 12;

/**
 * The digit of a press by its place on the keyboard, so that AZERTY needs no shift. On the number pad the same places
 * are Home, End and arrows while Num Lock is off: there, and without a place, the key itself is asked.
 */
function digit(press: Press): string | null {
  const match = /^Digit(\d)$/.exec(press.code);
  if (match) return match[1] as string;
  const itself = press.code === '' || press.code.startsWith('Numpad');
  return itself && /^\d$/.test(press.key) ? press.key : null;
}

export function resolve(press: Press, context: Context): Action | null {
  if (press.alt) return null;
  return (
    everywhere(press, context) ??
    (context.typing === 'text' ? whileWriting(press) : null) ??
    (context.typing === 'text' || press.ctrl ? null : plain(press, context))
  );
}

function everywhere(press: Press, context: Context): Action | null {
  if (press.key === 'F6') return { kind: 'region' };
  if (press.key === 'F1') return { kind: 'help' };
  if (press.key === 'PageUp' || press.key === 'PageDown') {
    return { kind: press.shift ? 'leaf' : 'scroll', by: press.key === 'PageUp' ? -1 : 1 };
  }
  if (context.typing === 'text') return null;
  if (press.code === 'Backquote') return { kind: 'region' };
  return press.ctrl ? withControl(press, context) : null;
}

function withControl(press: Press, context: Context): Action | null {
  const arrow = context.region === 'images' ? ARROWS[press.key] : undefined;
  if (arrow) return { kind: 'work', right: arrow[0] * FAST, down: arrow[1] * FAST };
  const key = press.key.toLowerCase();
  if (key === 'z') return { kind: press.shift ? 'redo' : 'undo' };
  return key === 'y' ? { kind: 'redo' } : null;
}

function whileWriting(press: Press): Action | null {
  if (press.key === 'Escape') return { kind: 'escape' };
  if (press.key === 'Enter' && press.ctrl) return { kind: 'leave_comment' };
  return null;
}

function plain(press: Press, context: Context): Action | null {
  // On many keyboards this sign is Shift and a digit: it comes before the presets.
  if (press.key === '=') return { kind: 'pin' };
  const removed = removing(press, context);
  if (removed) return removed;
  const number = digit(press);
  if (context.jumping && press.key === 'Escape') return { kind: 'leave_jumps' };
  if (number !== null) return forDigit(number, press, context);
  if (press.key === '?') return { kind: 'criteria' };
  if (context.region === 'sheet' && context.caps.includes(press.key)) return { kind: 'cap', cap: press.key };
  return lettered(press) ?? named(press, context);
}

function removing(press: Press, context: Context): Action | null {
  // Backspace belongs to the number that is typed; typing lets go of a chosen mark, so Delete after it as well.
  const removes = press.key === 'Delete' || (press.key === 'Backspace' && context.typing === 'none');
  if (removes && context.marked) return { kind: 'remove_mark' };
  return press.key === 'Delete' && press.shift ? { kind: 'unpin' } : null;
}

function lettered(press: Press): Action | null {
  if (press.key.length !== 1) return null;
  return withShift(press) ?? LETTERS[press.key.toLowerCase()] ?? null;
}

/** Letters that mean something else together with Shift. */
function withShift(press: Press): Action | null {
  switch (press.key.toLowerCase()) {
    case 'x':
      return { kind: 'link', offset: press.shift };
    case 'b':
      return { kind: 'block', by: press.shift ? -1 : 1 };
    case 't':
      return press.shift ? { kind: 'tool', tool: 'cross' } : { kind: 'jumps' };
    default:
      return null;
  }
}

function forDigit(number: string, press: Press, context: Context): Action | null {
  if (press.shift) return { kind: 'preset', key: number };
  if (context.jumping) return { kind: 'jump', number: Number(number) };
  if (context.region === 'images') return { kind: 'preset', key: number };
  if (context.typing === 'number' && context.mode === 'grade') return null;
  return { kind: 'cap', cap: number };
}

function named(press: Press, context: Context): Action | null {
  if (context.region === 'images') {
    const pointed = context.pointing ? pointing(press) : null;
    if (pointed) return pointed;
  }
  const by = press.key === 'ArrowUp' ? -1 : press.key === 'ArrowDown' ? 1 : 0;
  if (by !== 0) return context.region === 'images' ? { kind: 'scroll', by } : { kind: 'step', by };
  return context.region === 'images' ? inImages(press) : inSheet(press, context);
}

function inSheet(press: Press, { typing, criteria }: Context): Action | null {
  switch (press.key) {
    case 'ArrowLeft':
    case 'ArrowRight':
      return typing === 'none' ? { kind: 'across', by: press.key === 'ArrowLeft' ? -1 : 1 } : null;
    case 'Tab':
      return { kind: 'move', by: press.shift ? -1 : 1 };
    case 'Enter':
      return { kind: 'accept' };
    case ' ':
      return criteria ? { kind: 'closer', by: press.shift ? -1 : 1 } : null;
    case 'Escape':
      return { kind: 'escape' };
    case 'Delete':
      return { kind: 'clear' };
    case 'Backspace':
      return typing === 'none' ? { kind: 'clear' } : null;
    default:
      return null;
  }
}

function pointing(press: Press): Action | null {
  if (press.key === 'Enter') return { kind: 'set_cursor' };
  const arrow = ARROWS[press.key];
  const times = press.shift ? FAST : 1;
  return arrow ? { kind: 'cursor', right: arrow[0] * times, down: arrow[1] * times } : null;
}

function inImages(press: Press): Action | null {
  if (press.key === '.' || press.key === ',') return { kind: 'take_point', by: press.key === '.' ? 1 : -1 };
  if (press.key === '+' || press.key === '-') return { kind: 'zoom', by: press.key === '+' ? 1 : -1 };
  if (press.key === 'Home') return { kind: 'edge', to: 'first' };
  if (press.key === 'End') return { kind: 'edge', to: 'last' };
  if (press.key === 'ArrowLeft' || press.key === 'ArrowRight') return { kind: 'view' };
  return press.key === 'Escape' ? { kind: 'escape' } : null;
}
