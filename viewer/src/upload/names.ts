/**
 * Numbers back to names, for the person who chose the files, in this page only. The server knows numbers and tells
 * numbers; after a reload numbers are all there is.
 */
const names = new Map<string, Map<number, string>>();
let live = '';

export function remember(delivery: string, number: number, path: string): void {
  let known = names.get(delivery);
  if (!known) {
    known = new Map();
    names.set(delivery, known);
  }
  known.set(number, path);
}

/** The delivery that the panel above shows by itself; its card would only say the same again. */
export function setLive(delivery: string): void {
  live = delivery;
  label();
}

function label(): void {
  for (const card of document.querySelectorAll<HTMLElement>('.delivery[data-delivery]')) {
    const delivery = card.dataset.delivery ?? '';
    if (card.hidden !== (delivery === live)) card.hidden = delivery === live;
    const known = names.get(delivery);
    if (!known) continue;
    for (const place of card.querySelectorAll<HTMLElement>('.file[data-number]')) {
      const name = known.get(Number(place.dataset.number));
      if (name === undefined || place.dataset.named !== undefined) continue;
      place.dataset.named = '';
      place.title = place.textContent ?? '';
      place.textContent = name;
    }
  }
}

/** The list of deliveries is drawn anew by the server again and again; names are put back each time. */
export function watch(): void {
  const list = document.getElementById('deliveries')?.parentElement;
  if (list) new MutationObserver(label).observe(list, { childList: true });
  label();
}
