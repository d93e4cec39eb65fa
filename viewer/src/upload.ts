/** The import page's upload: what is chosen is announced, carried in pieces, and sealed. */
import { type Outcome, UploadApi } from './api.ts';
import { Carrier } from './upload/carrier.ts';
import { type Choice, entriesOf, fingerprints, fromEntries, fromInput } from './upload/choose.ts';
import { count, type Item, Load } from './upload/load.ts';
import { remember, setLive, watch } from './upload/names.ts';
import { Panel } from './upload/panel.ts';
import type { Upload, UploadFacts } from './wire.ts';

const DRAW_MS = 250;

class UploadPage {
  readonly #facts: UploadFacts;
  readonly #api: UploadApi;
  readonly #panel: Panel;
  #carrier: Carrier | null = null;
  #open: Upload | null;
  #adding = 0;
  #timer = 0;

  constructor(root: HTMLElement, facts: UploadFacts) {
    this.#facts = facts;
    this.#api = new UploadApi(facts.url);
    this.#open = facts.open;
    this.#panel = new Panel(root, {
      chosen: (files) => void this.#take(async () => fromInput(files)),
      pause: () => this.#carrier?.pause(),
      resume: () => this.#carrier?.resume(),
      cancel: () => void this.#cancel(),
      takeWhatIsHere: () => void this.#seal(true),
    });
    watch();
    if (facts.open && facts.open.files > 0) this.#unfinished(facts.open);
    listenForDrops(root, (entries) => void this.#take(() => fromEntries(entries, (n) => this.#found(n))));
    window.addEventListener('beforeunload', (event) => {
      if (this.#carrier && this.#carrier.state !== 'ended') event.preventDefault();
    });
  }

  #unfinished(open: Upload): void {
    setLive(open.id);
    this.#panel.unfinished(open);
  }

  #found(number: number): void {
    this.#panel.say(`Looking through what was dropped: ${count(number)} files so far.`);
  }

  async #take(choose: () => Promise<Choice>): Promise<void> {
    if (!('subtle' in crypto))
      return this.#panel.say('Uploading needs a secure connection; open this page by https.');
    this.#adding += 1;
    this.#carrier?.expectMore();
    try {
      await this.#add(await choose());
    } finally {
      this.#adding -= 1;
      if (this.#adding === 0) this.#carrier?.finish();
    }
  }

  async #add(choice: Choice): Promise<void> {
    if (choice.items.length === 0) return this.#panel.say('There is no file in what was chosen.');
    const carrier = this.#carrier ?? (await this.#begin());
    if (!carrier) return;
    for (const path of choice.unreadable)
      carrier.load.fail(lost(path), 'The file could not be read from the disk.');
    for (let from = 0; from < choice.items.length; from += this.#facts.page) {
      if (carrier.state === 'ended') return;
      const page = choice.items.slice(from, from + this.#facts.page);
      if (from > 0)
        this.#panel.say(`Sending. ${count(from)} of ${count(choice.items.length)} files are announced.`);
      if (!(await this.#announce(carrier, page))) return;
    }
    this.#show(carrier);
  }

  async #begin(): Promise<Carrier | null> {
    this.#panel.say('Beginning.');
    const outcome = await this.#api.begin();
    if (outcome.kind !== 'ok') {
      this.#panel.say(sentenceOf(outcome));
      return null;
    }
    if (this.#carrier) return this.#carrier; // a second choice was quicker
    this.#open = outcome.body;
    const load = new Load(this.#facts.piece, this.#facts.parts);
    const carrier = new Carrier(this.#api, outcome.body.id, load, () => this.#show(carrier));
    this.#carrier = carrier;
    setLive(carrier.id);
    this.#timer = window.setInterval(() => this.#draw(carrier), DRAW_MS);
    void carrier.run().then(() => this.#through(carrier));
    this.#panel.showProgress(true);
    return carrier;
  }

  /** Announce some files; tried again for as long as the network or the session is away. */
  async #announce(carrier: Carrier, page: readonly Item[]): Promise<boolean> {
    const marks = await fingerprints(page);
    const pairs = page.map((item, place) => [item.file.size, marks[place] ?? ''] as const);
    while (carrier.state !== 'ended') {
      const outcome = await this.#api.announce(carrier.id, pairs);
      if (outcome.kind === 'ok') {
        for (const [place, item] of page.entries()) {
          const [number, received] = outcome.body.files[place] ?? [0, 0];
          carrier.load.add(item, number, received);
          remember(carrier.id, number, item.path);
        }
        carrier.wake();
        this.#show(carrier);
        return true;
      }
      if (outcome.kind === 'failed' || outcome.kind === 'signed_out') {
        this.#panel.say(`${sentenceOf(outcome)} Trying again by itself.`);
        await new Promise((resolve) => window.setTimeout(resolve, 3000));
      } else {
        carrier.end(sentenceOf(outcome));
      }
    }
    return false;
  }

  #draw(carrier: Carrier): void {
    if (carrier.state === 'running') {
      carrier.pace.note(performance.now(), carrier.load.counts().sent + carrier.flying);
    }
    this.#panel.figures(carrier);
  }

  #show(carrier: Carrier): void {
    switch (carrier.state) {
      case 'running':
        this.#panel.say('Sending. Leave this page open; what is sent is kept whatever happens.');
        this.#panel.offer('pause', 'cancel');
        break;
      case 'paused':
        this.#panel.say(carrier.sentence);
        this.#panel.offer('resume', 'cancel');
        break;
      case 'signed_out':
        this.#panel.say(carrier.sentence);
        this.#panel.offer('signIn', 'cancel');
        break;
      case 'offline':
      case 'waiting':
        this.#panel.say(carrier.sentence);
        this.#panel.offer('cancel');
        break;
      case 'ended':
        this.#panel.say(carrier.sentence);
        this.#panel.offer();
    }
    this.#draw(carrier);
  }

  async #through(carrier: Carrier): Promise<void> {
    window.clearInterval(this.#timer);
    this.#draw(carrier);
    this.#carrier = null;
    if (carrier.state === 'ended') return this.#rest();
    const outcome = await this.#api.state(carrier.id);
    if (outcome.kind !== 'ok') {
      this.#panel.say(`Everything is sent. ${sentenceOf(outcome)}`);
      return this.#panel.offer('take', 'cancel');
    }
    this.#open = outcome.body;
    const missing = outcome.body.files - outcome.body.here;
    const failed = carrier.load.failed.length;
    if (missing === 0 && failed === 0) return this.#seal(false);
    this.#panel.say(
      failed > 0
        ? `${count(outcome.body.here)} files are here; ${count(failed)} could not be sent. Choose them again, or go on without them.`
        : `${count(outcome.body.here)} files are here; ${count(missing)} of an earlier choice are not. Choose that folder again, or go on without them.`,
    );
    this.#panel.offer('take', 'cancel');
  }

  async #seal(onlyWhole: boolean): Promise<void> {
    const id = this.#open?.id;
    if (!id) return;
    const outcome = await this.#api.seal(id, onlyWhole);
    if (outcome.kind !== 'ok') {
      this.#panel.say(sentenceOf(outcome));
      return this.#panel.offer('take', 'cancel');
    }
    this.#open = null;
    this.#rest();
    this.#panel.showProgress(false);
    this.#panel.offer();
    this.#panel.say(
      `${count(outcome.body.here)} files are on the server and are being taken in. You may leave this page; what came of them stands below.`,
    );
  }

  async #cancel(): Promise<void> {
    const id = this.#carrier?.id ?? this.#open?.id;
    this.#carrier?.end('');
    if (!id) return;
    const outcome = await this.#api.cancel(id);
    this.#open = null;
    this.#rest();
    this.#panel.showProgress(false);
    this.#panel.failures([]);
    this.#panel.offer();
    this.#panel.say(
      outcome.kind === 'ok' ? 'The upload is cancelled; nothing of it is kept.' : sentenceOf(outcome),
    );
  }

  #rest(): void {
    window.clearInterval(this.#timer);
    setLive('');
    document.dispatchEvent(new Event('look-again'));
  }
}

const lost = (path: string): Item => ({
  path,
  file: new Blob(),
  number: 0,
  sent: 0,
  state: 'failed',
  reason: '',
});

function sentenceOf(outcome: Exclude<Outcome<unknown>, { kind: 'ok' }>): string {
  switch (outcome.kind) {
    case 'blocked':
    case 'failed':
      return outcome.sentence;
    case 'signed_out':
      return 'You are signed out. Sign in in another tab.';
    case 'gone':
      return 'This upload is no longer there for you. Reload the page.';
    default:
      return 'The server did not understand this page. Reload it; what was sent is kept.';
  }
}

/** The whole page takes a drop, so that nobody has to aim; the frame shows where it goes. */
function listenForDrops(root: HTMLElement, dropped: (entries: FileSystemEntry[]) => void): void {
  const files = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
  let depth = 0;
  const mark = (change: number) => {
    depth = Math.max(0, depth + change);
    root.classList.toggle('over', depth > 0);
  };
  document.addEventListener('dragenter', (event) => files(event) && mark(1));
  document.addEventListener('dragleave', (event) => files(event) && mark(-1));
  document.addEventListener('dragover', (event) => {
    if (files(event)) event.preventDefault();
  });
  document.addEventListener('drop', (event) => {
    if (!event.dataTransfer || !files(event)) return;
    event.preventDefault();
    mark(-depth);
    dropped(entriesOf(event.dataTransfer));
  });
}

const root = document.getElementById('upload');
const facts = document.getElementById('upload-facts')?.textContent;
if (root && facts) new UploadPage(root, JSON.parse(facts) as UploadFacts);
