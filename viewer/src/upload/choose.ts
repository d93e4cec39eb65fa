/** From a drop or a choice to a list of files with their path below it, and the mark by which a file is known again. */
import type { Item } from './load.ts';

const COMPANIONS = new Set(['.ds_store', 'thumbs.db', 'desktop.ini']);

export interface Choice {
  readonly items: Item[];
  /** Left out because the operating system made them, not a scanner. */
  companions: number;
  readonly unreadable: string[];
}

export const emptyChoice = (): Choice => ({ items: [], companions: 0, unreadable: [] });

function put(choice: Choice, file: File, path: string): void {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  if (COMPANIONS.has(name) || path.includes('__MACOSX/')) choice.companions += 1;
  else choice.items.push({ path, file, number: 0, sent: 0, state: 'waiting', reason: '' });
}

export function fromInput(files: FileList): Choice {
  const choice = emptyChoice();
  for (const file of files) put(choice, file, file.webkitRelativePath || file.name);
  return inOrder(choice);
}

/** The entries of a drop have to be asked for while the event is being handled; afterwards they are gone. */
export function entriesOf(drop: DataTransfer): FileSystemEntry[] {
  return [...drop.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
}

/** Walk what was dropped; `said` hears now and then how many files were found so far. */
export async function fromEntries(
  entries: readonly FileSystemEntry[],
  said: (found: number) => void,
): Promise<Choice> {
  const choice = emptyChoice();
  const folders: FileSystemDirectoryEntry[] = [];
  const take = async (found: readonly FileSystemEntry[]) => {
    folders.push(...found.filter((entry): entry is FileSystemDirectoryEntry => entry.isDirectory));
    const files = found.filter((entry): entry is FileSystemFileEntry => entry.isFile);
    await Promise.all(files.map((entry) => takeFile(choice, entry)));
    said(choice.items.length);
  };
  await take(entries);
  for (let folder = folders.pop(); folder; folder = folders.pop()) {
    const reader = folder.createReader();
    for (let more = await read(reader); more.length > 0; more = await read(reader)) await take(more);
  }
  return inOrder(choice);
}

/** Patient by patient, as folders go: what arrives together can be taken in together. */
function inOrder(choice: Choice): Choice {
  choice.items.sort((one, other) => (one.path < other.path ? -1 : 1));
  return choice;
}

async function takeFile(choice: Choice, entry: FileSystemFileEntry): Promise<void> {
  const path = entry.fullPath.replace(/^\//, '');
  try {
    put(choice, await new Promise<File>((found, failed) => entry.file(found, failed)), path);
  } catch {
    choice.unreadable.push(path);
  }
}

function read(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  return new Promise((found) => reader.readEntries(found, () => found([])));
}

const AT_ONCE = 500;

/** SHA-256 over path, size and time of change: the same file again is known, and its name cannot be read from it. */
export async function fingerprints(items: readonly Item[]): Promise<string[]> {
  const marks: string[] = [];
  for (let from = 0; from < items.length; from += AT_ONCE) {
    marks.push(...(await Promise.all(items.slice(from, from + AT_ONCE).map(fingerprint))));
  }
  return marks;
}

async function fingerprint(item: Item): Promise<string> {
  const changed = item.file instanceof File ? item.file.lastModified : 0;
  const text = new TextEncoder().encode(`${item.path}\0${item.file.size}\0${changed}`);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', text));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
