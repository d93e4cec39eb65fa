/** The three-point tool: setting P, A, Q on one sagittal slice, and moving them afterwards. */
import { measuredCells } from '../evidence.ts';
import { planeName } from '../geometry.ts';
import { clamped, within } from '../measure.ts';
import type { Evidence, Points, Vec3 } from '../wire.ts';
import type { Mark } from './captions.ts';
import { POINT_NAMES, type Spot } from './overlay.ts';
import { isComputed } from './reformat.ts';
import type { View } from './view.ts';

const PROMPTS = [
  'P: upper back corner of the vertebra below',
  'A: upper front corner of the vertebra below',
  'Q: lower back corner of the slipped vertebra',
] as const;

export interface Handle {
  readonly cell: string;
  readonly point: number;
}

export interface PointsEvents {
  set(cell: string, points: Points): void;
  /** The third point is set. */
  done(): void;
}

export class ThreePoints {
  readonly #views: () => readonly View[];
  readonly #events: PointsEvents;
  #cell: string | null = null;
  #marks: readonly Mark[] = [];
  #pending: { readonly uid: string; readonly points: readonly Vec3[] } | null = null;
  #prompted: View | null = null;
  /** The points as they were before a drag. */
  #before: readonly Mark[] | null = null;

  constructor(views: () => readonly View[], events: PointsEvents) {
    this.#views = views;
    this.#events = events;
  }

  clear(): void {
    this.#cell = null;
    this.#marks = [];
    this.#pending = null;
    this.#before = null;
  }

  belong(cell: string | null, evidence: Evidence): void {
    this.#cell = cell;
    this.#marks = measuredCells(evidence);
    this.#before = null;
    this.#dressAll();
  }

  /** Forget points half set; false when there were none. */
  abandon(): boolean {
    if (!this.#pending) return false;
    this.#pending = null;
    this.#dressAll();
    return true;
  }

  /** Give a view the points that belong on what it shows. */
  dress(view: View): void {
    view.marks = this.#marks;
    const uid = view.stack?.frames[view.shown]?.uid;
    view.pending = this.#pending && this.#pending.uid === uid ? this.#pending.points : [];
    view.refresh();
  }

  #dressAll(): void {
    for (const view of this.#views()) this.dress(view);
  }

  /** Say in the given view what is to be done next, or why it cannot be done there. */
  prompt(view: View | null): void {
    this.#prompted = view;
    const step = this.#pending?.points.length ?? 0;
    for (const other of this.#views()) {
      const next = `${step + 1} of 3 · ${PROMPTS[step] ?? ''}`;
      other.overlay.prompt(other === view ? (this.#obstacle(other) ?? next) : '');
    }
  }

  /** Why points cannot be set in a view, or null when they can. */
  #obstacle(view: View): string | null {
    if (!this.#cell) return 'This form asks for no slip.';
    if (!view.stack) return 'Choose a view with a sagittal slice.';
    if (!view.honest) return 'Wait until the slice is shown.';
    if (isComputed(view.stack)) return 'This plane is computed: measure on a slice as it was stored.';
    if (!view.plane) return 'Position or scale is missing: the slip cannot be measured here.';
    return planeName(view.plane) === 'sagittal' ? null : 'The slip is measured on a sagittal slice.';
  }

  place(view: View | null, spot: Spot): void {
    if (!view || !this.#cell || this.#obstacle(view)) return;
    const uid = view.stack?.frames[view.shown]?.uid;
    const point = view.toPatient(spot);
    if (!uid || !point || !view.plane || !within(view.plane, point)) return;
    const before = this.#pending?.uid === uid ? this.#pending.points : [];
    const points = [...before, point];
    if (points.length < POINT_NAMES.length) {
      this.#pending = { uid, points };
      this.#dressAll();
      this.prompt(this.#prompted);
      return;
    }
    this.#pending = null;
    this.#events.set(this.#cell, { uid, points_lps_mm: points });
    this.#events.done();
  }

  drag(view: View | null, at: Handle, spot: Spot, done: boolean): void {
    const mark = this.#marks.find((m) => m.cell === at.cell);
    if (!mark) return;
    const here = view?.stack?.frames[view.shown]?.uid === mark.points.uid;
    const found = here && view.honest ? view.toPatient(spot) : null;
    if (!found || !view?.plane) {
      if (done || !here) this.#putBack();
      return;
    }
    const point = clamped(view.plane, found);
    const points: Points = {
      uid: mark.points.uid,
      points_lps_mm: mark.points.points_lps_mm.map((old, index) => (index === at.point ? point : old)),
    };
    if (done) {
      this.#before = null;
      this.#events.set(at.cell, points);
      return;
    }
    this.#before ??= this.#marks;
    this.#marks = this.#marks.map((m) => (m === mark ? { cell: at.cell, points } : m));
    this.#dressAll();
  }

  /** Points belong on the slice they were set on: over another one a drag says nothing. */
  #putBack(): void {
    if (!this.#before) return;
    this.#marks = this.#before;
    this.#before = null;
    this.#dressAll();
  }
}
