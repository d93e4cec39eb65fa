/** Slices of computed planes for the toolkit: made when they are looked at, gone with the case. */
import { cache, Enums, imageLoader, type Types, utilities } from '@cornerstonejs/core';
import { wadors } from '@cornerstonejs/dicom-image-loader';
import { COMPUTED, type Computed, cut, type Pixels } from './reformat.ts';
import { imageIdOf } from './toolkit.ts';

type Metadata = Parameters<typeof wadors.metaDataManager.add>[1];

const known = new Map<string, { readonly stack: Computed; readonly place: number }>();

/** Tell the toolkit how frames of a computed stack come about. */
export function announce(stack: Computed): void {
  imageLoader.registerImageLoader(COMPUTED, load as unknown as Types.ImageLoaderFn);
  stack.frames.forEach((frame, index) => {
    const id = imageIdOf(frame);
    known.set(id, { stack, place: stack.walk.places[index] as number });
    wadors.metaDataManager.add(id, { ...frame.metadata } as unknown as Metadata);
  });
}

export function forgetComputed(): void {
  for (const id of known.keys()) {
    if (cache.getImageLoadObject(id)) cache.removeImageLoadObject(id, { force: true });
    wadors.metaDataManager.remove(id);
  }
  known.clear();
}

function load(imageId: string): { promise: Promise<Types.IImage> } {
  return { promise: compute(imageId) };
}

/** One slice needs every slice of its series; where one does not come, this one does not either. */
async function compute(imageId: string): Promise<Types.IImage> {
  const found = known.get(imageId);
  if (!found) throw new Error('This computed slice belongs to no open case.');
  const { stack, place } = found;
  const urgent = { requestType: Enums.RequestType.Interaction, priority: 0 };
  const sources = await Promise.all(
    stack.source.frames.map((frame) => imageLoader.loadAndCacheImage(imageIdOf(frame), urgent)),
  );
  const slices = sources.map((image) => image.voxelManager?.getScalarData() as Pixels);
  const values = cut(slices, stack.grid, stack.walk, place);
  return imageOf(imageId, stack, values, sources[0] as Types.IImage);
}

function imageOf(imageId: string, stack: Computed, values: Pixels, like: Types.IImage): Types.IImage {
  const { grid, walk } = stack;
  const [columns, rows] = [grid.counts[walk.right.axis], grid.counts[walk.down.axis]];
  const spacing = (axis: 0 | 1 | 2) => Math.hypot(...grid.steps[axis]);
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  const voxelManager = utilities.VoxelManager.createImageVoxelManager({
    scalarData: values as Types.PixelDataTypedArray,
    width: columns,
    height: rows,
    numberOfComponents: 1,
  });
  const image = {
    imageId,
    dataType: values.constructor.name,
    color: false,
    rgba: false,
    numberOfComponents: 1,
    rows,
    columns,
    height: rows,
    width: columns,
    rowPixelSpacing: spacing(walk.down.axis),
    columnPixelSpacing: spacing(walk.right.axis),
    slope: 1,
    intercept: 0,
    invert: like.invert,
    minPixelValue: least,
    maxPixelValue: most,
    windowCenter: like.windowCenter,
    windowWidth: like.windowWidth,
    voiLUTFunction: like.voiLUTFunction,
    sizeInBytes: values.byteLength,
    voxelManager,
    getPixelData: () => voxelManager.getScalarData(),
    getCanvas: undefined,
  };
  return image as unknown as Types.IImage;
}
