/** A slice on a canvas, and the part of it that is seen. Nothing is turned or mirrored: rows run right, columns down. */
import { add, dot, type Plane, pixelToPatient, planeOf, scale, subtract } from '../geometry.ts';
import type { DicomJson, Field, Vec3 } from '../wire.ts';
import type { Spot } from './overlay.ts';
import { type Canvas, type Map2, paint, type Slice, type Window } from './paint.ts';

/** How far a reader can zoom out and in, against the fitted picture. */
const LEAST_ZOOM = 0.1;
const MOST_ZOOM = 60;

export class Viewport {
  readonly element: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  slice: Slice | null = null;
  window: Window = { width: 1, level: 0 };
  inverted = false;
  /** Size in CSS pixels. */
  width = 0;
  height = 0;
  readonly #pen: CanvasRenderingContext2D | null;
  #drawn: { readonly data: ImageData; readonly canvas: Canvas } | null = null;
  #ratio = 1;
  /** Of the slice that is or was shown; it stays when a slice fails, and with it the part that is seen. */
  #shown: Plane | null = null;
  /** The middle of the view, mm from the middle of the slice to the right and down. */
  #right = 0;
  #down = 0;
  /** CSS pixels a millimetre. */
  #zoom = 1;

  constructor(element: HTMLElement) {
    this.element = element;
    this.canvas = document.createElement('canvas');
    this.canvas.className = 'picture';
    element.append(this.canvas);
    this.#pen = this.canvas.getContext('2d', { alpha: false });
  }

  /** Draw a slice; one of another size or scale than the last is fitted, else the part that is seen stays. */
  show(slice: Slice, metadata: DicomJson): void {
    const plane = planeOf(metadata) ?? flat(metadata);
    const alike = this.#shown !== null && sameRaster(plane, this.#shown);
    this.#shown = plane;
    this.slice = slice;
    if (!alike) this.fit();
  }

  clear(): void {
    this.slice = null;
  }

  /**
   * Take the element's size; true when it is another. What is seen keeps its height in millimetres. A pixel of the
   * canvas is one of the screen, whatever the page's scale.
   */
  resize(): boolean {
    const { clientWidth, clientHeight } = this.element;
    const ratio = this.element.ownerDocument.defaultView?.devicePixelRatio || 1;
    const same = clientWidth === this.width && clientHeight === this.height && ratio === this.#ratio;
    if (same || clientWidth === 0 || clientHeight === 0) return false;
    if (this.height > 0) this.#zoom *= clientHeight / this.height;
    [this.width, this.height, this.#ratio] = [clientWidth, clientHeight, ratio];
    const { canvas } = this;
    [canvas.width, canvas.height] = [Math.round(clientWidth * ratio), Math.round(clientHeight * ratio)];
    canvas.style.width = `${canvas.width / ratio}px`;
    canvas.style.height = `${canvas.height / ratio}px`;
    this.#drawn = null;
    return true;
  }

  render(): void {
    if (this.width === 0) this.resize();
    if (!this.slice || !this.#pen || this.canvas.width === 0 || this.canvas.height === 0) return;
    this.#drawn ??= sheetOf(this.#pen.createImageData(this.canvas.width, this.canvas.height));
    const { data, canvas } = this.#drawn;
    const { x, y, column, row } = this.map;
    const ratio = this.#ratio;
    const map = { x: x * ratio, y: y * ratio, column: column * ratio, row: row * ratio };
    paint(canvas, this.slice, map, this.window, this.inverted);
    this.#pen.putImageData(data, 0, 0);
  }

  get #plane(): Plane {
    return this.#shown ?? flat({});
  }

  // What is seen ------------------------------------------------------------------------------------------------

  get #fitted(): number {
    const { columns, rows, columnSpacing, rowSpacing } = this.#plane;
    return Math.min(this.width / (columns * columnSpacing), this.height / (rows * rowSpacing));
  }

  fit(): void {
    if (this.width === 0) this.resize();
    [this.#right, this.#down, this.#zoom] = [0, 0, Math.max(1e-6, this.#fitted)];
  }

  /** Neither zoomed nor moved. */
  get fitted(): boolean {
    const off = Math.hypot(this.#right, this.#down) * this.#zoom;
    return Math.abs(this.#zoom / this.#fitted - 1) < 1e-3 && off < 1;
  }

  pan(right: number, down: number): void {
    this.#right -= right / this.#zoom;
    this.#down -= down / this.#zoom;
  }

  /** Enlarge; what lies under the spot stays there. */
  zoomAt([x, y]: Spot, times: number): void {
    const least = this.#fitted * LEAST_ZOOM;
    const zoom = Math.min(this.#fitted * MOST_ZOOM, Math.max(least, this.#zoom * times));
    const gain = 1 / this.#zoom - 1 / zoom;
    this.#right += (x - this.width / 2) * gain;
    this.#down += (y - this.height / 2) * gain;
    this.#zoom = zoom;
  }

  /** Where the centre of the first pixel is in the view, and the step of one column and one row; CSS pixels. */
  get map(): Map2 {
    const { columns, rows, columnSpacing, rowSpacing } = this.#plane;
    const [column, row] = [columnSpacing * this.#zoom, rowSpacing * this.#zoom];
    return {
      x: this.width / 2 - this.#right * this.#zoom - ((columns - 1) / 2) * column,
      y: this.height / 2 - this.#down * this.#zoom - ((rows - 1) / 2) * row,
      column,
      row,
    };
  }

  toScreen(point: Vec3): Spot {
    const { origin, row, column, columnSpacing, rowSpacing } = this.#plane;
    const away = subtract(point, origin);
    const map = this.map;
    return [
      map.x + (dot(away, row) / columnSpacing) * map.column,
      map.y + (dot(away, column) / rowSpacing) * map.row,
    ];
  }

  toWorld([x, y]: Spot): Vec3 {
    const map = this.map;
    return pixelToPatient(this.#plane, (x - map.x) / map.column, (y - map.y) / map.row);
  }

  get middle(): Spot {
    return [this.width / 2, this.height / 2];
  }

  /** The part of the slice that is seen, whatever its size on the screen. */
  get field(): Field {
    const [x, y, z] = this.toWorld(this.middle);
    return { centre_lps_mm: [x, y, z], height_mm: this.height / this.#zoom };
  }

  showField(field: Field): void {
    const { columns, rows, row, column } = this.#plane;
    const middle = pixelToPatient(this.#plane, (columns - 1) / 2, (rows - 1) / 2);
    const [x, y, z] = field.centre_lps_mm;
    const away = subtract([x, y, z], middle);
    [this.#right, this.#down] = [dot(away, row), dot(away, column)];
    this.#zoom = this.height / field.height_mm;
  }

  /** What a step on the screen is in the patient. */
  step(right: number, down: number): Vec3 {
    const { row, column } = this.#plane;
    return add(scale(row, right / this.#zoom), scale(column, down / this.#zoom));
  }
}

const sheetOf = (data: ImageData) => ({
  data,
  canvas: { pixels: new Uint32Array(data.data.buffer), width: data.width, height: data.height },
});

const sameRaster = (a: Plane, b: Plane): boolean =>
  a.columns === b.columns &&
  a.rows === b.rows &&
  a.columnSpacing === b.columnSpacing &&
  a.rowSpacing === b.rowSpacing;

/** A slice whose place is not told is shown all the same, in its own proportions where those are. */
function flat(json: DicomJson): Plane {
  const value = (tag: string, place: number) => Number(json[tag]?.Value?.[place] ?? Number.NaN);
  const positive = (number: number) => (number > 0 ? number : 1);
  return {
    origin: [0, 0, 0],
    row: [1, 0, 0],
    column: [0, 1, 0],
    normal: [0, 0, 1],
    rowSpacing: positive(value('00280030', 0)),
    columnSpacing: positive(value('00280030', 1)),
    rows: positive(value('00280010', 0)),
    columns: positive(value('00280011', 0)),
    frameOfReference: null,
  };
}
