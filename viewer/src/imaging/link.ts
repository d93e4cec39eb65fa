/** Linked scrolling by position in the patient, with a distance kept where the patient moved between series. */
import { centre, depth, dot, linkedIndex, type Plane } from '../geometry.ts';
import type { Stack } from '../wire.ts';
import type { View } from './view.ts';

export class Link {
  on = true;
  /** How far a stack stands off the one the distance was held from, along its own normal, mm. */
  #offsets = new Map<string, { readonly mm: number; readonly plane: Plane }>();

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

  match(from: Stack, plane: Plane, other: View): number | null {
    const target = other.stack ? this.#offsets.get(other.stack.id) : undefined;
    const own = this.#offsets.get(from.id);
    const turned = target && own ? Math.sign(dot(target.plane.normal, own.plane.normal)) : 1;
    const along =
      own && !target && other.plane ? Math.sign(dot(other.plane.normal, own.plane.normal)) : turned;
    return linkedIndex(plane, other.planes, (target?.mm ?? 0) - along * (own?.mm ?? 0));
  }
}
