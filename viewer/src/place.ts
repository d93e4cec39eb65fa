/** Where a reading was left: layout, slices, open cell. Kept for this tab only. */
import type { Place } from './imaging/index.ts';

const NAME = 'spondy-place';

export interface LeftAt {
  readonly reading: string;
  readonly focus?: string | undefined;
  readonly place: Place;
}

export const leave = (at: LeftAt): void => sessionStorage.setItem(NAME, JSON.stringify(at));

export const forgetPlace = (): void => sessionStorage.removeItem(NAME);

export function leftAt(reading: string): LeftAt | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(NAME) ?? 'null') as LeftAt | null;
    return kept?.reading === reading ? kept : null;
  } catch {
    return null;
  }
}
