/** Drawing, moving, choosing and removing marks. They belong to the reading, each to one image. */
import { nextLetter } from '../../evidence.ts';
import { add, depth, dot, type Plane, scale, subtract } from '../../geometry.ts';
import { clamped, distance, ellipseOf, linesOf, within } from '../../measure.ts';
import type { ImageMark, MarkKind, Vec3 } from '../../wire.ts';
import { type Spot, shape } from '../overlay.ts';
import { isComputed } from '../reformat.ts';
import { toScreen } from '../screen.ts';
import type { View } from '../view.ts';
import { drawMark, handles, type Scene, WHOLE } from './drawing.ts';
import { KINDS } from './kinds.ts';

export interface MarkHandle {
  readonly mark: number;
  readonly point: number;
}

export interface MarksEvents {
  changed(marks: readonly ImageMark[]): void;
  /** The last point is set. */
  done(): void;
}

/** A handle in the hand. `lost`: the slice went away below it, and the mark stays until the mouse lets go. */
interface Taken {
  readonly at: MarkHandle;
  readonly mark: ImageMark;
  readonly from: Vec3;
  readonly before: readonly ImageMark[];
  readonly lost: boolean;
}

const SMALLEST_MM = 0.2;
const MOST = 100;

const shownUid = (view: View): string | undefined => view.stack?.frames[view.shown]?.uid;

export class Marks {
  readonly #views: () => readonly View[];
  readonly #events: MarksEvents;
  readonly #layers = new WeakMap<View, SVGSVGElement>();
  /** A reading of grey values is repeated only for another mark: marks never change, they are replaced. */
  readonly #read = new WeakMap<ImageMark, readonly string[]>();
  #kind: MarkKind | null = null;
  #marks: readonly ImageMark[] = [];
  #begun: ImageMark | null = null;
  #hover: Vec3 | null = null;
  #selected: number | null = null;
  #images: ReadonlySet<string> = new Set();
  #taken: Taken | null = null;

  constructor(views: () => readonly View[], events: MarksEvents) {
    this.#views = views;
    this.#events = events;
  }

  /** A mark is chosen and can be seen: the key that removes goes to it. */
  get selected(): boolean {
    const chosen = this.#selected === null ? undefined : this.#marks[this.#selected];
    return chosen !== undefined && this.#views().some((view) => shownUid(view) === chosen.uid);
  }

  clear(): void {
    this.belong([]);
    this.#taken = null;
    this.#kind = null;
  }

  belong(marks: readonly ImageMark[]): void {
    // What was just drawn stays chosen; another list (undo, another version) has other places.
    if (marks.length !== this.#marks.length) this.#selected = null;
    this.#marks = marks;
    // In another list another mark may stand in its place: what is in the hand moves nothing any more.
    this.#taken = this.#taken && { ...this.#taken, before: marks, lost: true };
    this.#images = new Set(marks.map((mark) => mark.uid));
    for (const view of this.#views()) {
      this.dress(view);
      // Drawing follows with the words of the view; a view without a picture has none yet.
      view.refresh();
    }
  }

  use(kind: MarkKind | null): void {
    this.#kind = kind;
    this.#begun = null;
    if (kind) this.#selected = null;
    this.#drawAll();
  }

  /** Leave what is begun, or what is chosen; false when there was nothing. */
  abandon(): boolean {
    const something = this.#begun !== null || this.#selected !== null;
    this.#begun = null;
    this.#selected = null;
    if (something) this.#drawAll();
    return something;
  }

  release(): void {
    if (this.#selected === null) return;
    this.#selected = null;
    this.#drawAll();
  }

  remove(): void {
    const index = this.#selected;
    if (index === null) return;
    this.#selected = null;
    this.#commit(this.#marks.filter((_, at) => at !== index));
  }

  // Drawing with the mouse --------------------------------------------------------------------------------------------

  /** What is to be done next in a view, or why it cannot be done there. */
  prompt(view: View): string {
    if (!this.#kind) return '';
    const kind = KINDS[this.#kind];
    const step = this.#begun?.points_lps_mm.length ?? 0;
    const count = kind.points > 1 ? `${step + 1} of ${kind.points} · ` : '';
    return this.#obstacle(view) ?? `${count}${kind.steps[step] ?? ''}`;
  }

  #obstacle(view: View): string | null {
    if (!view.stack) return 'Choose a view with an image.';
    if (!view.honest) return 'Wait until the slice is shown.';
    if (isComputed(view.stack)) return 'This plane is computed: marks belong on slices as they were stored.';
    if (!view.plane) return 'Position or scale is missing: nothing can be measured or marked here.';
    return this.#marks.length >= MOST ? `${MOST} marks are the most a reading keeps.` : null;
  }

  place(view: View | null, spot: Spot): void {
    const kind = this.#kind;
    const plane = view?.plane;
    const uid = view ? shownUid(view) : undefined;
    const point = view?.toPatient(spot) ?? null;
    if (!view || !kind || !plane || !uid || !point || this.#obstacle(view)) return;
    if (!within(plane, point)) return;
    const before = this.#begun?.uid === uid ? this.#begun.points_lps_mm : [];
    const last = before.at(-1);
    if (last && distance(last, point) < SMALLEST_MM) return;
    const mark: ImageMark = { kind, uid, points_lps_mm: [...before, point] };
    this.#hover = null;
    if (mark.points_lps_mm.length < KINDS[kind].points) {
      this.#begun = mark;
      this.#drawAll();
      return;
    }
    if (!this.#sound(mark, plane)) return;
    this.#begun = null;
    const whole = kind === 'arrow' ? { ...mark, label: nextLetter(this.#marks) } : mark;
    this.#commit([...this.#marks, whole]);
    this.#selected = this.#marks.length - 1;
    this.#events.done();
    this.#drawAll();
  }

  /** The server takes no mark of which two neighbouring points are one, and no ellipse without an area. */
  #sound({ kind, points_lps_mm: points }: ImageMark, plane: Plane): boolean {
    const apart = points.every((one, at) => at === 0 || distance(points[at - 1] as Vec3, one) >= SMALLEST_MM);
    const [a, b] = points;
    if (!apart || kind !== 'ellipse' || !a || !b) return apart;
    const { across, down } = ellipseOf(plane, a, b);
    return Math.min(across, down) >= SMALLEST_MM / 2;
  }

  /** What is begun follows the mouse. */
  hover(view: View | null, spot: Spot | null): void {
    if (!this.#begun || !view?.plane) return;
    const point = spot ? view.toPatient(spot) : null;
    this.#hover = point ? clamped(view.plane, point) : null;
    this.draw(view);
  }

  // Moving ------------------------------------------------------------------------------------------------------------

  drag(view: View | null, at: MarkHandle, spot: Spot, done: boolean): void {
    const mark = this.#marks[at.mark];
    if (!mark) {
      if (done) this.#taken = null;
      return;
    }
    const found = view?.honest ? view.toPatient(spot) : null;
    const plane = view?.plane;
    const here = view !== null && shownUid(view) === mark.uid;
    if (found && plane && here && !this.#taken?.lost) this.#dragTo(mark, at, found, plane, done);
    else if (done || !here) this.#putBack(done);
  }

  #dragTo(mark: ImageMark, at: MarkHandle, found: Vec3, plane: Plane, done: boolean): void {
    if (this.#taken?.at.mark !== at.mark || this.#taken.at.point !== at.point) {
      this.#taken = { at, mark, from: found, before: this.#marks, lost: false };
      this.#selected = at.mark;
    }
    const { mark: before, from } = this.#taken;
    const points = this.#moved(before, at.point, found, from, plane);
    const moved = points ? { ...before, points_lps_mm: points } : mark;
    const sound = this.#sound(moved, plane) ? moved : mark;
    const marks = this.#marks.map((one, index) => (index === at.mark ? sound : one));
    if (!done) {
      this.#marks = marks;
      this.#drawAll();
      return;
    }
    this.#taken = null;
    if (distance(found, from) > 0) this.#commit(marks);
    else this.#drawAll();
  }

  /** The mark as it was taken: on another slice the mouse says nothing about it. */
  #putBack(done: boolean): void {
    const taken = this.#taken;
    if (!taken) return;
    this.#marks = taken.before;
    this.#taken = done ? null : { ...taken, lost: true };
    this.#drawAll();
  }

  #moved(mark: ImageMark, point: number, to: Vec3, from: Vec3, plane: Plane): readonly Vec3[] | null {
    const old = mark.points_lps_mm;
    if (point === WHOLE) {
      const shifted = old.map((one) => add(one, subtract(to, from)));
      return shifted.every((one) => within(plane, one)) ? shifted : null;
    }
    const held = handles(mark, plane)[point];
    if (!held) return null;
    // The mouse takes a handle where it is; it does not jump under the mouse.
    const at = clamped(plane, add(held, subtract(to, from)));
    if (point < 2 || mark.kind !== 'ellipse') return old.map((one, index) => (index === point ? at : one));
    // The third corner shares its column with the second point and its row with the first; the fourth the reverse.
    const [a, b] = old as [Vec3, Vec3];
    const across = (one: Vec3, other: Vec3) => scale(plane.row, dot(subtract(other, one), plane.row));
    return point === 2
      ? [add(at, across(at, a)), add(b, across(b, at))]
      : [add(a, across(a, at)), add(at, across(at, b))];
  }

  #commit(marks: readonly ImageMark[]): void {
    this.#marks = marks;
    this.#drawAll();
    this.#events.changed(marks);
  }

  // Lines and words ---------------------------------------------------------------------------------------------------

  #drawAll(): void {
    for (const view of this.#views()) this.draw(view);
  }

  /** A view says on which other slices marks are. */
  dress(view: View): void {
    view.drawnOn = this.#images;
  }

  draw(view: View): void {
    const layer = this.#layer(view);
    layer.replaceChildren();
    const plane = view.shown >= 0 ? view.plane : null;
    const frame = view.stack?.frames[view.shown];
    if (!plane || !frame) return;
    const { viewport, element } = view;
    const scene: Scene = {
      plane,
      toScreen: (point) => toScreen(viewport, point),
      width: element.clientWidth,
      height: element.clientHeight,
    };
    this.#marks.forEach((mark, index) => {
      if (mark.uid !== frame.uid) return;
      const look = { selected: index === this.#selected, begun: false };
      drawMark(layer, mark, index, this.#lines(view, mark, plane), scene, look);
    });
    const begun = this.#begun;
    if (begun?.uid !== frame.uid) return;
    const far = this.#hover && Math.abs(depth(plane, this.#hover)) < 1e-3 ? [this.#hover] : [];
    const mark = { ...begun, points_lps_mm: [...begun.points_lps_mm, ...far] };
    const look = { selected: true, begun: true };
    drawMark(layer, mark, -1, linesOf(mark, plane, frame.metadata, view.grey()), scene, look);
  }

  #lines(view: View, mark: ImageMark, plane: Plane): readonly string[] {
    const known = this.#read.get(mark);
    if (known) return known;
    const grey = view.grey();
    const json = view.stack?.frames[view.shown]?.metadata;
    const lines = json ? linesOf(mark, plane, json, grey) : [];
    if (grey) this.#read.set(mark, lines);
    return lines;
  }

  #layer(view: View): SVGSVGElement {
    const known = this.#layers.get(view);
    if (known) return known;
    const layer = shape(
      'svg',
      { class: 'marks drawn', 'aria-hidden': 'true' },
      view.element,
    ) as SVGSVGElement;
    this.#layers.set(view, layer);
    return layer;
  }
}
