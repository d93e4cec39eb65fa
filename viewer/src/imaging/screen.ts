/** From patient space to the screen of one viewport, and what can be read off it. */
import type { Types } from '@cornerstonejs/core';
import { transformIndexToWorld } from '@cornerstonejs/core/utilities';
import { labelPlaces, letters, type Plane, scale, scaleBar, slip, subtract } from '../geometry.ts';
import type { Field, Label, Vec3 } from '../wire.ts';
import type { Corners, LabelDrawing, SlipDrawing, Spot } from './overlay.ts';

export type Viewport = Types.IStackViewport;

const WIDEST_BAR_PX = 180;

export function toScreen(viewport: Viewport, point: Vec3): Spot {
  const [x, y] = viewport.worldToCanvas([...point]);
  return [x, y];
}

export const toWorld = (viewport: Viewport, spot: Spot): Vec3 =>
  viewport.canvasToWorld([spot[0], spot[1]]) as unknown as Vec3;

/** What a step on the screen is in the patient. */
const step = (viewport: Viewport, dx: number, dy: number): Vec3 =>
  subtract(toWorld(viewport, [dx, dy]), toWorld(viewport, [0, 0]));

export function sideLetters(viewport: Viewport): NonNullable<Corners['letters']> {
  const right = step(viewport, 100, 0);
  const down = step(viewport, 0, 100);
  return {
    right: letters(right),
    left: letters(scale(right, -1)),
    bottom: letters(down),
    top: letters(scale(down, -1)),
  };
}

export const bar = (viewport: Viewport, most: number): Corners['bar'] =>
  scaleBar(Math.hypot(...step(viewport, 100, 0)) / 100, Math.min(WIDEST_BAR_PX, most));

/** The part of the slice a viewport shows, whatever its size on the screen. */
export function fieldOf(viewport: Viewport): Field {
  const { focalPoint, parallelScale } = viewport.getCamera();
  const [x = 0, y = 0, z = 0] = focalPoint ?? [];
  return { centre_lps_mm: [x, y, z], height_mm: 2 * (parallelScale ?? 1) };
}

export function showField(viewport: Viewport, field: Field): void {
  const { focalPoint, position } = viewport.getCamera();
  if (!focalPoint || !position) return;
  const [x, y, z] = field.centre_lps_mm;
  const away = subtract(position as unknown as Vec3, focalPoint as unknown as Vec3);
  viewport.setCamera({
    focalPoint: [x, y, z],
    position: [x + away[0], y + away[1], z + away[2]],
    parallelScale: field.height_mm / 2,
  });
}

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
    text: measured ? `${measured.value.toFixed(1)} mm` : '',
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

/** Screen place of pixel (0, 0), then the step of one column and of one row; the toolkit's other helper swaps spacings. */
export function pixelMap(viewport: Viewport): string {
  const data = viewport.getImageData()?.imageData;
  if (!data) return '';
  const at = (column: number, row: number): Spot =>
    toScreen(viewport, transformIndexToWorld(data, [column, row, 0]) as unknown as Vec3);
  const [origin, column, row] = [at(0, 0), at(1, 0), at(0, 1)];
  const away = (spot: Spot) => [spot[0] - origin[0], spot[1] - origin[1]];
  return [...origin, ...away(column), ...away(row)].map((value) => value.toFixed(4)).join(',');
}
