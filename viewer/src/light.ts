/** Small enhancements for pages that are whole without script. No dependency but the one fetch. */
import { fragment } from './api.ts';
import { askAboutUnsent, signOut } from './signout.ts';

const EVERY_MS = 1000;

/**
 * `data-poll="<url>"`: the element is replaced by what the address answers, every second, until the answer
 * no longer asks for it; `data-every="5000"` asks that often. Focus and opened details inside are kept by id.
 * When the fresh one's `data-settled` differs, what `data-changes` names elsewhere on the page is fetched as well.
 */
async function poll(element: HTMLElement): Promise<void> {
  const url = element.dataset.poll;
  if (!url || !element.isConnected) return;
  const html = document.hidden ? null : await fragment(url);
  const template = document.createElement('template');
  template.innerHTML = html ?? '';
  const fresh = template.content.firstElementChild;
  if (!(fresh instanceof HTMLElement)) {
    window.setTimeout(() => void poll(element), EVERY_MS * 2);
    return;
  }
  const opened = [...element.querySelectorAll<HTMLDetailsElement>('details[open][id]')].map(({ id }) => id);
  const focused = element.contains(document.activeElement) ? document.activeElement?.id : undefined;
  element.replaceWith(fresh);
  for (const id of opened) document.getElementById(id)?.setAttribute('open', '');
  if (focused) document.getElementById(focused)?.focus();
  enhance(fresh.parentElement ?? document.body);
  if (fresh.dataset.changes && fresh.dataset.settled !== element.dataset.settled)
    void renew(fresh.dataset.changes);
}

/** Replace one piece of this page, such as the study's steps, by what a reload would show there. */
async function renew(selector: string): Promise<void> {
  const html = await fragment(location.href);
  const old = document.querySelector(selector);
  const fresh = html && new DOMParser().parseFromString(html, 'text/html').querySelector(selector);
  if (old && fresh && !old.contains(document.activeElement)) old.replaceWith(fresh);
}

/** `data-confirm-code="DEMO"` on an input: its form's submit buttons wait until exactly that is typed. */
function confirmCode(input: HTMLInputElement): void {
  const buttons = input.form?.querySelectorAll<HTMLButtonElement>('button[type=submit]') ?? [];
  const judge = () => {
    for (const button of buttons) button.disabled = input.value.trim() !== input.dataset.confirmCode;
  };
  input.addEventListener('input', judge);
  judge();
}

function enhance(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLElement>('[data-poll]')) {
    if (element.dataset.polling !== undefined) continue;
    element.dataset.polling = '';
    window.setTimeout(() => void poll(element), Number(element.dataset.every) || EVERY_MS);
  }
  for (const input of root.querySelectorAll<HTMLInputElement>('input[data-confirm-code]')) confirmCode(input);
  for (const form of root.querySelectorAll<HTMLFormElement>('form[data-once]')) {
    form.addEventListener('submit', (event) => {
      if (form.dataset.sent !== undefined) event.preventDefault();
      form.dataset.sent = '';
    });
  }
  for (const form of root.querySelectorAll<HTMLFormElement>('form[data-sign-out]')) {
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void signOut(form, askAboutUnsent);
    });
  }
}

/** A script that has changed something on the server asks for the polled pieces at once. */
document.addEventListener('look-again', () => {
  for (const element of document.querySelectorAll<HTMLElement>('[data-poll]')) void poll(element);
});

enhance(document);
