/** Closing a reading: summary, lock, set aside. Nothing is closed that is not saved and fully seen. */

import type { Answering, Opened } from './answering.ts';
import { missing } from './answers.ts';
import type { Api } from './api.ts';
import type { Bars } from './bars.ts';
import { setAsideDialog, summaryDialog } from './dialogs.ts';
import { pause } from './dom.ts';
import type { Locked } from './wire.ts';

export interface SubmissionEvents {
  opened(): Opened | null;
  failedImages(): number;
  /** The server is being asked to close the reading. */
  closing(): void;
  /** The reading is closed: go to the next one, or to the page that shows what was right. */
  leave(closed: Partial<Locked>): Promise<void>;
  /** The server does not know it as ours any more. */
  gone(): void;
  /** Its newest version has to be fetched. */
  reopen(): Promise<void>;
}

export class Submission {
  readonly #api: Api;
  readonly #bars: Bars;
  readonly #answering: Answering;
  readonly #events: SubmissionEvents;
  #summary: { refresh(): void } | null = null;

  constructor(api: Api, bars: Bars, answering: Answering, events: SubmissionEvents) {
    this.#api = api;
    this.#bars = bars;
    this.#answering = answering;
    this.#events = events;
  }

  /** Something changed that may allow or forbid submitting. */
  refresh(): void {
    this.#summary?.refresh();
  }

  #obstacles(): readonly string[] {
    const found: string[] = [];
    const failed = this.#events.failedImages();
    if (failed > 0) found.push(`${failed} ${failed === 1 ? 'image' : 'images'} did not load.`);
    const draft = this.#events.opened()?.saver.draft;
    const state = draft?.state;
    if (state === 'saving' || state === 'dirty') found.push('Answers are being saved.');
    else if (state !== 'clean') found.push(`Answers are not saved yet. ${draft?.reason ?? ''}`.trim());
    return found;
  }

  ask(): void {
    const opened = this.#events.opened();
    const state = this.#answering.state;
    if (!opened || !state || this.#answering.frozen || !this.#answering.settleNumber()) return;
    opened.saver.flush();
    const { content } = this.#answering.state ?? state;
    this.#summary = summaryDialog(
      {
        label: opened.reading.label,
        sheet: opened.sheet,
        content,
        remarks: () => this.#answering.remarks,
        obstacles: () => this.#obstacles(),
      },
      () => void this.#submit(opened),
      () => {
        this.#summary = null;
        const gap = missing(opened.sheet, content.answers)[0];
        if (gap && !this.#answering.frozen) this.#answering.focus(gap.cell.key);
        else this.#answering.refocus();
      },
    );
  }

  /** Wait until the saver has nothing in flight; true when everything arrived. */
  async #settled({ saver }: Opened): Promise<boolean> {
    saver.flush();
    while (saver.draft.state === 'saving') await pause(20);
    return saver.draft.state === 'clean';
  }

  async #submit(opened: Opened): Promise<void> {
    if (this.#answering.frozen) return;
    this.#answering.keepAll();
    this.#answering.frozen = true;
    this.#bars.notice('Submitting');
    try {
      if (await this.#settled(opened)) await this.#lock(opened);
      else {
        const { reason } = opened.saver.draft;
        this.#bars.notice(`Not submitted: ${reason || 'the answers are not saved yet.'} Nothing is lost.`);
      }
    } finally {
      this.#answering.frozen = false;
    }
  }

  async #lock({ reading, saver }: Opened): Promise<void> {
    const lock = () => this.#api.lock(reading.lock_url, saver.draft.base);
    this.#events.closing();
    let outcome = await lock();
    // A sign-in in another tab has changed the token; the page takes the new one and tries once more.
    if (outcome.kind === 'signed_out' && (await this.#api.signedInAgain()) === 'yes') outcome = await lock();
    switch (outcome.kind) {
      case 'gone':
        this.#bars.notice('');
        this.#events.gone();
        return;
      case 'ok':
        saver.locked();
        this.#bars.notice('');
        await this.#events.leave(outcome.body);
        return;
      case 'invalid':
        this.#bars.notice('Not submitted: see the marked answers.');
        this.#answering.frozen = false;
        this.#answering.faults(outcome.faults);
        return;
      case 'stale':
        saver.close();
        await this.#events.reopen();
        this.#bars.notice(
          'Not submitted: the answers were changed elsewhere. Their newest version is open now.',
        );
        return;
      case 'signed_out':
        this.#bars.notice('Not submitted: you are signed out. Sign in, then submit again.', true);
        return;
      case 'blocked':
        this.#bars.notice(`Not submitted: ${outcome.sentence} Nothing is lost.`);
        return;
      case 'failed':
        this.#bars.notice(`Not submitted: ${outcome.sentence} Nothing is lost; submit again.`);
    }
  }

  askAside(): void {
    const opened = this.#events.opened();
    if (opened && !this.#answering.frozen) {
      setAsideDialog(opened.reading.label, (reason) => void this.#aside(opened, reason));
    }
  }

  async #aside(opened: Opened, reason: string): Promise<void> {
    if (this.#answering.frozen) return;
    this.#answering.frozen = true;
    try {
      if (await this.#settled(opened)) await this.#askServerAside(opened, reason);
      else {
        const why = opened.saver.draft.reason || 'the answers are not saved yet.';
        this.#bars.notice(`Not set aside: ${why}`);
      }
    } finally {
      this.#answering.frozen = false;
    }
  }

  async #askServerAside({ reading }: Opened, reason: string): Promise<void> {
    this.#events.closing();
    const outcome = await this.#api.setAside(reading.set_aside_url, reason);
    if (outcome.kind === 'ok') await this.#events.leave(outcome.body);
    else if (outcome.kind === 'gone') this.#events.gone();
    else {
      const why = outcome.kind === 'blocked' ? outcome.sentence : 'the server did not take it. Try again.';
      this.#bars.notice(`Not set aside: ${why}`, outcome.kind === 'signed_out');
    }
  }
}
