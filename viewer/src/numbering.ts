/** Vertebra labels while they are being set: which are there, which comes next. Knows no page. */

export interface Spot {
  readonly name: string;
  readonly slice: number;
  readonly row: number;
  readonly column: number;
}

export class Numbering {
  #names: readonly string[];
  #spots: readonly Spot[];
  #chosen: string | null = null;
  #last: readonly (readonly Spot[])[] = [];

  constructor(names: readonly string[], spots: readonly Spot[]) {
    this.#names = names;
    this.#spots = spots;
  }

  get names(): readonly string[] {
    return this.#names;
  }

  /** From the bottom up. */
  get spots(): readonly Spot[] {
    const place = (spot: Spot) => this.#names.indexOf(spot.name);
    return [...this.#spots].sort((a, b) => place(a) - place(b));
  }

  has(name: string): boolean {
    return this.#spots.some((spot) => spot.name === name);
  }

  /** The one that was chosen, else the first above the highest that is set. */
  get next(): string | null {
    if (this.#chosen !== null) return this.#chosen;
    const highest = Math.max(-1, ...this.#spots.map((spot) => this.#names.indexOf(spot.name)));
    return this.#names[highest + 1] ?? this.#names.find((name) => !this.has(name)) ?? null;
  }

  choose(name: string): void {
    this.#chosen = this.#names.includes(name) ? name : null;
  }

  /** Set the next label; one that is there already moves. Gives its name, or null when none is left. */
  set(slice: number, row: number, column: number): string | null {
    const name = this.next;
    if (name === null) return null;
    this.#keep([...this.#spots.filter((spot) => spot.name !== name), { name, slice, row, column }]);
    return name;
  }

  remove(name: string): void {
    this.#keep(this.#spots.filter((spot) => spot.name !== name));
  }

  clear(): void {
    this.#keep([]);
  }

  /** Another way of counting: the vertebrae stay where they are and are named anew from the bottom. */
  renumber(names: readonly string[]): void {
    const first = this.spots[0] ? Math.max(0, this.#names.indexOf(this.spots[0].name)) : 0;
    const start = first === 0 ? 0 : Math.max(0, names.indexOf(this.spots[0]?.name ?? ''));
    const kept = this.spots
      .map((spot, index) => ({ ...spot, name: names[start + index] ?? '' }))
      .filter((spot) => spot.name !== '');
    this.#names = names;
    this.#keep(kept);
  }

  undo(): boolean {
    const before = this.#last.at(-1);
    if (!before) return false;
    this.#last = this.#last.slice(0, -1);
    this.#spots = before;
    this.#chosen = null;
    return true;
  }

  #keep(spots: readonly Spot[]): void {
    this.#last = [...this.#last, this.#spots];
    this.#spots = spots;
    this.#chosen = null;
  }
}
