/** What the person sees of an upload. Numbers are written four times a second; the state line speaks when it changes. */
import { h, say } from '../dom.ts';
import type { Upload } from '../wire.ts';
import type { Carrier } from './carrier.ts';
import { count, type Item, inBytes, timeLeft } from './load.ts';

export interface Asked {
  chosen(files: FileList): void;
  pause(): void;
  resume(): void;
  cancel(): void;
  takeWhatIsHere(): void;
}

const MOST_SHOWN = 200;
const SIGN_IN = '/accounts/login/';

type Name = 'pause' | 'resume' | 'take' | 'cancel' | 'signIn';

export class Panel {
  readonly #state = h('p', { role: 'status', class: 'state', id: 'upload-state' });
  readonly #bar = h('progress', { max: 1, value: 0, 'aria-label': 'Upload' });
  readonly #figures = h('p', { class: 'soft figures' });
  readonly #lanes = h('ul', { class: 'lanes', 'aria-label': 'On their way' });
  readonly #failed = h('details', { class: 'failed', hidden: true });
  readonly #sure: HTMLDialogElement;
  readonly #acts: Readonly<Record<Name, HTMLElement>>;
  readonly #progress: HTMLElement;
  readonly #row: HTMLElement;
  #shown = -1;

  constructor(root: HTMLElement, asked: Asked) {
    const folder = h('input', { type: 'file', webkitdirectory: true, multiple: true, hidden: true });
    const files = h('input', { type: 'file', multiple: true, hidden: true });
    for (const input of [folder, files]) {
      input.addEventListener('change', () => {
        if (input.files?.length) asked.chosen(input.files);
        input.value = '';
      });
    }
    this.#sure = dialog(asked.cancel);
    const act = (label: string, click: () => void, kind = '') =>
      h('button', { type: 'button', hidden: true, class: kind, click }, label);
    this.#acts = {
      resume: act('Go on', asked.resume, 'primary'),
      pause: act('Pause', asked.pause),
      take: act('Take in what is here', asked.takeWhatIsHere),
      cancel: act('Cancel the upload', () => this.#sure.showModal()),
      signIn: h(
        'a',
        { href: SIGN_IN, target: '_blank', rel: 'noopener', class: 'button', hidden: true },
        'Sign in',
      ),
    };
    this.#progress = h('div', { hidden: true }, this.#bar, this.#figures, this.#lanes);
    this.#row = h('div', { class: 'row acts', hidden: true }, ...Object.values(this.#acts));
    const choose = h(
      'button',
      { type: 'button', class: 'primary', click: () => folder.click() },
      'Choose a folder',
    );
    const chooseFiles = h('button', { type: 'button', click: () => files.click() }, 'Choose files');
    const hint = 'Programs, documents and pictures beside the images may stay; they are told apart.';
    root.replaceChildren(
      h('h2', {}, 'Drop a folder, files or zip archives here'),
      h('p', { class: 'soft small' }, hint),
      h('div', { class: 'row' }, choose, chooseFiles),
      ...[folder, files, this.#state, this.#progress, this.#failed, this.#row, this.#sure],
    );
    root.removeAttribute('aria-busy');
  }

  say(text: string): void {
    say(this.#state, text);
  }

  /** Show exactly these buttons. The focus moves on when the button that had it goes. */
  offer(...names: readonly Name[]): void {
    const lost = Object.entries(this.#acts).some(
      ([name, act]) => act === document.activeElement && !names.includes(name as Name),
    );
    for (const [name, act] of Object.entries(this.#acts)) act.hidden = !names.includes(name as Name);
    this.#row.hidden = names.length === 0;
    const first = names[0];
    if (lost && first) this.#acts[first].focus();
  }

  unfinished(open: Upload): void {
    const all = open.here === open.files;
    this.say(
      all
        ? `An earlier upload is here: ${count(open.files)} files. Take it in, or add to it.`
        : `An upload is not finished: ${count(open.here)} of ${count(open.files)} files are here. Choose the same folder again and it goes on where it ended.`,
    );
    this.offer('take', 'cancel');
  }

  showProgress(shown: boolean): void {
    this.#progress.hidden = !shown;
  }

  figures(carrier: Carrier): void {
    const counts = carrier.load.counts();
    const sent = Math.min(counts.bytes, counts.sent + carrier.flying);
    const rate = carrier.state === 'running' ? carrier.pace.rate() : 0;
    this.#bar.max = Math.max(1, counts.bytes);
    this.#bar.value = sent;
    const said = [
      `${count(counts.here)} of ${count(counts.files)} files`,
      `${inBytes(sent)} of ${inBytes(counts.bytes)}`,
      rate > 0 ? `${inBytes(rate)}/s` : '',
      rate > 0 ? timeLeft(counts.bytes - sent, rate) : '',
    ];
    say(this.#figures, said.filter(Boolean).join(' · '));
    this.#bar.setAttribute('aria-valuetext', said[0] ?? '');
    this.#drawLanes(carrier);
    this.failures(carrier.load.failed);
  }

  #drawLanes(carrier: Carrier): void {
    this.#lanes.hidden = carrier.state !== 'running';
    for (const [place, lane] of carrier.lanes.entries()) {
      const row = this.#lanes.children[place] ?? this.#lanes.appendChild(laneRow());
      const [name, bar] = [row.children[0] as HTMLElement, row.children[1] as HTMLProgressElement];
      const first = lane?.cargo.parts[0]?.item;
      if (!lane || !first) {
        say(name, '–');
        bar.value = 0;
        continue;
      }
      const others = lane.cargo.parts.length - 1;
      const whole = others > 0 ? lane.cargo.size : first.file.size;
      say(name, others > 0 ? `${first.path} and ${count(others)} more` : first.path);
      bar.max = Math.max(1, whole);
      bar.value = (others > 0 ? 0 : first.sent) + lane.sent;
    }
  }

  failures(failed: readonly Item[]): void {
    if (failed.length === this.#shown) return;
    this.#shown = failed.length;
    this.#failed.hidden = failed.length === 0;
    const rows = failed.slice(0, MOST_SHOWN).map((item) => h('li', {}, `${item.path}: ${item.reason}`));
    const rest = failed.length - rows.length;
    this.#failed.replaceChildren(
      h('summary', {}, `${count(failed.length)} could not be sent`),
      h('ul', {}, ...rows, rest > 0 && h('li', {}, `and ${count(rest)} more`)),
    );
  }
}

function laneRow(): HTMLElement {
  return h('li', {}, h('span', {}), h('progress', { max: 1, value: 0, 'aria-label': 'Of these files' }));
}

function dialog(cancel: () => void): HTMLDialogElement {
  const made: HTMLDialogElement = h(
    'dialog',
    { 'aria-label': 'Cancel the upload' },
    h('p', {}, 'Cancel the upload? What was sent so far is thrown away.'),
    h(
      'div',
      { class: 'row' },
      h('button', { type: 'button', click: () => made.close() }, 'Go on uploading'),
      h(
        'button',
        {
          type: 'button',
          class: 'stop',
          click: () => {
            made.close();
            cancel();
          },
        },
        'Throw it away',
      ),
    ),
  );
  return made;
}
