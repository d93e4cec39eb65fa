/** Signing out: answers that were not sent yet stand in this browser only, so the reader says what becomes of them. */
import { h } from './dom.ts';
import { forgetAll, unsent } from './store.ts';

export type Choice = 'stay' | 'keep' | 'delete';

/** A store that does not answer keeps nobody signed in. */
const PATIENCE_MS = 1500;

const within = <T>(work: Promise<T>, otherwise: T): Promise<T> =>
  Promise.race([work, new Promise<T>((done) => window.setTimeout(() => done(otherwise), PATIENCE_MS))]);

/** `form` names the user who signs out; what others left on this machine is not touched. */
export async function signOut(
  form: HTMLFormElement,
  ask: (readings: number) => Promise<Choice>,
): Promise<void> {
  if (form.dataset.leaving !== undefined) return;
  form.dataset.leaving = '';
  const user = form.dataset.signOut ?? '';
  const readings = await within(unsent(user), 0);
  const choice = readings > 0 ? await ask(readings) : 'keep';
  if (choice === 'stay') {
    delete form.dataset.leaving;
    return;
  }
  if (choice === 'delete') await within(forgetAll(user), undefined);
  sessionStorage.clear();
  form.submit();
}

const sentence = (readings: number): string =>
  readings === 1
    ? 'One reading has answers that did not reach the server. They are kept in this browser only.'
    : `${readings} readings have answers that did not reach the server. They are kept in this browser only.`;

/** A native dialog: Escape and the first button stay; the keyboard goes back to where it was. */
export function askAboutUnsent(readings: number): Promise<Choice> {
  return new Promise((done) => {
    const button = (
      choice: Choice,
      text: string,
      more: Readonly<Record<string, string | boolean>>,
    ): HTMLElement => h('button', { type: 'button', click: () => dialog.close(choice), ...more }, text);
    const dialog = h(
      'dialog',
      { class: 'sign-out', 'aria-labelledby': 'sign-out-title' },
      h('h2', { id: 'sign-out-title' }, 'Answers are not sent yet'),
      h('p', {}, sentence(readings)),
      h('p', {}, 'Open the reading again on this machine, and they are sent.'),
      h(
        'div',
        { class: 'row' },
        button('stay', 'Stay signed in', { class: 'primary', autofocus: true }),
        button('keep', 'Sign out, keep them here', {}),
        button('delete', 'Sign out, delete them', { class: 'stop' }),
      ),
    );
    dialog.addEventListener('close', () => {
      dialog.remove();
      done(dialog.returnValue === 'keep' || dialog.returnValue === 'delete' ? dialog.returnValue : 'stay');
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
