/** From patient space to the screen of one viewport, and what can be read off it. */
import { signed } from '../answers.ts';
import { labelPlaces, letters, type Plane, scale, scaleBar, slip } from '../geometry.ts';
import type { Label, Vec3 } from '../wire.ts';
import type { Corners, LabelDrawing, SlipDrawing, Spot } from './overlay.ts';
import type { Viewport } from './viewport.ts';

export type { Viewport } from './viewport.ts';

const WIDEST_BAR_PX = 180;

export const toScreen = (viewport: Viewport, point: Vec3): Spot => viewport.toScreen(point);

export function sideLetters(viewport: Viewport): NonNullable<Corners['letters']> {
  const right = viewport.step(100, 0);
  const down = viewport.step(0, 100);
  return {
    right: letters(right),
    left: letters(scale(right, -1)),
    bottom: letters(down),
    top: letters(scale(down, -1)),
  };
}

export const bar = (viewport: Viewport, most: number): Corners['bar'] =>
  scaleBar(Math.hypot(...viewport.step(1, 0)), Math.min(WIDEST_BAR_PX, most));

export function slipDrawing(
  viewport: Viewport,
  cell: string,
  points: readonly Vec3[],
  movable: boolean,
): SlipDrawing {
  const [p, a, q] = points;
  const measured = p && a && q ? slip(p, a, q) : null;
  return {
    cell,
    points: points.map((point) => toScreen(viewport, point)),
    foot: measured ? toScreen(viewport, measured.foot) : null,
    text: measured ? signed(`${measured.value.toFixed(1)} mm`) : '',
    movable,
  };
}

/** Vertebrae's names before their front walls, growing away from them. */
export function labelDrawings(
  viewport: Viewport,
  plane: Plane,
  labels: readonly Label[],
): readonly LabelDrawing[] {
  return labelPlaces(plane, labels).map(({ label, at }) => {
    const place = toScreen(viewport, at);
    const [middle] = toScreen(viewport, label.point_lps_mm);
    return { text: label.text, at: place, anchor: place[0] <= middle ? 'end' : 'start' };
  });
}

/** Screen place of pixel (0, 0), then the step of one column and of one row. */
export function pixelMap({ map }: Viewport): string {
  return [map.x, map.y, map.column, 0, 0, map.row].map((value) => value.toFixed(4)).join(',');
}
