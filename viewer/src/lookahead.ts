/** Pictures of the light box that are fetched before they are asked for: which ones, and one after the other. */
import { must } from './takeover.ts';

const MOST_SLICES = 80;

export function warm(addresses: readonly string[]): Promise<void> {
  return addresses.reduce((before, address) => before.then(() => fetched(address)), Promise.resolve());
}

const fetched = (address: string): Promise<void> =>
  new Promise((resolve) => {
    const image = new Image();
    image.onload = image.onerror = () => resolve();
    image.src = address;
  });

/** The slices of a series of `count`, the nearest to `place` first. */
export function slicesAhead(count: number, place: number): readonly number[] {
  const all = Array.from({ length: count }, (_, n) => n + 1);
  return all.sort((a, b) => Math.abs(a - place) - Math.abs(b - place)).slice(0, MOST_SLICES);
}

/** The large picture of every series of this case, then the strips of the next case. */
export function caseAhead(main: HTMLElement, strips: readonly HTMLElement[]): readonly string[] {
  const base = must<HTMLElement>(main, '[data-pictures]').dataset;
  const large = strips
    .filter((strip) => strip.dataset.state !== 'excluded' && strip.dataset.slices !== '0')
    .map((strip) => {
      const { series, slices, version } = strip.dataset;
      return `${base.pictures}${series}/slices/${Math.floor((Number(slices) + 1) / 2)}.png?v=${version}`;
    });
  return [...large, ...(base.ahead ?? '').split(' ').filter(Boolean)];
}
