/**
 * The coordinator's light box: one case, its series as strips, one of them large. The page is whole without this
 * script; here a key is enough for what otherwise takes a link or a button.
 */
import { fragment, submit } from './api.ts';
import { say } from './dom.ts';
import { caseAhead, slicesAhead, warm } from './lookahead.ts';
import { Masking } from './masking.ts';
import { must, takeOver } from './takeover.ts';

type View = 'slice' | 'spread' | 'all' | 'over';
const BUSY_MS = 1000;
/** More slices than this are scrolled instead of being made to fit. */
const MOST_AT_ONE_GLANCE = 36;
const PATIENT_MS = 250;

class LightBox {
  readonly #main: HTMLElement;
  readonly #picture: HTMLElement;
  readonly #slider: HTMLInputElement;
  readonly #masking: Masking;
  #view: View = 'slice';
  #current: HTMLElement;
  readonly #places = new Map<string, number>();
  /** Which sheet of “all slices” is shown, from 1; a series of many slices has several. */
  #part = 1;
  #sending: Promise<void> = Promise.resolve();
  #warmed = '';

  constructor(main: HTMLElement) {
    this.#main = main;
    this.#picture = must(main, '[data-picture]');
    this.#slider = must(main, '[data-slider] input[type=range]');
    this.#current = must(main, '.strip.current');
    this.#masking = new Masking(this.#picture, main.querySelector<HTMLFormElement>('form[data-mask]'));
    must<HTMLElement>(main, '[data-slider] button').hidden = true;
    const asked = new URLSearchParams(location.search);
    if (asked.get('grey') === 'spread') this.#view = 'spread';
    else if (asked.get('view') === 'all' || asked.get('view') === 'over')
      this.#view = asked.get('view') as View;
    if (this.#view === 'all') this.#part = Math.min(Math.max(Number(asked.get('part')) || 1, 1), this.#parts);
    this.#places.set(this.#id, Number(this.#slider.value));
    const image = this.#picture.querySelector('img');
    if (image) this.#keepProportion(image);
    this.#listen();
    if (main.dataset.busy === 'yes') this.#lookAgain();
    must<HTMLElement>(this.#current, '.pick').focus();
    window.setTimeout(() => void warm(caseAhead(main, this.#strips)), PATIENT_MS);
  }

  get #id(): string {
    return this.#current.dataset.series ?? '';
  }

  get #strips(): HTMLElement[] {
    return [...this.#main.querySelectorAll<HTMLElement>('.strip')];
  }

  get #count(): number {
    return this.#current.dataset.state === 'excluded' ? 0 : Number(this.#current.dataset.slices);
  }

  get #place(): number {
    return this.#places.get(this.#id) ?? Math.floor((this.#count + 1) / 2);
  }

  get #most(): number {
    return Number(must<HTMLElement>(this.#main, '[data-parts]').dataset.parts);
  }

  get #parts(): number {
    return Math.max(1, Math.ceil(this.#count / this.#most));
  }

  #listen(): void {
    this.#main.addEventListener('keydown', (event) => this.#key(event));
    this.#main.addEventListener('click', (event) => this.#click(event));
    this.#main.addEventListener('focusin', (event) => {
      const strip = (event.target as Element).closest<HTMLElement>('.strip');
      if (strip && strip !== this.#current) this.#choose(strip);
    });
    this.#main.addEventListener('submit', (event) => this.#submit(event));
    this.#slider.addEventListener('input', () => this.#go(Number(this.#slider.value)));
    this.#picture.addEventListener(
      'wheel',
      (event) => {
        if (this.#view === 'all' || event.ctrlKey) return;
        event.preventDefault();
        this.#go(this.#place + Math.sign(event.deltaY));
      },
      { passive: false },
    );
  }

  // --- which series, which slice ---------------------------------------------------------------------------------

  #choose(strip: HTMLElement): void {
    this.#current.classList.remove('current');
    this.#current.querySelector('.pick')?.removeAttribute('aria-current');
    this.#current = strip;
    this.#part = 1;
    strip.classList.add('current');
    strip.querySelector('.pick')?.setAttribute('aria-current', 'true');
    this.#masking.clear();
    this.#show();
  }

  #step(by: number): void {
    const strips = this.#strips;
    const next = strips[strips.indexOf(this.#current) + by];
    if (!next) return;
    must<HTMLElement>(next, '.pick').focus({ preventScroll: true });
    next.scrollIntoView({ block: 'nearest' });
  }

  #go(place: number): void {
    if (this.#view === 'all' || this.#view === 'over') this.#view = 'slice';
    this.#places.set(this.#id, Math.min(Math.max(place, 1), Math.max(this.#count, 1)));
    this.#show();
  }

  #see(view: View): void {
    this.#view = this.#view === view ? 'slice' : view;
    this.#part = 1;
    this.#show();
  }

  #turn(by: number): void {
    this.#part = Math.min(Math.max(this.#part + by, 1), this.#parts);
    this.#picture.scrollTop = 0;
    this.#show();
  }

  #address(place: number, view: View = this.#view): string {
    const { series, version } = this.#current.dataset;
    const base = must<HTMLElement>(this.#main, '[data-pictures]').dataset.pictures ?? '';
    const part = view === 'all' && this.#part > 1 ? `&part=${this.#part}` : '';
    if (view === 'all' || view === 'over')
      return `${base}${series}/sheet.png?view=${view}${part}&v=${version}`;
    return `${base}${series}/slices/${place}.png?v=${version}${view === 'spread' ? '&grey=spread' : ''}`;
  }

  /** Bring pane and decisions in line with the chosen strip. */
  #show(): void {
    const { dataset } = this.#current;
    this.#fill('title', dataset.title ?? '');
    this.#fill('facts', dataset.facts ?? '');
    this.#fill('held', dataset.held ?? '');
    const large = Number(dataset.rows);
    this.#fill('size', large ? `${dataset.rows} rows, ${dataset.columns} columns.` : '');
    for (const input of this.#main.querySelectorAll<HTMLInputElement>('input[name=series]'))
      input.value = this.#id;
    for (const button of this.#main.querySelectorAll<HTMLButtonElement>('.roles button')) {
      button.setAttribute('aria-pressed', String(button.value === dataset.role));
      button.disabled = dataset.state === 'excluded';
    }
    for (const part of this.#main.querySelectorAll<HTMLElement>('[data-needs]')) {
      part.hidden = part.dataset.needs === 'held' ? dataset.state !== 'held' : dataset.state === 'excluded';
    }
    for (const link of this.#main.querySelectorAll<HTMLElement>('[data-view]')) {
      if (link.dataset.view === this.#view) link.setAttribute('aria-current', 'true');
      else link.removeAttribute('aria-current');
    }
    this.#draw();
  }

  #draw(): void {
    const place = this.#place;
    const single = this.#view === 'slice' || this.#view === 'spread';
    this.#slider.max = String(Math.max(this.#count, 1));
    this.#slider.value = String(place);
    this.#slider.disabled = this.#count < 2;
    this.#fill('place', this.#where(place, single));
    this.#offerParts();
    const many = this.#view === 'all' && this.#count > MOST_AT_ONE_GLANCE;
    this.#picture.className = `picture ${single ? 'slice' : this.#view}${many ? ' many' : ''}`;
    this.#picture.dataset.place = String(place);
    if (this.#count) this.#paint(place, single);
    else this.#sayGone();
  }

  #where(place: number, single: boolean): string {
    if (single && this.#count) return `slice ${place} of ${this.#count}`;
    if (this.#view === 'all' && this.#parts > 1) {
      const [first, last] = this.#span;
      return `slices ${first}–${last} of ${this.#count}`;
    }
    return `${this.#count} slices`;
  }

  /** First and last slice of the sheet that is shown. */
  get #span(): readonly [number, number] {
    return [(this.#part - 1) * this.#most + 1, Math.min(this.#part * this.#most, this.#count)];
  }

  #offerParts(): void {
    const offer = must<HTMLElement>(this.#main, '[data-parts]');
    offer.hidden = this.#view !== 'all' || this.#parts < 2;
    for (const link of offer.querySelectorAll<HTMLElement>('[data-part]')) {
      const to = this.#part + Number(link.dataset.part);
      link.hidden = to < 1 || to > this.#parts;
    }
  }

  #sayGone(): void {
    const words = this.#picture.querySelector('p') ?? document.createElement('p');
    const gone = this.#current.dataset.state === 'excluded';
    words.textContent = gone
      ? 'The series is excluded. Its pictures are gone.'
      : 'The series is still being taken in.';
    this.#picture.querySelector('img')?.remove();
    this.#picture.append(words);
  }

  #paint(place: number, single: boolean): void {
    this.#picture.querySelector<HTMLElement>('p')?.remove();
    let image = this.#picture.querySelector('img');
    if (!image) {
      image = document.createElement('img');
      this.#picture.prepend(image);
    }
    const address = this.#address(place);
    if (image.getAttribute('src') !== address) image.src = address;
    this.#keepProportion(image);
    const [first, last] = this.#span;
    const whole =
      this.#view === 'all'
        ? `slices ${first} to ${last} of ${this.#count}`
        : `brightest of all ${this.#count} slices`;
    image.alt = `${this.#current.dataset.title}, ${single ? `slice ${place}` : whole}`;
    if (single) this.#warmSlices();
  }

  /** Pixels need not be square: the picture has the proportions of the body. */
  #keepProportion(image: HTMLElement): void {
    image.style.setProperty('--proportion', this.#current.dataset.proportion ?? '1');
  }

  /** Once somebody scrolls a series, its neighbours come. */
  #warmSlices(): void {
    const key = `${this.#id}/${this.#view}`;
    if (this.#warmed === key || !this.#places.has(this.#id)) return;
    this.#warmed = key;
    void warm(slicesAhead(this.#count, this.#place).map((place) => this.#address(place)));
  }

  #fill(name: string, text: string): void {
    for (const part of this.#main.querySelectorAll<HTMLElement>(`[data-fill=${name}]`)) say(part, text);
  }

  // --- keys and clicks -------------------------------------------------------------------------------------------

  #key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (event.key === 'Escape') {
      this.#masking.clear();
      must<HTMLElement>(this.#current, '.pick').focus();
      return;
    }
    const typing = target.matches('input:not([type=range]), select, textarea, summary');
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (this.#move(event, target) || this.#press(event, target)) event.preventDefault();
  }

  #move(event: KeyboardEvent, target: HTMLElement): boolean {
    const onSlider = target === this.#slider;
    const moves: Record<string, () => void> = {
      ArrowDown: () => this.#step(1),
      ArrowUp: () => this.#step(-1),
      j: () => this.#step(1),
      k: () => this.#step(-1),
      ArrowRight: () => this.#go(this.#place + 1),
      ArrowLeft: () => this.#go(this.#place - 1),
      Home: () => this.#go(1),
      End: () => this.#go(this.#count),
    };
    const move = moves[event.key];
    if (!move || (onSlider && !['j', 'k'].includes(event.key))) return false;
    if (target === this.#picture && this.#view === 'all' && event.key.startsWith('Arrow')) return false;
    move();
    return true;
  }

  #press(event: KeyboardEvent, target: HTMLElement): boolean {
    const key = event.key === 'Enter' && event.shiftKey ? 'Shift+Enter' : event.key;
    // Enter does what the focused button or link says; on a series or the picture it is “looked at”.
    const free = target.matches('.pick, [data-picture]');
    if (key === 'Enter' && !free) return false;
    const found = this.#main.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);
    if (!found || found.closest('[hidden]')) return false;
    const kind = found.tagName;
    if (kind === 'INPUT') found.focus();
    else if (kind === 'SUMMARY') this.#open(found);
    else found.click();
    return true;
  }

  #open(summary: HTMLElement): void {
    const details = summary.closest('details');
    if (!details) return;
    details.open = true;
    details.querySelector<HTMLInputElement>('input:not([type=hidden])')?.focus();
  }

  #click(event: MouseEvent): void {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) {
      if (!target.closest('button')) return;
    }
    const pick = target.closest<HTMLElement>('.pick');
    const view = target.closest<HTMLElement>('[data-view]');
    const part = target.closest<HTMLElement>('[data-part]');
    if (pick) {
      event.preventDefault();
      pick.focus({ preventScroll: true });
    } else if (view) {
      event.preventDefault();
      this.#see(view.dataset.view as View);
    } else if (part) {
      event.preventDefault();
      this.#turn(Number(part.dataset.part));
    }
  }

  // --- acts ------------------------------------------------------------------------------------------------------

  #submit(event: SubmitEvent): void {
    const form = event.target as HTMLFormElement;
    if (!form.matches('[data-act], [data-verdict-form]')) return;
    const button = event.submitter as HTMLButtonElement | null;
    if (button?.value === 'release' && button.name === 'act') return; // this one leaves the page
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form) as unknown as Record<string, string>);
    if (button?.name) body.set(button.name, button.value);
    if (button?.name === 'role') this.#current.dataset.role = button.value;
    this.#show();
    const acts = form.matches('.act, .act form');
    this.#sending = this.#sending.then(() => this.#send(form, body, acts));
    if (acts) must<HTMLElement>(this.#current, '.pick').focus();
  }

  async #send(form: HTMLFormElement, body: URLSearchParams, acts: boolean): Promise<void> {
    const outcome = await submit(location.pathname, body);
    if (outcome.kind === 'signed_out') {
      location.reload();
    } else if (outcome.kind === 'refused') {
      this.#say(outcome.sentence);
      const page = await fragment(location.pathname);
      if (page) this.#take(page, true);
    } else {
      if (acts) {
        form.reset();
        form.closest('details')?.removeAttribute('open');
        this.#masking.clear();
      }
      this.#take(outcome.page, false);
    }
  }

  #say(sentence: string): void {
    const words = document.createElement('p');
    words.className = 'error';
    words.textContent = sentence;
    must<HTMLElement>(this.#main, '.look-said').replaceChildren(words);
  }

  /** Take over what a fresh page of this case says; a case with other series is opened anew. */
  #take(html: string, keepWords: boolean): void {
    if (!takeOver(this.#main, html, keepWords)) {
      location.reload();
      return;
    }
    this.#show();
    if (this.#main.dataset.busy === 'yes') this.#lookAgain();
  }

  #lookAgain(): void {
    window.setTimeout(async () => {
      const page = await fragment(location.pathname);
      if (page) this.#take(page, false);
      else this.#lookAgain();
    }, BUSY_MS);
  }
}

const main = document.querySelector<HTMLElement>('[data-look]');
if (main?.querySelector('.strip')) new LightBox(main);
