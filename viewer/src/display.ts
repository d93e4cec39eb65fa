/** The display check: what a reader sees of a test pattern, asked at the first case of a sitting. */
import { open } from './dialogs.ts';
import { h } from './dom.ts';
import type { Comfort, Looked, Question } from './wire.ts';

const WIDTH = 528;
const HEIGHT = 132;
const STEPS = 11;

const grey = (share: number): string => {
  const value = Math.round(share * 255);
  return `rgb(${value} ${value} ${value})`;
};

/** Width, height and pixels per point of the screen, as the server keeps it. */
export const screenOf = (): string =>
  `${window.screen.width}x${window.screen.height}@${Number(window.devicePixelRatio.toFixed(2))}`;

/** Grey steps, a 5 % square in black, a 95 % square in white, and lines of one and two pixels of the screen. */
export function pattern(): HTMLCanvasElement {
  const scale = window.devicePixelRatio;
  const canvas = h('canvas', {
    class: 'pattern',
    width: Math.round(WIDTH * scale),
    height: Math.round(HEIGHT * scale),
    role: 'img',
    'aria-label': 'Test pattern: eleven steps of grey, two squares, two fields of fine lines',
  });
  const ink = canvas.getContext('2d');
  if (!ink) return canvas;
  const box = (share: number, x: number, y: number, width: number, height: number) => {
    ink.fillStyle = grey(share);
    ink.fillRect(
      Math.round(x * scale),
      Math.round(y * scale),
      Math.round(width * scale),
      Math.round(height * scale),
    );
  };
  for (let step = 0; step < STEPS; step += 1) box(step / (STEPS - 1), step * 48, 0, 48, 48);
  box(0, 0, 60, 120, 72);
  box(0.05, 42, 78, 36, 36);
  box(1, 132, 60, 120, 72);
  box(0.95, 174, 78, 36, 36);
  lines(ink, Math.round(264 * scale), Math.round(60 * scale), Math.round(72 * scale), 1);
  lines(ink, Math.round(396 * scale), Math.round(60 * scale), Math.round(72 * scale), 2);
  return canvas;

  /** Upright lines at the left, lying ones at the right, `wide` pixels of the screen each. */
  function lines(to: CanvasRenderingContext2D, left: number, top: number, high: number, wide: number): void {
    const half = Math.round(60 * scale);
    to.fillStyle = grey(0);
    to.fillRect(left, top, 2 * half, high);
    to.fillStyle = grey(0.75);
    for (let x = 0; x < half; x += 2 * wide) to.fillRect(left + x, top, wide, high);
    for (let y = 0; y < high; y += 2 * wide) to.fillRect(left + half, top + y, half, wide);
  }
}

function choices(question: Question, chosen: string): HTMLElement {
  const name = `display-${question.code}`;
  const options = question.choices.map(([code, label]) =>
    h(
      'label',
      {},
      h('input', { type: 'radio', name, value: code, checked: code === chosen }),
      h('span', {}, label),
    ),
  );
  return h('fieldset', { class: 'choices' }, h('legend', {}, question.asked), ...options);
}

function answers(dialog: HTMLElement, { questions }: Comfort): Readonly<Record<string, string>> {
  const chosen = (code: string): string =>
    dialog.querySelector<HTMLInputElement>(`input[name="display-${code}"]:checked`)?.value ?? '';
  return Object.fromEntries(questions.map(({ code }) => [code, chosen(code)]));
}

/** One press passes; escaping says nothing, and the next case asks again. */
export function displayDialog(comfort: Comfort, done: (looked: Looked) => void, closed: () => void): void {
  const say = (seen: boolean) => () => {
    const said = answers(dialog, comfort);
    dialog.close();
    done({ seen, said, screen: screenOf() });
  };
  const dialog = open(
    'display',
    'Before the first case: your screen',
    h(
      'p',
      {},
      'Eleven different greys, the small square in the black and in the white one, and single lines: is all of it visible?',
    ),
    pattern(),
    h(
      'div',
      { class: 'questions' },
      ...comfort.questions.map((question) => choices(question, comfort.said[question.code] ?? '')),
    ),
    h('p', { class: 'soft' }, 'Asked once a sitting and kept with it. It changes nothing you may do.'),
    h(
      'footer',
      {},
      h('button', { type: 'button', click: say(false) }, 'Not all of it'),
      h(
        'button',
        { type: 'button', class: 'primary', autofocus: true, click: say(true) },
        'All visible  (Enter)',
      ),
    ),
  );
  dialog.addEventListener('close', closed);
  dialog.addEventListener('keydown', (event) => {
    const onButton = event.target instanceof HTMLButtonElement;
    if (event.key !== 'Enter' || onButton) return;
    event.preventDefault();
    say(true)();
  });
}
