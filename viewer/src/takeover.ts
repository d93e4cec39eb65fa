/** What a fresh page of the same case says, taken over into the one that is shown: pictures stay unless they are others. */

export const must = <T extends Element>(root: ParentNode, selector: string): T => {
  const found = root.querySelector<T>(selector);
  if (!found) throw new Error(`The page lacks ${selector}.`);
  return found;
};

/** False where that cannot be done piece by piece: it is another page, or a series has come in meanwhile. */
export function takeOver(shown: HTMLElement, html: string, keepWords: boolean): boolean {
  const page = new DOMParser().parseFromString(html, 'text/html');
  const main = page.querySelector<HTMLElement>('[data-look]');
  if (!main) return false;
  const parts = ['.look-head', '[data-verdict]'];
  for (const part of keepWords ? parts : [...parts, '.look-said']) {
    const fresh = main.querySelector(part);
    const old = shown.querySelector(part);
    if (fresh && old && fresh.innerHTML !== old.innerHTML) old.replaceChildren(...fresh.childNodes);
  }
  const strips = [...main.querySelectorAll<HTMLElement>('.strip')];
  if (!strips.every((strip) => takeStrip(strip))) return false;
  shown.dataset.busy = main.dataset.busy ?? 'no';
  return true;
}

function takeStrip(fresh: HTMLElement): boolean {
  const old = document.getElementById(fresh.id);
  if (!old) return false;
  const current = old.classList.contains('current');
  old.className = fresh.className;
  old.classList.toggle('current', current);
  Object.assign(old.dataset, { ...fresh.dataset });
  const about = old.querySelector('.about');
  about?.replaceChildren(...must<HTMLElement>(fresh, '.about').childNodes);
  const picture = must<HTMLElement>(old, '.strip-picture');
  const newer = must<HTMLElement>(fresh, '.strip-picture');
  if (picture.getAttribute('src') !== newer.getAttribute('src')) picture.replaceWith(newer);
  return true;
}
