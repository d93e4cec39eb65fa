/** Pure: which stack opens where, at which slice, in which window, and what is loaded first. */
import { outwards, planeOf } from '../geometry.ts';
import type { Frame, Layout, LayoutView, Preset, Sheet, Stack } from '../wire.ts';
import type { Window } from './paint.ts';
import { obstacle } from './reformat.ts';

export function startIndex(start: string, stack: Pick<Stack, 'frames' | 'index_slice'>): number {
  const count = stack.frames.length;
  if (start === 'index_disc' && typeof stack.index_slice === 'number') {
    return Math.min(count - 1, Math.max(0, stack.index_slice));
  }
  if (start === 'first') return 0;
  if (start === 'last') return count - 1;
  const given = Number(start);
  return start !== '' && Number.isInteger(given)
    ? Math.min(count - 1, Math.max(0, given))
    : Math.floor(count / 2);
}

/** The window of a preset for a stack, or null when the stack tells none. */
export function presetWindow(preset: Preset | undefined, stack: Stack | null): Window | null {
  if (preset?.kind === 'window' && preset.width !== undefined && preset.level !== undefined) {
    return { width: preset.width, level: preset.level };
  }
  const automatic = stack?.automatic_window ?? null;
  return preset?.kind === 'automatic' ? automatic : (storedWindow(stack) ?? automatic);
}

/** The stored window of the middle slice, used for the whole stack so that brightness does not jump. */
function storedWindow(stack: Stack | null): Window | null {
  const frames = stack?.frames ?? [];
  const json = frames[Math.floor(frames.length / 2)]?.metadata;
  const level = Number(json?.['00281050']?.Value?.[0] ?? Number.NaN);
  const width = Number(json?.['00281051']?.Value?.[0] ?? Number.NaN);
  return Number.isFinite(level) && width >= 1 ? { width, level } : null;
}

const ROLE_TITLES: Readonly<Record<string, string>> = {
  SAG_T2: 'Sagittal T2',
  SAG_T1: 'Sagittal T1',
  SAG_STIR: 'Sagittal STIR',
  AX_T2: 'Axial T2',
  AX_T1: 'Axial T1',
  COR: 'Coronal',
  LOC: 'Localiser',
  CT_PRE: 'CT before contrast',
  CT_POST: 'CT after contrast',
  CT_NEEDLE: 'CT with needle',
  CT_SCOUT: 'CT scout',
  OTHER: 'Other series',
};

export const roleTitle = (plan: LayoutView): string => plan.title ?? ROLE_TITLES[plan.role] ?? plan.role;

/** What the start layout shows first. */
export function firstFrames(sheet: Pick<Sheet, 'layouts'>, stacks: readonly Stack[]): readonly Frame[] {
  const views = sheet.layouts[0]?.views ?? [];
  return views.flatMap((plan) => {
    const stack = stacks.find((one) => one.role === plan.role);
    return stack?.frames[startIndex(plan.start, stack)] ?? [];
  });
}

/** Frames of the start layout from the start slices outwards, all views in turn; then the other stacks. */
export function loadOrder(
  layout: Layout,
  stacks: readonly Stack[],
  stackFor: (plan: LayoutView, position: number) => Stack | undefined,
): readonly Frame[] {
  const shown = layout.views.flatMap((plan, position) => {
    const stack = stackFor(plan, position);
    return stack ? [{ stack, start: startIndex(plan.start, stack) }] : [];
  });
  const rest = stacks
    .filter((stack) => shown.every((one) => one.stack !== stack))
    .map((stack) => ({ stack, start: startIndex('middle', stack) }));
  const frames = [shown, rest].flatMap((group) =>
    inTurn(group.map(({ stack, start }) => ordered(stack, start))),
  );
  return [...new Set(frames)];
}

export interface Offer {
  readonly layout: Layout;
  /** Why it cannot be shown in this case; empty when it can. */
  readonly obstacle: string;
}

/** The form's layouts for a case: the plain ones, then those with computed planes, with what stands against them. */
export function offers(sheet: Sheet, stacks: readonly Stack[]): readonly Offer[] {
  const find = (role: string) => {
    const stack = stacks.find((one) => one.role === role);
    return stack ? { stack, planes: stack.frames.map((frame) => planeOf(frame.metadata)) } : null;
  };
  const computed = sheet.reformat_layouts ?? [];
  return [
    ...sheet.layouts.map((layout) => ({ layout, obstacle: '' })),
    ...computed.map((layout) => ({ layout, obstacle: obstacle(layout, find) })),
  ];
}

const ordered = (stack: Stack, start: number): readonly Frame[] =>
  outwards(stack.frames.length, start).flatMap((index) => stack.frames[index] ?? []);

function inTurn(lists: readonly (readonly Frame[])[]): readonly Frame[] {
  const longest = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, i) => lists.flatMap((list) => list[i] ?? [])).flat();
}
