/** The reading page: one case after another without leaving the page. */
import { Answering, type Opened } from './answering.ts';
import { Api, type Outcome } from './api.ts';
import { type BarEvents, Bars } from './bars.ts';
import { Commands } from './commands.ts';
import { conflictDialog, noticeDialog, whenFree } from './dialogs.ts';
import { h, pause } from './dom.ts';
import { type Draft, pending } from './draft.ts';
import { Ease } from './ease.ts';
import { firstFrames } from './imaging/hanging.ts';
import { type Failure, Images } from './imaging/index.ts';
import { forgetPlace, leave, leftAt } from './place.ts';
import { Saver } from './saver.ts';
import { SecondWindow } from './second.ts';
import { type Kept, recall, unsentReadings } from './store.ts';
import { Submission } from './submission.ts';
import { TimeLog } from './timelog.ts';
import type { Content, Locked, Next, Reading, RoomFacts, Sheet } from './wire.ts';

const WORD_AFTER_MS = 300;
const AGAIN_MS = 3000;
const BLOCKED_AGAIN_MS = 60_000;
const READDRESS_MS = 5000;
// A case that was fetched ahead is complete before it is drawn; what comes after it must not slow that down.
const AHEAD_AFTER_MS = 250;
const EXPIRED: readonly number[] = [401, 403, 404, 410];

export class Room {
  readonly #sheet: Sheet;
  readonly #room: RoomFacts;
  readonly #api: Api;
  readonly #bars: Bars;
  readonly #answering: Answering;
  readonly #submission: Submission;
  readonly #commands: Commands;
  readonly #second: SecondWindow;
  readonly #ease: Ease;
  readonly #times: TimeLog;
  readonly #images: Images;
  #opened: Opened | null = null;
  #readdressed = 0;
  /** Looked for while the server closes a case: the next one need not wait for it. */
  #unsent: Promise<ReadonlySet<string> | null> | null = null;

  constructor(root: HTMLElement, sheet: Sheet, room: RoomFacts) {
    this.#sheet = sheet;
    this.#room = room;
    this.#api = new Api(room);
    this.#bars = new Bars(root, room, this.#onBars());
    this.#images = this.#pictures();
    this.#answering = new Answering(this.#bars, sheet, room, {
      evidence: (cell, evidence) => this.#images.tools.evidence(cell, evidence),
      slipTool: () => this.#commands.act({ kind: 'tool', tool: 'slip' }),
      look: () => this.#images.look(),
      jump: (seen) => this.#images.jump(seen),
      answered: (cell) => this.#times.answered(cell),
    });
    this.#times = new TimeLog(this.#api, room.user);
    this.#submission = new Submission(this.#api, this.#bars, this.#answering, {
      opened: () => this.#opened,
      failedImages: () => this.#images.failures.length,
      closing: () => {
        this.#unsent = unsentReadings(this.#room.user);
      },
      leave: (closed) => this.#leave(closed),
      gone: () => this.#gone(),
      reopen: () => {
        this.#unsent = null;
        return this.next();
      },
    });
    this.#commands = new Commands(
      this.#bars,
      this.#answering,
      this.#submission,
      () => this.#images,
      () => this.#second.toggle(),
      () => this.#ease.help(),
    );
    this.#second = new SecondWindow(this.#bars, {
      opened: (page) => this.#listen(page),
      refused: (sentence) => this.#bars.notice(sentence),
      resized: () => this.#images.resized(),
    });
    this.#ease = new Ease(this.#api, this.#bars, room.comfort, {
      habit: (habit) => this.#images.tools.habit(habit),
      refocus: () => this.#answering.refocus(),
    });
    if (this.#ease.habit) this.#images.tools.habit(this.#ease.habit);
    this.#ease.watch(document);
    window.addEventListener('pagehide', () => this.#rememberPlace());
    document.addEventListener('visibilitychange', () => this.#rememberPlace());
  }

  #onBars(): BarEvents {
    return {
      layout: (code) => this.#images.layout(code),
      act: (action) => this.#commands.act(action),
      help: () => this.#ease.help(),
      rested: () => this.#ease.rested(),
      submit: () => this.#submission.ask(),
      aside: () => this.#submission.askAside(),
      retrySave: () => this.#opened?.saver.retryNow(),
    };
  }

  // From case to case -----------------------------------------------------------------------------------------------

  /** Open the next case; `asked` is an answer already on its way. */
  async next(asked?: Promise<Outcome<Next>>): Promise<void> {
    const word = window.setTimeout(() => this.#bars.curtain(true, 'Opening the next case'), WORD_AFTER_MS);
    this.#bars.curtain(true);
    for (let answer = asked ?? this.#api.next(); ; answer = this.#api.next()) {
      const outcome = await answer;
      window.clearTimeout(word);
      if (outcome.kind === 'ok') {
        const { reading, done, of, display_due: due } = outcome.body;
        if (reading) await this.#show(reading, due === true);
        else this.#finished(done, of);
        return;
      }
      await this.#nextFailed(outcome);
    }
  }

  async #nextFailed(outcome: Outcome<unknown>): Promise<void> {
    if (outcome.kind === 'signed_out') {
      this.#bars.curtain(true, 'You are signed out. What was submitted is safe.');
      await this.#signIn('You are signed out.');
      return;
    }
    if (outcome.kind === 'blocked') {
      this.#bars.curtain(true, `${outcome.sentence} Nothing is lost. Asking again every minute.`);
      await pause(BLOCKED_AGAIN_MS);
      return;
    }
    const why = outcome.kind === 'failed' ? outcome.sentence : 'The server did not give a case.';
    this.#bars.curtain(true, `${why} Nothing is lost. Trying again.`);
    await pause(AGAIN_MS);
  }

  async #signIn(sentence: string): Promise<void> {
    this.#bars.notice(sentence, true);
    while ((await this.#api.signedInAgain()) !== 'yes') {
      const back = new Promise((done) => window.addEventListener('focus', done, { once: true }));
      await Promise.race([pause(AGAIN_MS), back]);
    }
    this.#bars.notice('');
  }

  async #show(reading: Reading, displayDue: boolean): Promise<void> {
    const sheet = reading.sheet ?? this.#sheet;
    // Fetched and decoded, or drawn where they are in memory, while the browser looks for unsent answers.
    this.#images.hasten(firstFrames(sheet, reading.stacks));
    const unsent = this.#recall(reading.id);
    const left = leftAt(reading.id);
    // The new label comes first, before any picture.
    this.#bars.announce(reading, sheet);
    const { stacks, synthetic, index_segment: segment } = reading;
    this.#images.hang(sheet, stacks, synthetic, left?.place ?? null, segment ?? '');
    const kept = await unsent;
    const { answers, evidence } = reading;
    const newest: Content = kept?.queue.at(-1) ?? { answers, evidence, kept: reading.kept };
    const saver = new Saver(this.#api, this.#room.user, reading, kept, {
      changed: (draft, someoneElse) => this.#onDraft(draft, someoneElse),
      saved: (result) => this.#answering.heard(result),
      gone: () => this.#gone(),
    });
    this.#opened = { reading, sheet, saver };
    this.#times.open(reading);
    this.#answering.open(this.#opened, newest, left?.focus);
    saver.begin();
    if (displayDue) this.#ease.look();
    this.#images.reveal();
    this.#answering.showEvidence();
  }

  /** Answers that an earlier visit could not send. */
  async #recall(reading: string): Promise<Kept | undefined> {
    const unsent = await this.#unsent;
    this.#unsent = null;
    return unsent && !unsent.has(reading) ? undefined : recall(this.#room.user, reading);
  }

  #pictures(): Images {
    return new Images(this.#bars.images, this.#sheet, {
      points: (cell, points) => this.#answering.measure(cell, points),
      marks: (marks) => this.#answering.marks(marks),
      progress: (loaded, of, failures) => this.#onProgress(loaded, of, failures),
      complete: () => void this.#prefetch(),
      settled: () => {
        this.#bars.curtain(false);
        this.#times.firstImage();
      },
      changed: (tools) => this.#bars.tools(tools),
    });
  }

  async #prefetch(): Promise<void> {
    const opened = this.#opened;
    await pause(AHEAD_AFTER_MS);
    if (this.#opened !== opened) return;
    const outcome = await this.#api.upcoming();
    if (outcome.kind !== 'ok' || !outcome.body.reading || this.#opened !== opened) return;
    this.#images.prefetch(outcome.body.reading.stacks);
  }

  async #leave({ solution_url: solution, next }: Partial<Locked> = {}): Promise<void> {
    this.#times.close(this.#opened?.saver.draft.state === 'locked' ? 'submit' : 'left');
    this.#opened?.saver.close();
    this.#opened = null;
    this.#answering.close();
    forgetPlace();
    this.#bars.curtain(true);
    if (solution) {
      this.#second.close();
      window.location.assign(solution);
      return;
    }
    const asked = next ? Promise.resolve({ kind: 'ok' as const, body: next }) : this.#api.next();
    if (!next) this.#unsent = null;
    this.#images.close();
    await this.next(asked);
  }

  #finished(done: number, of: number): void {
    this.#opened = null;
    this.#images.close();
    this.#second.close();
    const { root } = this.#bars;
    root.classList.add('finished');
    root.dataset.saveState = 'finished';
    const home = h('a', { class: 'button primary', href: this.#room.home_url }, 'Back to the forms');
    const text =
      done >= of
        ? `All ${of} readings are submitted.`
        : `${done} of ${of} readings are submitted. Nothing is left to read now.`;
    const more = h('p', {}, 'Thank you. Nothing more is asked of you in this form.');
    root.replaceChildren(h('section', { class: 'all-done' }, h('h1', {}, text), more, home));
    home.focus();
  }

  /** Submitted, set aside or closed elsewhere: say so, then go on. What is unsent stays in the browser. */
  #gone(): void {
    for (const dialog of document.querySelectorAll<HTMLDialogElement>('dialog[open]')) dialog.close();
    const unsent = this.#opened ? pending(this.#opened.saver.draft) > 0 : false;
    const last = unsent
      ? 'Your last answers are kept in this browser.'
      : 'All your answers had been saved before.';
    const sentence = `This case is not open for you any more (submitted or set aside elsewhere, or the reading was closed). ${last}`;
    noticeDialog('This case is closed', sentence, 'Next case', () => void this.#leave());
  }

  // Saving and loading ----------------------------------------------------------------------------------------------

  #onDraft(draft: Draft, someoneElse: boolean): void {
    this.#bars.saveState(draft, someoneElse);
    this.#submission.refresh();
    if (draft.state === 'refused') this.#answering.faults(draft.faults);
    const opened = this.#opened;
    if (draft.state === 'stale' && opened) whenFree(() => this.#conflict(opened));
  }

  #conflict(opened: Opened): void {
    // Asked late, behind another question: the reading may be closed by now, or the choice made.
    const { state, queue, theirs } = opened.saver.draft;
    const mine = queue.at(-1);
    if (this.#opened !== opened || state !== 'stale' || !mine || !theirs) return;
    conflictDialog(opened.sheet, mine, theirs, (version) => {
      if (version === 'theirs') this.#answering.replace(theirs.content);
      opened.saver.choose(version);
      this.#answering.refocus();
    });
  }

  #onProgress(loaded: number, of: number, failures: readonly Failure[]): void {
    this.#bars.loading(loaded, of);
    this.#bars.failures(failures);
    this.#submission.refresh();
    if (failures.some((failure) => EXPIRED.includes(failure.status))) void this.#readdress();
  }

  /** Frame addresses run out after a while; ask for fresh ones for the same reading. */
  async #readdress(): Promise<void> {
    if (Date.now() - this.#readdressed < READDRESS_MS) return;
    this.#readdressed = Date.now();
    const opened = this.#opened;
    let outcome = await this.#api.next();
    if (outcome.kind === 'signed_out') {
      await this.#signIn('You are signed out. Answers are kept on this machine.');
      outcome = await this.#api.next();
    }
    if (outcome.kind !== 'ok' || !opened || this.#opened !== opened) return;
    const fresh = outcome.body.reading;
    const address = (reading: Reading) => reading.stacks[0]?.frames[0]?.image;
    if (fresh?.id !== opened.reading.id || address(fresh) === address(opened.reading)) return;
    this.#images.readdress(fresh.stacks);
    this.#answering.showEvidence();
  }

  // Rest and place --------------------------------------------------------------------------------------------------

  /** The second window's keys and its input count as this page's own. */
  #listen(page: Document): void {
    this.#commands.listen(page);
    this.#ease.watch(page);
    this.#times.watch(page);
  }

  #rememberPlace(): void {
    if (!this.#opened) return;
    this.#opened.saver.flush();
    const focus = this.#answering.state?.focus;
    leave({ reading: this.#opened.reading.id, focus, place: this.#images.place() });
  }
}

/** A page that cannot start says so instead of staying dark. */
export function cannotStart(root: HTMLElement, sentence: string): void {
  root.replaceChildren(h('p', { class: 'word', role: 'alert' }, sentence));
}
