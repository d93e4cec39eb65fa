/** The reading page: one case after another without leaving the page. */
import { missing, parseTyped, places, progress } from './answers.ts';
import { Api, type Outcome } from './api.ts';
import { Bars } from './bars.ts';
import {
  conflictDialog,
  dialogOpen,
  keysDialog,
  noticeDialog,
  setAsideDialog,
  summaryDialog,
} from './dialogs.ts';
import { h, pause, say } from './dom.ts';
import type { Draft } from './draft.ts';
import { slip } from './geometry.ts';
import * as g from './grading.ts';
import type { Failure, Images, Place } from './imaging/index.ts';
import type { Action, Context } from './keys.ts';
import { resolve } from './keys.ts';
import { Saver } from './saver.ts';
import { SheetForm } from './sheet.ts';
import { recall } from './store.ts';
import type { Content, Fault, Measured, Points, Reading, Remark, RoomFacts, Saved, Sheet } from './wire.ts';

const FADE_MS = 150;
const WORD_AFTER_MS = 300;
const AGAIN_MS = 3000;
const READDRESS_MS = 60_000;
const BREAK_MS = 5 * 60_000;
const PLACE = 'spondy-place';

interface Open {
  readonly reading: Reading;
  readonly sheet: Sheet;
  readonly saver: Saver;
  remarks: readonly Remark[];
  measured: Readonly<Record<string, Measured>>;
  faults: readonly Fault[];
}

type ImagesClass = typeof Images;

export class Room {
  readonly #sheet: Sheet;
  readonly #room: RoomFacts;
  readonly #api: Api;
  readonly #bars: Bars;
  readonly #form: SheetForm;
  readonly #toolkit: Promise<ImagesClass>;
  #images: Images | null = null;
  #open: Open | null = null;
  #grading: g.Grading | null = null;
  #summary: { refresh(): void } | null = null;
  #submitting = false;
  #readdressed = 0;
  #since = Date.now();
  #lastInput = Date.now();

  constructor(root: HTMLElement, sheet: Sheet, room: RoomFacts, toolkit: Promise<ImagesClass>) {
    this.#sheet = sheet;
    this.#room = room;
    this.#toolkit = toolkit;
    this.#api = new Api(room);
    this.#bars = new Bars(root, room, {
      layout: (code) => this.#images?.layout(code),
      tool: (tool) => this.#act({ kind: 'tool', tool }),
      preset: (key) => this.#images?.preset(key),
      full: () => this.#images?.full(),
      invert: () => this.#images?.invert(),
      reset: () => this.#images?.reset(),
      link: () => this.#images?.link(),
      help: () => keysDialog(),
      submit: () => this.#askSubmit(),
      aside: () => this.#askAside(),
      retryImages: () => this.#images?.retry(),
      retrySave: () => this.#open?.saver.retryNow(),
    });
    this.#form = new SheetForm(this.#bars.list, this.#bars.comment, sheet, {
      focus: (cell) => this.#focus(cell),
      cap: (cell, cap) => this.#change((s) => g.grade(this.sheet, g.focusOn(s, cell), cap, this.#remarks)),
      reason: (cap) => this.#change((s) => g.giveReason(this.sheet, s, cap, this.#remarks)),
      note: (text) => this.#change((s) => g.giveNote(this.sheet, s, text, this.#remarks)),
      number: (cell, text) => this.#takeNumber(cell, text),
      unassessable: () => this.#act({ kind: 'unassessable' }),
      criteria: () => this.#act({ kind: 'criteria' }),
      keep: (codes) => this.#change((s) => g.keep(s, codes)),
      slip: () => this.#act({ kind: 'tool', tool: 'slip' }),
      comment: (text, done) => this.#comment(text, done),
    });
    document.addEventListener('keydown', (event) => this.#onKey(event));
    for (const kind of ['keydown', 'pointerdown', 'wheel']) {
      document.addEventListener(kind, () => this.#noteInput(), { passive: true, capture: true });
    }
    window.addEventListener('pagehide', () => this.#rememberPlace());
    document.addEventListener('visibilitychange', () => this.#rememberPlace());
    window.setInterval(() => this.#bars.rest(Math.floor((Date.now() - this.#since) / 60_000)), 30_000);
  }

  get sheet(): Sheet {
    return this.#open?.sheet ?? this.#sheet;
  }

  get #remarks(): readonly Remark[] {
    return this.#open?.remarks ?? [];
  }

  // From case to case ---------------------------------------------------------------------------------------------

  async next(): Promise<void> {
    const word = window.setTimeout(() => this.#bars.curtain(true, 'Opening the next case'), WORD_AFTER_MS);
    this.#bars.curtain(true);
    for (;;) {
      const outcome = await this.#api.next();
      if (outcome.kind === 'ok') {
        window.clearTimeout(word);
        const { reading, done, of } = outcome.body;
        if (reading) await this.#show(reading);
        else this.#finished(done, of);
        return;
      }
      window.clearTimeout(word);
      await this.#nextFailed(outcome);
    }
  }

  async #nextFailed(outcome: Outcome<unknown>): Promise<void> {
    if (outcome.kind === 'signed_out') {
      this.#bars.curtain(true, 'You are signed out. What was submitted is safe.');
      this.#bars.notice('You are signed out.', true);
      await this.#signIn();
      this.#bars.notice('');
      return;
    }
    const why = outcome.kind === 'failed' ? outcome.sentence : 'The server did not give a case.';
    this.#bars.curtain(true, `${why} Nothing is lost. Trying again.`);
    await pause(AGAIN_MS);
  }

  async #signIn(): Promise<void> {
    while ((await this.#api.signedInAgain()) !== 'yes') {
      await Promise.race([
        pause(AGAIN_MS),
        new Promise((done) => window.addEventListener('focus', done, { once: true })),
      ]);
    }
  }

  async #show(reading: Reading): Promise<void> {
    const sheet = reading.sheet ?? this.#sheet;
    const kept = await recall(this.#room.user, reading.id);
    const newest: Content = kept?.queue.at(-1) ?? {
      answers: reading.answers,
      evidence: reading.evidence,
      kept: reading.kept,
    };
    const saver = new Saver(this.#api, this.#room.user, reading, kept, {
      changed: (draft, someoneElse) => this.#onDraft(draft, someoneElse),
      saved: (result) => this.#onSaved(result),
      gone: () => this.#gone(),
    });
    const place = recalledPlace(reading.id);
    this.#open = { reading, sheet, saver, remarks: reading.remarks, measured: reading.measured, faults: [] };
    this.#grading = g.begin(sheet, newest, place?.focus);
    this.#submitting = false;
    this.#bars.announce(reading, sheet);
    this.#form.load(sheet);
    this.#draw();
    this.#refocus();
    saver.begin();
    const images = await this.#ready();
    if (this.#open?.reading !== reading) return;
    images.show(sheet, reading.stacks, reading.synthetic, place?.place ?? null);
    this.#showEvidence();
  }

  async #ready(): Promise<Images> {
    if (this.#images) return this.#images;
    const word = window.setTimeout(
      () => this.#bars.curtain(true, 'Starting the image viewer'),
      WORD_AFTER_MS,
    );
    const Kind = await this.#toolkit;
    window.clearTimeout(word);
    this.#images = new Kind(this.#bars.images, this.sheet, {
      points: (cell, points) => this.#measure(cell, points),
      progress: (loaded, of, failures) => this.#onProgress(loaded, of, failures),
      complete: () => void this.#prefetch(),
      settled: () => this.#bars.curtain(false),
      changed: () => this.#drawTools(),
    });
    return this.#images;
  }

  #drawTools(): void {
    const images = this.#images;
    if (images) this.#bars.tools({ layout: images.layoutCode, tool: images.tool, linked: images.linked });
  }

  async #prefetch(): Promise<void> {
    const reading = this.#open?.reading;
    const outcome = await this.#api.upcoming();
    if (outcome.kind !== 'ok' || !outcome.body.reading || this.#open?.reading !== reading) return;
    this.#images?.prefetch(outcome.body.reading.stacks);
  }

  async #leave(): Promise<void> {
    this.#open?.saver.close();
    this.#open = null;
    sessionStorage.removeItem(PLACE);
    this.#bars.curtain(true);
    await pause(FADE_MS);
    this.#images?.close();
    await this.next();
  }

  #finished(done: number, of: number): void {
    this.#open = null;
    this.#bars.root.classList.add('finished');
    this.#bars.root.dataset.saveState = 'finished';
    const home = h('a', { class: 'button primary', href: this.#room.home_url }, 'Back to the forms');
    const text =
      done >= of
        ? `All ${of} readings are submitted.`
        : `${done} of ${of} readings are submitted. Nothing is left to read now.`;
    this.#bars.root.replaceChildren(
      h(
        'section',
        { class: 'all-done' },
        h('h1', {}, text),
        h('p', {}, 'Thank you. Nothing more is asked of you in this form.'),
        home,
      ),
    );
    home.focus();
  }

  /** Submitted, released or taken back in another tab: say so, then go on. */
  #gone(): void {
    noticeDialog(
      'This reading is closed',
      'It was submitted or taken back elsewhere. No answer can be changed here any more.',
      'Next case',
      () => void this.#leave(),
    );
  }

  // Answers -------------------------------------------------------------------------------------------------------

  #change(apply: (state: g.Grading) => g.Grading, typing = false): void {
    const before = this.#grading;
    if (!before || !this.#open || this.#submitting) return;
    const after = apply(before);
    if (after === before) return;
    this.#grading = after;
    if (after.content !== before.content) {
      this.#open.faults = [];
      this.#open.saver.change(after.content, typing);
      if (after.content.evidence !== before.content.evidence) this.#showEvidence();
    }
    this.#draw();
    if (after.focus !== before.focus || after.mode !== before.mode) this.#refocus();
  }

  #focus(cell: string): void {
    this.#change((s) => g.focusOn(s, cell));
    this.#refocus();
  }

  /** The keyboard follows the open cell, unless it is at work in the images or in the comment. */
  #refocus(): void {
    const state = this.#grading;
    const active = document.activeElement;
    if (!state || dialogOpen() || active === this.#bars.comment || this.#bars.images.contains(active)) return;
    this.#focusSheet();
  }

  #focusSheet(): void {
    const state = this.#grading;
    if (state?.mode === 'note') this.#bars.list.querySelector<HTMLInputElement>('.note-text')?.focus();
    else if (state?.focus === g.SUBMIT) this.#bars.submit.focus({ preventScroll: true });
    else if (state) this.#form.focus(state.focus);
  }

  #draw(): void {
    const open = this.#open;
    const grading = this.#grading;
    if (!open || !grading) return;
    this.#form.draw({ grading, remarks: open.remarks, measured: open.measured, faults: open.faults });
    const { done, of } = progress(open.sheet, grading.content.answers);
    this.#bars.count(done, of);
  }

  /** A typed number is taken when it is one; otherwise the field says what is wrong. False then. */
  #takeNumber(cell: string, text: string): boolean {
    const scale = places(this.sheet).find((place) => place.cell.key === cell)?.item.scale;
    if (scale?.kind !== 'continuous') return true;
    if (text.trim() === '') return true;
    const typed = parseTyped(text, scale);
    if ('problem' in typed) {
      this.#form.fault(cell, typed.problem);
      return false;
    }
    this.#change((s) => g.type(s, cell, typed.value, this.#remarks));
    return true;
  }

  /** Leave the number field properly before doing anything else. */
  #settleNumber(): boolean {
    const cell = this.#grading?.focus ?? '';
    const text = this.#form.typed(cell);
    return text === null || this.#takeNumber(cell, text);
  }

  #comment(text: string, done: boolean): void {
    if (!this.#grading || !this.#open) return;
    if (text.trim() !== String(this.#grading.content.answers.comment ?? '').trim()) {
      this.#change((s) => g.comment(s, text), true);
    }
    if (done) this.#open.saver.flush();
  }

  #measure(cell: string, points: Points): void {
    const [p, a, q] = points.points_lps_mm;
    const measured = p && a && q ? slip(p, a, q) : null;
    if (!measured) return;
    this.#change((s) => g.measure(this.sheet, s, cell, measured.value, points, this.#remarks));
    this.#focusSheet();
  }

  #showEvidence(): void {
    const slipCell = places(this.sheet).find(
      ({ item }) => item.scale.kind === 'continuous' && item.scale.tool === 'three_points',
    );
    this.#images?.evidence(slipCell?.cell.key ?? null, this.#grading?.content.evidence ?? {});
  }

  // Saving --------------------------------------------------------------------------------------------------------

  #onDraft(draft: Draft, someoneElse: boolean): void {
    const open = this.#open;
    this.#bars.saveState(draft, someoneElse);
    this.#summary?.refresh();
    if (!open) return;
    if (draft.state === 'refused') {
      open.faults = draft.faults;
      this.#draw();
    }
    if (draft.state === 'stale' && draft.theirs && !dialogOpen()) this.#conflict(draft);
  }

  #conflict(draft: Draft): void {
    const mine = draft.queue.at(-1);
    const theirs = draft.theirs;
    if (!mine || !theirs) return;
    conflictDialog(this.sheet, mine, theirs, (version) => {
      if (version === 'theirs' && this.#grading) {
        this.#grading = g.begin(this.sheet, theirs.content, this.#grading.focus);
        this.#showEvidence();
      }
      this.#open?.saver.choose(version);
      this.#draw();
      this.#refocus();
    });
  }

  #onSaved(result: Saved): void {
    const open = this.#open;
    if (!open) return;
    open.remarks = result.remarks;
    open.measured = result.measured;
    this.#draw();
  }

  #onProgress(loaded: number, of: number, failures: readonly Failure[]): void {
    this.#bars.loading(loaded, of);
    const first = failures[0];
    const more = failures.length > 1 ? ` and ${failures.length - 1} more` : '';
    this.#bars.failures(
      first
        ? `${first.stack.title} slice ${first.index + 1}${more} did not load. Submitting waits for it. `
        : '',
    );
    this.#summary?.refresh();
    if (failures.some((failure) => [401, 403, 404, 410].includes(failure.status))) void this.#readdress();
  }

  /** Frame addresses run out after a while; ask for fresh ones for the same reading. */
  async #readdress(): Promise<void> {
    if (Date.now() - this.#readdressed < READDRESS_MS) return;
    this.#readdressed = Date.now();
    const reading = this.#open?.reading;
    let outcome = await this.#api.next();
    if (outcome.kind === 'signed_out') {
      this.#bars.notice('You are signed out. Answers are kept on this machine.', true);
      await this.#signIn();
      this.#bars.notice('');
      outcome = await this.#api.next();
    }
    if (outcome.kind !== 'ok' || !reading || this.#open?.reading !== reading) return;
    const fresh = outcome.body.reading;
    if (fresh?.id !== reading.id || fresh.stacks[0]?.frames[0]?.image === reading.stacks[0]?.frames[0]?.image)
      return;
    this.#images?.readdress(fresh.stacks);
    this.#showEvidence();
  }

  // Submit --------------------------------------------------------------------------------------------------------

  #obstacles(): readonly string[] {
    const found: string[] = [];
    const failed = this.#images?.failures.length ?? 0;
    if (failed > 0) found.push(`${failed} ${failed === 1 ? 'image' : 'images'} did not load.`);
    const state = this.#open?.saver.draft.state;
    if (state === 'saving' || state === 'dirty') found.push('Answers are being saved.');
    else if (state !== 'clean') found.push('Answers are not saved yet.');
    return found;
  }

  #askSubmit(): void {
    const open = this.#open;
    if (!open || !this.#grading || this.#submitting || !this.#settleNumber()) return;
    open.saver.flush();
    const { content } = this.#grading;
    this.#summary = summaryDialog(
      {
        label: open.reading.label,
        sheet: open.sheet,
        content,
        remarks: open.remarks,
        obstacles: () => this.#obstacles(),
      },
      () => void this.#submit(),
    );
    document.querySelector('dialog.summary')?.addEventListener('close', () => {
      this.#summary = null;
      const gap = missing(open.sheet, content.answers)[0];
      if (gap && !this.#submitting) this.#focus(gap.cell.key);
      else this.#refocus();
    });
  }

  async #submit(): Promise<void> {
    const open = this.#open;
    if (!open || this.#submitting) return;
    const codes = g.openRemarks(open.remarks, this.#grading?.content.kept ?? []).map((remark) => remark.code);
    this.#change((s) => g.keep(s, codes));
    this.#submitting = true;
    this.#bars.notice('Submitting');
    try {
      while (open.saver.draft.state === 'saving') await pause(20);
      if (open.saver.draft.state !== 'clean') {
        this.#bars.notice('Not submitted: the answers are not saved yet. Nothing is lost.');
        return;
      }
      await this.#lock(open);
    } finally {
      this.#submitting = false;
    }
  }

  async #lock(open: Open): Promise<void> {
    const lock = () => this.#api.lock(open.reading.lock_url, open.saver.draft.base);
    let outcome = await lock();
    if (outcome.kind === 'signed_out' && (await this.#api.signedInAgain()) === 'yes') outcome = await lock();
    switch (outcome.kind) {
      case 'ok':
      case 'gone':
        open.saver.locked();
        this.#bars.notice('');
        await this.#leave();
        return;
      case 'invalid':
        open.faults = outcome.faults;
        this.#bars.notice('Not submitted: see the marked answers.');
        this.#draw();
        if (outcome.faults[0]) this.#focus(outcome.faults[0].cell);
        return;
      case 'stale':
        this.#bars.notice(
          'Not submitted: the answers were changed elsewhere. The newest version is open now.',
        );
        open.saver.close();
        await this.next();
        return;
      case 'signed_out':
        this.#bars.notice('Not submitted: you are signed out. Sign in, then submit again.', true);
        return;
      case 'failed':
        this.#bars.notice(`Not submitted: ${outcome.sentence} Nothing is lost; submit again.`);
    }
  }

  #askAside(): void {
    const open = this.#open;
    if (!open || this.#submitting) return;
    setAsideDialog(open.reading.label, (reason) => void this.#aside(open, reason));
  }

  async #aside(open: Open, reason: string): Promise<void> {
    open.saver.flush();
    while (open.saver.draft.state === 'saving') await pause(20);
    if (open.saver.draft.state !== 'clean') {
      this.#bars.notice('Not set aside: the answers are not saved yet.');
      return;
    }
    const outcome = await this.#api.setAside(open.reading.set_aside_url, reason);
    if (outcome.kind === 'ok' || outcome.kind === 'gone') {
      open.saver.locked();
      await this.#leave();
    } else
      this.#bars.notice(
        'Not set aside: the server did not take it. Try again.',
        outcome.kind === 'signed_out',
      );
  }

  // Keys ----------------------------------------------------------------------------------------------------------

  #context(): Context {
    const active = document.activeElement;
    const state = this.#grading;
    const text =
      active instanceof HTMLTextAreaElement ||
      (active instanceof HTMLInputElement && active.classList.contains('note-text'));
    const number = active instanceof HTMLInputElement && active.classList.contains('typed-number');
    const scale = places(this.sheet).find(({ cell }) => cell.key === state?.focus)?.item.scale;
    return {
      region: this.#bars.images.contains(active) ? 'images' : 'sheet',
      typing: text ? 'text' : number ? 'number' : 'none',
      mode: state?.mode ?? 'grade',
      caps: scale && scale.kind !== 'continuous' ? scale.levels.map((level) => level.key) : [],
    };
  }

  #onKey(event: KeyboardEvent): void {
    if (dialogOpen() || !this.#open || event.isComposing) return;
    const active = document.activeElement;
    if (active instanceof HTMLSelectElement) return;
    const press = {
      key: event.key,
      code: event.code,
      shift: event.shiftKey,
      ctrl: event.ctrlKey || event.metaKey,
      alt: event.altKey,
    };
    // A focused button answers Enter and Space itself.
    const onButton = active instanceof HTMLButtonElement || active instanceof HTMLAnchorElement;
    if (onButton && (event.key === 'Enter' || event.key === ' ')) return;
    const action = resolve(press, this.#context());
    if (!action || (event.key === 'Tab' && !this.#tabIsOurs(event.shiftKey))) return;
    event.preventDefault();
    this.#act(action);
  }

  /** Tab walks the cells, and leaves the sheet at its two ends as everywhere else. */
  #tabIsOurs(back: boolean): boolean {
    const state = this.#grading;
    if (!state || !this.#bars.list.contains(document.activeElement)) return false;
    return !(back && places(this.sheet)[0]?.cell.key === state.focus);
  }

  #act(action: Action): void {
    const remarks = this.#remarks;
    const sheet = this.sheet;
    switch (action.kind) {
      case 'cap':
        this.#change((s) =>
          s.mode === 'grade'
            ? g.grade(sheet, s, action.cap, remarks)
            : g.giveReason(sheet, s, action.cap, remarks),
        );
        return;
      case 'move':
        if (this.#settleNumber()) this.#change((s) => g.move(sheet, s, action.by));
        return;
      case 'accept':
        if (!this.#settleNumber()) return;
        if (this.#grading?.focus === g.SUBMIT) this.#askSubmit();
        else this.#change((s) => g.move(sheet, s, 1));
        this.#focusSheet();
        return;
      case 'escape':
        this.#escape();
        return;
      case 'clear':
        this.#change((s) => g.clear(s, remarks));
        return;
      case 'unassessable':
        this.#change((s) => (s.mode === 'grade' ? g.askReason(s) : g.focusOn(s, s.focus)));
        return;
      case 'criteria':
        this.#change((s) => ({ ...s, criteria: !s.criteria }));
        return;
      case 'keep':
        this.#keep();
        return;
      case 'undo':
        this.#change(g.undo);
        return;
      case 'redo':
        this.#change(g.redo);
        return;
      case 'comment':
        this.#bars.comment.focus();
        return;
      case 'leave_comment':
        this.#bars.comment.blur();
        this.#focusSheet();
        return;
      case 'region':
        this.#switchRegion();
        return;
      case 'help':
        keysDialog();
        return;
      default:
        this.#actOnImages(action);
    }
  }

  #actOnImages(action: Action): void {
    const images = this.#images;
    if (!images) return;
    switch (action.kind) {
      case 'preset':
        images.preset(action.key);
        return;
      case 'scroll':
        images.scroll(action.by);
        return;
      case 'edge':
        images.edge(action.to);
        return;
      case 'tool':
        images.setTool(images.tool === action.tool ? 'window' : action.tool);
        return;
      case 'full':
        images.full();
        return;
      case 'layout':
        images.nextLayout();
        return;
      case 'view':
        images.nextView();
        return;
      case 'invert':
        images.invert();
        return;
      case 'reset':
        images.reset();
        return;
      case 'link':
        images.link();
        return;
      case 'overlays':
        images.overlays();
        return;
      case 'middle':
        images.middle();
        return;
      case 'retry':
        images.retry();
    }
  }

  #escape(): void {
    if (document.activeElement === this.#bars.comment) {
      this.#bars.comment.blur();
      this.#focusSheet();
    } else if (this.#grading?.mode !== 'grade') this.#change((s) => g.focusOn(s, s.focus));
    else this.#images?.escape();
  }

  #keep(): void {
    const focus = this.#grading?.focus;
    const item = places(this.sheet).find(({ cell }) => cell.key === focus)?.item;
    const keys = new Set(item?.cells.map((cell) => cell.key) ?? []);
    const here = this.#remarks.filter(
      (remark) => remark.severity === 'warn' && remark.cells.some((key) => keys.has(key)),
    );
    this.#change((s) =>
      g.keep(
        s,
        here.map((remark) => remark.code),
      ),
    );
  }

  #switchRegion(): void {
    if (this.#bars.images.contains(document.activeElement)) {
      this.#focusSheet();
    } else {
      this.#settleNumber();
      this.#bars.images.focus();
    }
  }

  // Place and rest ------------------------------------------------------------------------------------------------

  #noteInput(): void {
    const now = Date.now();
    if (now - this.#lastInput > BREAK_MS) this.#since = now;
    this.#lastInput = now;
  }

  #rememberPlace(): void {
    if (!this.#open || !this.#images) return;
    this.#open.saver.flush();
    const kept = { reading: this.#open.reading.id, focus: this.#grading?.focus, place: this.#images.place() };
    sessionStorage.setItem(PLACE, JSON.stringify(kept));
  }
}

function recalledPlace(reading: string): { readonly focus?: string; readonly place: Place } | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(PLACE) ?? 'null') as {
      reading: string;
      focus?: string;
      place: Place;
    } | null;
    return kept?.reading === reading ? kept : null;
  } catch {
    return null;
  }
}

/** A page that cannot start says so instead of staying dark. */
export function cannotStart(root: HTMLElement, sentence: string): void {
  const text = h('p', { class: 'word', role: 'alert' });
  say(text, sentence);
  root.replaceChildren(text);
}
