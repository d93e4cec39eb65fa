/** A mark as lines and words over a picture; its handles can be taken with the mouse. */
import type { Plane } from '../../geometry.ts';
import { ellipseOf, otherCorners, outline } from '../../measure.ts';
import type { ImageMark, Vec3 } from '../../wire.ts';
import { type Spot, shape } from '../overlay.ts';

/** The handle that moves a whole mark. */
export const WHOLE = -1;
const HEAD_PX = 12;
const LINE_PX = 16;
/** About the width of one letter of the read-out. */
const LETTER_PX = 7.2;

export interface Scene {
  readonly plane: Plane;
  readonly toScreen: (point: Vec3) => Spot;
  readonly width: number;
  readonly height: number;
}

/** Every handle's place: the points, and of an ellipse the other two corners of its box. */
export function handles(mark: ImageMark, plane: Plane): readonly Vec3[] {
  const [a, b] = mark.points_lps_mm;
  return mark.kind === 'ellipse' && a && b ? [a, b, ...otherCorners(plane, a, b)] : mark.points_lps_mm;
}

const line = (spots: readonly Spot[]): string =>
  spots.map(([x, y], i) => `${i ? 'L' : 'M'}${x} ${y}`).join('');

/** From the tip back along the shaft, and the two short strokes of the head. */
function arrow(tip: Spot, tail: Spot): string {
  const turn = Math.atan2(tail[1] - tip[1], tail[0] - tip[0]);
  const stroke = (by: number): Spot => [
    tip[0] + HEAD_PX * Math.cos(turn + by),
    tip[1] + HEAD_PX * Math.sin(turn + by),
  ];
  return line([tail, tip]) + line([stroke(0.45), tip, stroke(-0.45)]);
}

function path(mark: ImageMark, scene: Scene): string {
  const spots = mark.points_lps_mm.map(scene.toScreen);
  const [a, b] = spots;
  const [first, second] = mark.points_lps_mm;
  if (!a) return '';
  if (mark.kind === 'point') return `M${a[0] - 7} ${a[1]}h14M${a[0]} ${a[1] - 7}v14`;
  if (!b) return '';
  if (mark.kind === 'arrow') return arrow(a, b);
  if (mark.kind === 'ellipse' && first && second) {
    return `${line(outline(scene.plane, ellipseOf(scene.plane, first, second)).map(scene.toScreen))}Z`;
  }
  return line(spots);
}

/** Where the words begin: beside the last point, right of an ellipse, beyond the tail of an arrow. */
function wordsAt(mark: ImageMark, scene: Scene): Spot {
  const spots = handles(mark, scene.plane).map(scene.toScreen);
  const last = spots.at(-1) ?? [0, 0];
  if (mark.kind === 'ellipse') {
    return [Math.max(...spots.map(([x]) => x)) + 8, Math.min(...spots.map(([, y]) => y)) + 12];
  }
  const [tip, corner] = spots;
  if (mark.kind === 'angle' && corner) return [corner[0] + 10, corner[1] + 18];
  if (mark.kind === 'arrow' && tip) {
    const away = Math.max(1, Math.hypot(last[0] - tip[0], last[1] - tip[1]));
    const on = 12 / away;
    return [last[0] + (last[0] - tip[0]) * on - 5, last[1] + (last[1] - tip[1]) * on + 5];
  }
  return [last[0] + 12, last[1] + 18];
}

function words(mark: ImageMark, lines: readonly string[], scene: Scene, group: Element): void {
  const [x, y] = wordsAt(mark, scene);
  const wide = Math.max(...lines.map((text) => text.length)) * LETTER_PX;
  const left = Math.max(4, Math.min(x, scene.width - wide - 4));
  const top = Math.max(LINE_PX, Math.min(y, scene.height - LINE_PX * lines.length));
  lines.forEach((text, index) => {
    const name = mark.kind === 'arrow' ? 'letter-text' : 'value-text';
    shape('text', { x: left, y: top + index * LINE_PX, class: name }, group).textContent = text;
  });
}

export interface Look {
  readonly selected: boolean;
  /** Being drawn: it cannot be taken yet. */
  readonly begun: boolean;
}

export function drawMark(
  parent: Element,
  mark: ImageMark,
  index: number,
  lines: readonly string[],
  scene: Scene,
  look: Look,
): void {
  const group = shape('g', { class: 'mark', 'data-kind': mark.kind, 'data-mark': index }, parent);
  group.classList.toggle('selected', look.selected);
  const drawn = path(mark, scene);
  shape('path', { d: drawn, class: 'casing' }, group);
  shape('path', { d: drawn, class: 'line' }, group);
  if (!look.begun) {
    const whole = { class: 'handle movable', 'data-mark-index': index, 'data-point': WHOLE };
    shape('path', { d: drawn, class: 'hit' }, shape('g', whole, group));
  }
  handles(mark, scene.plane).forEach((point, at) => {
    const [x, y] = scene.toScreen(point);
    const name = look.begun ? 'handle' : 'handle movable';
    const handle = shape('g', { class: name, 'data-mark-index': index, 'data-point': at }, group);
    shape('circle', { cx: x, cy: y, r: 11, class: 'grip' }, handle);
    shape('circle', { cx: x, cy: y, r: 4, class: 'dot' }, handle);
  });
  if (lines.length > 0) words(mark, lines, scene, group);
}
