/** Linked scrolling by position in the patient, with a distance kept where the patient moved between series. */
import { centre, depth, dot, linkedIndex, type Plane } from '../geometry.ts';
import type { Stack } from '../wire.ts';
import type { View } from './view.ts';

/** Roles that scroll together; a role scrolls with itself in any case. */
type Groups = readonly (readonly string[])[];

export class Link {
  on = true;
  /** How far a stack stands off the one the distance was held from, along its own normal, mm. */
  #offsets = new Map<string, { readonly mm: number; readonly plane: Plane }>();

  #lead: { readonly view: View; readonly at: number } | null = null;

  /**
   * The views that belong to one that is scrolled follow when that one has been drawn: drawing costs by the pixel, and
   * the picture under the reader's eye comes first.
   */
  follow(view: View, views: () => readonly View[], groups: Groups): void {
    const waiting = this.#lead !== null;
    this.#lead = { view, at: view.wanted };
    // The scrolled slice is drawn already and shown with the next frame; the others are drawn after that one.
    if (!waiting) requestAnimationFrame(() => window.setTimeout(() => this.#catchUp(views(), groups)));
  }

  #catchUp(views: readonly View[], groups: Groups): void {
    const { view, at } = this.#lead ?? {};
    this.#lead = null;
    // Taken down meanwhile, or moved by something else that has told every view where to go.
    if (!this.on || !view?.stack || view.wanted !== at || !views.includes(view)) return;
    const plane = view.planes[at];
    if (!plane) return;
    for (const other of views) {
      if (other === view || !other.stack || !together(view.stack.role, other.stack.role, groups)) continue;
      const match = this.#match(view.stack, plane, other);
      if (match !== null) other.goTo(match);
    }
  }

  get apart(): boolean {
    return this.#offsets.size > 0;
  }

  toggle(): void {
    this.on = !this.on;
    this.#offsets.clear();
  }

  clear(): void {
    this.#offsets.clear();
  }

  holdApart(from: View | null, views: readonly View[]): void {
    const source = from?.plane;
    this.on = true;
    this.#offsets.clear();
    if (!source) return;
    for (const view of views) {
      if (view === from || !view.stack || !view.plane) continue;
      this.#offsets.set(view.stack.id, { mm: -depth(view.plane, centre(source)), plane: view.plane });
    }
  }

  #match(from: Stack, plane: Plane, other: View): number | null {
    const target = other.stack ? this.#offsets.get(other.stack.id) : undefined;
    const own = this.#offsets.get(from.id);
    const turned = target && own ? Math.sign(dot(target.plane.normal, own.plane.normal)) : 1;
    const along =
      own && !target && other.plane ? Math.sign(dot(other.plane.normal, own.plane.normal)) : turned;
    return linkedIndex(plane, other.planes, (target?.mm ?? 0) - along * (own?.mm ?? 0));
  }
}

const together = (a: string, b: string, groups: Groups): boolean =>
  a === b || groups.some((group) => group.includes(a) && group.includes(b));
