/** Drawing follows the window that shows the images: a browser gives no frames to one that is covered. */

type Frames = Pick<Window, 'requestAnimationFrame' | 'cancelAnimationFrame'>;

/** Take frames from another window. The returned function goes back, and carries over what was still waiting. */
export function drawWith(other: Frames, own: Frames = window): () => void {
  const { requestAnimationFrame, cancelAnimationFrame } = own;
  const waiting = new Map<number, FrameRequestCallback>();
  let last = 0;
  own.requestAnimationFrame = (callback) => {
    last += 1;
    const id = last;
    waiting.set(id, callback);
    other.requestAnimationFrame((time) => {
      if (waiting.delete(id)) callback(time);
    });
    return id;
  };
  own.cancelAnimationFrame = (id) => {
    waiting.delete(id);
  };
  return () => {
    own.requestAnimationFrame = requestAnimationFrame;
    own.cancelAnimationFrame = cancelAnimationFrame;
    // A frame asked for in a window that is gone would never come, and nothing would be drawn after it.
    for (const callback of waiting.values()) requestAnimationFrame.call(own, callback);
    waiting.clear();
  };
}
