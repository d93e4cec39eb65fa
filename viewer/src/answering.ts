/** The answers of the open reading on the page: grading state, sheet, saving, remarks. */
import { answerOf, parseTyped, places, progress, words } from './answers.ts';
import type { Bars } from './bars.ts';
import type { Illustrations } from './criteria.ts';
import { dialogOpen } from './dialogs.ts';
import { evidenceOf, onlyOf, onOtherSide, sliceName } from './evidence.ts';
import { slip } from './geometry.ts';
import * as g from './grading.ts';
import { remarksAt, standing } from './remarks.ts';
import type { Saver } from './saver.ts';
import { SheetForm } from './sheet.ts';
import type {
  CellEvidence,
  Content,
  Evidence,
  Fault,
  ImageMark,
  Measured,
  Points,
  Reading,
  Remark,
  Saved,
  Sheet,
} from './wire.ts';

export interface Opened {
  readonly reading: Reading;
  readonly sheet: Sheet;
  readonly saver: Saver;
}

export interface AnsweringEvents {
  /** Points were set, moved, dropped or brought back. */
  evidence(slipCell: string | null, evidence: Evidence): void;
  /** The button or key beside a measurement. */
  slipTool(): void;
  /** What the active view shows, or why it cannot be kept. */
  look(): CellEvidence | string;
  jump(seen: CellEvidence): void;
  /** An answer was given, changed or taken back. */
  answered(cell: string): void;
}

const ownImages = (reading: Reading, content: Content): Content => ({
  ...content,
  evidence: onlyOf(content.evidence, reading.stacks),
});

export class Answering {
  readonly #bars: Bars;
  readonly #form: SheetForm;
  readonly #events: AnsweringEvents;
  #opened: Opened | null = null;
  #state: g.Grading | null = null;
  #remarks: readonly Remark[] = [];
  #measured: Readonly<Record<string, Measured>> = {};
  #faults: readonly Fault[] = [];
  /** What was typed and refused: it stands in its field, and the answer is still the one before it. */
  #mistyped: Fault | null = null;
  /** While a reading is being submitted nothing changes. */
  frozen = false;

  constructor(bars: Bars, sheet: Sheet, shown: Illustrations, events: AnsweringEvents) {
    this.#bars = bars;
    this.#events = events;
    this.#form = new SheetForm(bars.list, bars.scroller, bars.comment, sheet, shown, {
      focus: (cell) => this.#choose(cell),
      cap: (cell, cap) => this.#grade(cell, cap),
      reason: (cap) => this.#apply((s, sh) => g.giveReason(sh, s, cap, this.#remarks)),
      note: (text) => this.#apply((s, sh) => g.giveNote(sh, s, text, this.#remarks)),
      number: (cell, text) => this.#takeNumber(cell, text),
      unassessable: () => this.unassessable(),
      criteria: () => this.criteria(),
      keep: (codes) => this.keep(codes),
      slip: () => events.slipTool(),
      pin: () => this.pin(),
      seePin: (cell) => this.seePin(cell),
      unpin: (cell) => this.unpin(cell),
      comment: (text, done) => this.#comment(text, done),
    });
  }

  get state(): g.Grading | null {
    return this.#state;
  }

  get remarks(): readonly Remark[] {
    return this.#remarks;
  }

  open(opened: Opened, content: Content, focus: string | undefined): void {
    const { reading, sheet } = opened;
    this.#opened = opened;
    this.#remarks = reading.remarks;
    this.#measured = reading.measured;
    this.#faults = [];
    this.#mistyped = null;
    this.frozen = false;
    this.#state = g.begin(sheet, ownImages(reading, content), focus);
    this.#form.load(sheet);
    this.draw();
    this.refocus();
  }

  close(): void {
    this.#opened = null;
    this.#state = null;
  }

  /** Another version of the same reading. */
  replace(content: Content): void {
    if (!this.#opened || !this.#state) return;
    const { reading, sheet } = this.#opened;
    this.#state = g.begin(sheet, ownImages(reading, content), this.#state.focus);
    this.showEvidence();
    this.draw();
  }

  heard(result: Saved): void {
    this.#remarks = result.remarks;
    this.#measured = result.measured;
    this.draw();
  }

  faults(faults: readonly Fault[]): void {
    this.#faults = faults;
    this.draw();
    const first = faults[0]?.cell ?? '';
    if (this.#opened && places(this.#opened.sheet).some(({ cell }) => cell.key === first)) this.focus(first);
  }

  #apply(change: (state: g.Grading, sheet: Sheet) => g.Grading, typing = false): void {
    const before = this.#state;
    const opened = this.#opened;
    if (!before || !opened || this.frozen) return;
    const after = change(before, opened.sheet);
    if (after === before) return;
    this.#state = after;
    if (after.content !== before.content || after.focus !== before.focus) this.#mistyped = null;
    if (after.content !== before.content) {
      this.#faults = [];
      opened.saver.change(after.content, typing);
      if (after.content.evidence !== before.content.evidence) this.showEvidence();
      for (const { cell } of places(opened.sheet)) {
        const answers = [before, after].map(({ content }) => content.answers[cell.key]);
        if (answers[0] !== answers[1]) this.#events.answered(cell.key);
      }
    }
    this.draw();
    if (after.focus !== before.focus || after.mode !== before.mode) this.refocus();
  }

  get #refused(): readonly Fault[] {
    return this.#mistyped ? [this.#mistyped, ...this.#faults] : this.#faults;
  }

  draw(): void {
    if (!this.#opened || !this.#state) return;
    this.#form.draw({
      grading: this.#state,
      remarks: standing(this.#remarks, this.#refused),
      measured: this.#measured,
      faults: this.#refused,
      barred: this.#opened.reading.barred ?? {},
      named: (uid) => sliceName(this.#opened?.reading.stacks ?? [], uid),
    });
    const { done, of } = progress(this.#opened.sheet, this.#state.content.answers);
    this.#bars.count(done, of);
  }

  showEvidence(): void {
    const all = this.#opened ? places(this.#opened.sheet) : [];
    const asked = all.find(
      ({ item }) => item.scale.kind === 'continuous' && item.scale.tool === 'three_points',
    );
    this.#events.evidence(asked?.cell.key ?? null, this.#state?.content.evidence ?? {});
  }

  // Focus -----------------------------------------------------------------------------------------------------------

  focus(cell: string): void {
    this.#apply((s) => g.focusOn(s, cell));
    this.refocus();
  }

  /** A cell chosen with the mouse: what was typed before is taken first, where it can be. */
  #choose(cell: string): void {
    if (cell !== this.#state?.focus) this.settleNumber();
    this.focus(cell);
  }

  /** The keyboard follows the open cell, unless it is at work in the images or in the comment. */
  refocus(): void {
    const active = document.activeElement;
    if (dialogOpen() || active === this.#bars.comment || this.#bars.images.contains(active)) return;
    this.takeFocus();
  }

  takeFocus(): void {
    const state = this.#state;
    if (state?.mode === 'note') this.#bars.list.querySelector<HTMLInputElement>('.note-text')?.focus();
    else if (state?.focus === g.SUBMIT) this.#bars.submit.focus({ preventScroll: true });
    else if (state) this.#form.focus(state.focus);
  }

  /** Key caps of the open cell. */
  caps(): readonly string[] {
    const scale = this.#place()?.item.scale;
    return scale && scale.kind !== 'continuous' ? scale.levels.map((level) => level.key) : [];
  }

  /** The open cell is the first one. */
  atStart(): boolean {
    return this.#opened !== null && places(this.#opened.sheet)[0]?.cell.key === this.#state?.focus;
  }

  #place() {
    return this.#opened
      ? places(this.#opened.sheet).find(({ cell }) => cell.key === this.#state?.focus)
      : undefined;
  }

  // What keys and buttons ask for -----------------------------------------------------------------------------------

  cap(cap: string): void {
    if (this.#state?.mode === 'grade') this.#grade(this.#state.focus, cap);
    else this.#apply((s, sheet) => g.giveReason(sheet, s, cap, this.#remarks));
  }

  /** Where the images do not tell the sides, a level for one of them is no answer. */
  #grade(cell: string, cap: string): void {
    if (this.#opened?.reading.barred?.[cell]) this.focus(cell);
    else this.#apply((s, sheet) => g.grade(sheet, g.focusOn(s, cell), cap, this.#remarks));
  }

  move(by: 1 | -1): void {
    if (this.settleNumber()) this.#apply((s, sheet) => g.move(sheet, s, by));
  }

  /** One row up or down: within a matrix in its column, else as `move`. */
  step(by: 1 | -1): void {
    if (this.settleNumber()) this.#apply((s, sheet) => g.step(sheet, s, by));
  }

  /** One column to the right or left within a matrix. */
  across(by: 1 | -1): void {
    this.#apply((s, sheet) => g.across(sheet, s, by));
  }

  clear(): void {
    this.#apply((s) => g.clear(s, this.#remarks));
  }

  unassessable(): void {
    this.#apply((s) => (s.mode === 'grade' ? g.askReason(s) : g.focusOn(s, s.focus)));
  }

  criteria(): void {
    this.#apply((s) => ({ ...s, criteria: !s.criteria }));
  }

  /** Only while criteria are open: there the pictures stand. */
  closer(by: 1 | -1): void {
    if (this.#state?.criteria) this.#form.closer(by);
  }

  /** Turn a page of what does not fit in the sheet. */
  leaf(by: 1 | -1): void {
    this.#form.leaf(by);
  }

  undo(): void {
    this.#apply(g.undo);
  }

  redo(): void {
    this.#apply(g.redo);
  }

  keep(codes: readonly string[]): void {
    this.#apply((s) => g.keep(s, codes));
  }

  /** Keep the warnings of the open item. */
  keepHere(): void {
    const here = remarksAt(standing(this.#remarks, this.#refused), this.#place()?.item.cells ?? []);
    this.keep(here.filter(({ severity }) => severity === 'warn').map(({ code }) => code));
  }

  /** Keep every warning that is still open. */
  keepAll(): void {
    const kept = this.#state?.content.kept ?? [];
    this.keep(g.openRemarks(this.#remarks, kept).map((remark) => remark.code));
  }

  /** Leave the question for a reason. False when none was asked. */
  leaveReason(): boolean {
    if (!this.#state || this.#state.mode === 'grade') return false;
    this.#apply((s) => g.focusOn(s, s.focus));
    return true;
  }

  // Evidence --------------------------------------------------------------------------------------------------------

  /** Keep what the active view shows as the evidence of the open cell. */
  pin(): void {
    const cell = this.#place()?.cell.key;
    const seen = cell === undefined ? 'Open a cell first.' : this.#events.look();
    const before = cell === undefined ? undefined : this.evidence(cell);
    const stacks = this.#opened?.reading.stacks ?? [];
    if (typeof seen !== 'string' && onOtherSide(stacks, seen.uid, this.#place()?.cell.side)) {
      this.#bars.notice('This slice lies on the other side of the patient. It is no evidence for this side.');
    } else if (typeof seen === 'string') this.#bars.notice(seen);
    else if (before?.points_lps_mm && before.uid !== seen.uid) {
      this.#bars.notice('This value was measured on another slice: its points are its evidence.');
    } else if (cell !== undefined) {
      this.#bars.notice('');
      const points = before?.points_lps_mm;
      this.#apply((s) => g.pin(s, cell, points ? { ...seen, points_lps_mm: points } : seen));
    }
  }

  /** Show the evidence of a cell again; the open one's where none is named. */
  seePin(cell = this.#state?.focus ?? ''): void {
    const seen = this.evidence(cell);
    if (seen) this.#events.jump(seen);
  }

  /** Take the evidence slice back; the points of a measured value stay. */
  unpin(cell = this.#state?.focus ?? ''): void {
    const before = this.evidence(cell);
    if (!before) return;
    const { uid, points_lps_mm } = before;
    this.#apply((s) => g.pin(s, cell, points_lps_mm ? { uid, points_lps_mm } : undefined));
  }

  evidence(cell: string): CellEvidence | undefined {
    return evidenceOf(this.#state?.content.evidence ?? {}, cell);
  }

  marks(marks: readonly ImageMark[]): void {
    this.#apply((s) => g.mark(s, marks));
    if (this.frozen) this.showEvidence();
  }

  measure(cell: string, points: Points): void {
    const [p, a, q] = points.points_lps_mm;
    const measured = p && a && q ? slip(p, a, q) : null;
    if (!measured) return;
    this.#apply((s, sheet) => g.measure(sheet, s, cell, measured.value, points, this.#remarks));
    this.takeFocus();
  }

  /** Take a number that is being typed before anything else happens; false when it is none. */
  settleNumber(): boolean {
    const cell = this.#state?.focus ?? '';
    const text = this.#form.typed(cell);
    return text === null || this.#takeNumber(cell, text);
  }

  #takeNumber(cell: string, text: string): boolean {
    const all = this.#opened ? places(this.#opened.sheet) : [];
    const item = all.find((place) => place.cell.key === cell)?.item;
    if (!this.#opened || item?.scale.kind !== 'continuous' || text.trim() === '') return true;
    const typed = parseTyped(text, item.scale);
    if ('problem' in typed) {
      const stays = words(this.#opened.sheet, item, answerOf(this.#state?.content.answers ?? {}, cell));
      const message = stays ? `${typed.problem} The answer stays: ${stays}.` : typed.problem;
      this.#mistyped = { cell, message };
      this.draw();
      return false;
    }
    // A number over images without a scale is no measurement; the sheet says so beside the field.
    if (this.#opened.reading.barred?.[cell]) return true;
    this.#apply((s) => g.type(s, cell, typed.value, this.#remarks));
    return true;
  }

  #comment(text: string, done: boolean): void {
    if (!this.#state || !this.#opened) return;
    if (text.trim() !== String(this.#state.content.answers.comment ?? '').trim()) {
      this.#apply((s) => g.comment(s, text), true);
    }
    if (done) this.#opened.saver.flush();
  }
}
