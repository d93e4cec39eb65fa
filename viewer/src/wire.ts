/** The JSON contract with the server, kept by hand beside the room's interface. */

export interface Level {
  readonly code: number;
  readonly label: string;
  readonly criteria?: string;
  readonly key: string;
}

export interface LevelScale {
  readonly kind: 'nominal' | 'ordinal';
  readonly name: string;
  readonly levels: readonly Level[];
}

export interface ContinuousScale {
  readonly kind: 'continuous';
  readonly name: string;
  readonly unit: string;
  readonly low: number;
  readonly high: number;
  readonly decimals: number;
  readonly tool?: string | null;
}

export type Scale = LevelScale | ContinuousScale;

export interface Cell {
  readonly key: string;
  readonly site: string;
  readonly label: string;
  /** Absent means: as the item. */
  readonly required?: boolean;
  /** False where the answer does not enter the case value: neighbouring segments. */
  readonly counts?: boolean;
  /** Set where the site is a side of the body. */
  readonly side?: string;
  /** The label without the side: cells of one row stand beside each other. */
  readonly row?: string;
}

export interface Item {
  readonly code: string;
  readonly asked: string;
  readonly short: string;
  readonly criteria?: string;
  readonly read_on?: string;
  readonly source?: string;
  readonly required: boolean;
  readonly support: boolean;
  readonly combine: 'only' | 'max';
  readonly scale: Scale;
  readonly cells: readonly Cell[];
}

export interface Reason {
  readonly code: string;
  readonly label: string;
  readonly note: boolean;
}

export interface LayoutView {
  readonly role: string;
  readonly title?: string;
  readonly start: string;
  readonly preset: string;
  /** A plane computed from the slices of the series; empty or absent: as stored. */
  readonly reformat?: 'sagittal' | 'coronal' | 'axial' | '';
}

export interface Layout {
  readonly code: string;
  readonly title: string;
  readonly rows: number;
  readonly columns: number;
  readonly views: readonly LayoutView[];
  /** Computed planes need slices at most this far apart. */
  readonly max_slice_mm?: number | null;
}

/** A place the images go to in one step: millimetres to the patient's left of the midline, or the index disc. */
export interface Jump {
  readonly code: string;
  readonly title: string;
  readonly kind: 'lateral' | 'index_disc';
  readonly left_mm: number;
}

export interface Preset {
  readonly key: string;
  readonly title: string;
  readonly kind: 'stored' | 'window' | 'automatic';
  readonly width?: number;
  readonly level?: number;
}

export interface Sheet {
  readonly protocol: string;
  readonly version: number;
  readonly form: string;
  readonly title: string;
  readonly modality: string;
  readonly reasons: readonly Reason[];
  readonly items: readonly Item[];
  readonly layouts: readonly Layout[];
  /** Layouts with computed planes; offered where the case's series allow it. */
  readonly reformat_layouts?: readonly Layout[];
  readonly jumps?: readonly Jump[];
  readonly linked: readonly (readonly string[])[];
  readonly presets: readonly Preset[];
}

/** What a mouse button does while no tool is chosen. */
export type Work = 'window' | 'zoom' | 'pan' | 'scroll';

export interface Habit {
  readonly code: string;
  readonly title: string;
  readonly says: string;
  readonly left: Work;
  readonly middle: Work;
  readonly right: Work;
}

export interface Question {
  readonly code: string;
  readonly asked: string;
  readonly choices: readonly (readonly [code: string, label: string])[];
}

export interface Comfort {
  readonly habit: string;
  readonly habits: readonly Habit[];
  readonly questions: readonly Question[];
  readonly said: Readonly<Record<string, string>>;
}

/** What a reader says of the test pattern, the room and the screen. */
export interface Looked {
  readonly seen: boolean;
  readonly said: Readonly<Record<string, string>>;
  readonly screen: string;
}

export interface RoomFacts {
  readonly study: string;
  readonly study_title: string;
  readonly form: string;
  readonly user: string;
  readonly csrf: string;
  readonly next_url: string;
  readonly upcoming_url: string;
  readonly home_url: string;
  readonly signin_url: string;
  readonly display_url: string;
  readonly preferences_url: string;
  readonly comfort: Comfort;
  /** Addresses of schematic drawings by item code. */
  readonly drawings: Readonly<Record<string, string>>;
  /** Pictures of the phantom by item code, then by the level's; a measurement has them under `figure`. */
  readonly atlas: Readonly<Record<string, Readonly<Record<string, readonly Plate[]>>>>;
}

/** One picture of a grade, with the series it is of. */
export interface Plate {
  readonly src: string;
  readonly title: string;
  readonly width: number;
  readonly height: number;
}

export interface NotAssessable {
  readonly not_assessable: string;
  readonly note?: string;
}

export type Answer = number | NotAssessable;
/** Cells by `<item>.<site>`; the key `comment` is the one string in the document. */
export type Answers = Readonly<Record<string, Answer | string>>;

export type Vec3 = readonly [number, number, number];

export interface Points {
  readonly uid: string;
  readonly points_lps_mm: readonly Vec3[];
}

/** The part of a slice that was zoomed to. */
export interface Field {
  readonly centre_lps_mm: Vec3;
  readonly height_mm: number;
}

/** Where a grade was seen: image, window and part; with the points where the value was measured. */
export interface CellEvidence {
  readonly uid: string;
  readonly window?: { readonly width: number; readonly level: number };
  readonly field?: Field;
  readonly points_lps_mm?: readonly Vec3[];
}

export type MarkKind = 'length' | 'angle' | 'ellipse' | 'point' | 'arrow';

/** A drawing on one image. An ellipse has two opposite corners of the box around it; an arrow starts at its tip. */
export interface ImageMark {
  readonly kind: MarkKind;
  readonly uid: string;
  readonly points_lps_mm: readonly Vec3[];
  /** One letter; on arrows only. */
  readonly label?: string;
}

/** Cells by `<item>.<site>`; the key `marks` is the one list in the document. */
export type Evidence = Readonly<Record<string, CellEvidence | readonly ImageMark[]>>;

export interface Measured {
  readonly value_mm: number;
  /** Hidden, as the percentage is, until the grade by eye is given. */
  readonly endplate_mm?: number | null;
  readonly slip_pct?: number | null;
}

export interface Remark {
  readonly code: string;
  readonly text: string;
  readonly cells: readonly string[];
  readonly severity: 'warn' | 'info';
}

export interface Fault {
  readonly cell: string;
  readonly message: string;
}

/** One element of the DICOM JSON model: `{vr, Value}`. */
export interface DicomElement {
  readonly vr: string;
  readonly Value?: readonly unknown[];
}
export type DicomJson = Readonly<Record<string, DicomElement>>;

/** What is done with stored pixels, in this order: rows become columns, columns are reversed, rows are. */
export interface Turn {
  readonly transpose: boolean;
  readonly reverse_columns: boolean;
  readonly reverse_rows: boolean;
}

export interface Frame {
  readonly image: string;
  readonly uid: string;
  /** Of the turned pixels, where they are turned. */
  readonly metadata: DicomJson;
  readonly turn?: Turn;
}

export interface Stack {
  readonly id: string;
  readonly role: string;
  readonly title: string;
  readonly plane?: string | null;
  readonly automatic_window?: { readonly width: number; readonly level: number } | null;
  readonly frames: readonly Frame[];
  /** The slice at the index disc, where the server knows it. */
  readonly index_slice?: number | null;
  /** Vertebrae as the coordinator has named them; on sagittal stacks only. */
  readonly labels?: readonly Label[];
}

export interface Label {
  readonly text: string;
  readonly point_lps_mm: Vec3;
}

export interface Reading {
  readonly id: string;
  readonly label: string;
  readonly position: number;
  readonly of: number;
  readonly form: string;
  readonly index_level?: string | null;
  readonly index_segment?: string | null;
  readonly synthetic: boolean;
  readonly revision: number;
  readonly saved_at: string | null;
  readonly answers: Answers;
  readonly evidence: Evidence;
  readonly measured: Readonly<Record<string, Measured>>;
  readonly remarks: readonly Remark[];
  readonly kept: readonly string[];
  readonly stacks: readonly Stack[];
  /** The stacks are those that were fetched ahead, and not sent again. */
  readonly as_ahead?: boolean;
  /** Cells whose images tell no sides or no scale: why no level and no number can be given there. */
  readonly barred?: Readonly<Record<string, string>>;
  readonly save_url: string;
  readonly lock_url: string;
  readonly set_aside_url: string;
  readonly times_url: string;
  /** Present where this case is asked other cells than the page's sheet. */
  readonly sheet?: Sheet;
}

export interface Next {
  readonly reading: Reading | null;
  readonly done: number;
  readonly of: number;
  /** The test pattern is to be looked at first. */
  readonly display_due?: boolean;
}

/** Images of the case that will probably be next, and the mark by which the server knows them again. */
export interface Ahead {
  readonly stacks: readonly Stack[];
  readonly mark?: string;
}

export interface Closed {
  readonly locked: boolean;
  /** What follows, where it was asked for; null or absent where it is to be asked for by itself. */
  readonly next?: Next | null;
}

export interface Locked extends Closed {
  /** Practice only: the page that shows what is planted. */
  readonly solution_url?: string;
}

export interface Saved {
  readonly revision: number;
  readonly saved_at: string;
  readonly remarks: readonly Remark[];
  readonly measured: Readonly<Record<string, Measured>>;
  readonly kept: readonly string[];
}

export interface Stale {
  readonly revision: number;
  readonly answers: Answers;
  readonly evidence: Evidence;
  readonly kept?: readonly string[];
  readonly saved_at: string | null;
}

export type MomentKind =
  | 'opened'
  | 'first_image'
  | 'first_input'
  | 'answer'
  | 'idle'
  | 'back'
  | 'hidden'
  | 'visible'
  | 'submit'
  | 'left';

/** What happened on one page while a reading was open on it. */
export interface Times {
  readonly visit: string;
  readonly moments: readonly {
    readonly number: number;
    readonly kind: MomentKind;
    readonly cell: string;
    readonly ago_ms: number;
  }[];
}

/** What one save sends, besides the base revision. */
export interface Content {
  readonly answers: Answers;
  readonly evidence: Evidence;
  readonly kept: readonly string[];
}

// --- the coordinator's upload ---

/** An upload that is being received. */
export interface Upload {
  readonly id: string;
  readonly state: string;
  readonly files: number;
  readonly here: number;
  readonly bytes: number;
  readonly received: number;
}

/** What the server says of one file's bytes in a request. */
export interface Received {
  readonly number: number;
  readonly received: number;
  readonly code: string;
  readonly detail: string;
}

export interface UploadFacts {
  readonly url: string;
  readonly piece: number;
  readonly page: number;
  readonly parts: number;
  readonly open: Upload | null;
}
