// Put into every page of a measured program, the same for all: when a picture first stands on a canvas with nothing
// over it, and how long the turn of a wheel takes to change it.
(() => {
  performance.setResourceTimingBufferSize(20000);
  const LEAST = 150; // smaller canvases are icons
  const CONTRAST = 24;
  const small = document.createElement('canvas');
  small.width = small.height = 24;
  const pen = small.getContext('2d', { willReadFrequently: true });

  const look = (canvas) => {
    pen.clearRect(0, 0, 24, 24);
    pen.drawImage(canvas, 0, 0, 24, 24);
    const data = pen.getImageData(0, 0, 24, 24).data;
    let [least, most, sum] = [255, 0, 0];
    for (let i = 0; i < data.length; i += 4) {
      least = Math.min(least, data[i]);
      most = Math.max(most, data[i]);
      sum = (sum * 31 + data[i]) | 0;
    }
    return { painted: most - least > CONTRAST, sum };
  };

  /** Nothing opaque between the eye and the middle of the canvas. */
  const open = (canvas) => {
    const box = canvas.getBoundingClientRect();
    for (const over of document.elementsFromPoint(box.x + box.width / 2, box.y + box.height / 2)) {
      if (over === canvas) return true;
      if (over.contains(canvas)) continue;
      const style = getComputedStyle(over);
      const clear = style.backgroundColor === 'rgba(0, 0, 0, 0)' || Number(style.opacity) < 0.05;
      if (!clear && style.visibility === 'visible') return false;
    }
    return true;
  };

  const canvases = () =>
    [...document.querySelectorAll('canvas')].filter(
      (c) => c.clientWidth >= LEAST && c.clientHeight >= LEAST && !c.closest('dialog'),
    );

  let began = 0;
  let old = new Map();
  let seen = new Map();

  const search = () => {
    for (const canvas of canvases()) {
      if (seen.has(canvas)) continue;
      const { painted, sum } = look(canvas);
      if (painted && sum !== old.get(canvas) && open(canvas)) seen.set(canvas, performance.now() - began);
    }
  };

  const turns = [];
  let turned = 0;
  let before = new Map();
  const changed = () => {
    if (!turned) return;
    for (const [canvas, sum] of before) {
      if (!canvas.isConnected || look(canvas).sum === sum) continue;
      turns.push(performance.now() - turned);
      turned = 0;
      return;
    }
  };

  const tick = () => {
    search();
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
  document.addEventListener(
    'wheel',
    () => {
      turned = performance.now();
    },
    { capture: true, passive: true },
  );
  // However a program makes its pictures, a canvas on the screen gets them by one of these two. The change is looked
  // for after the call; what looks uses neither of them on a canvas that counts.
  const counts = ({ isConnected, clientWidth }) => isConnected && clientWidth >= LEAST;
  for (const name of ['drawImage', 'putImageData']) {
    const draw = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (...given) {
      draw.apply(this, given);
      if (turned && this.canvas !== small && counts(this.canvas)) changed();
    };
  }

  window.bench = {
    /** What is on the screen now is old; the time begins. */
    restart() {
      old = new Map(canvases().map((canvas) => [canvas, look(canvas).sum]));
      seen = new Map();
      began = performance.now();
    },
    times: () => [...seen].filter(([canvas]) => canvas.isConnected).map(([, at]) => at).sort((a, b) => a - b),
    /** The next turn of the wheel is measured. */
    arm() {
      before = new Map(canvases().map((canvas) => [canvas, look(canvas).sum]));
    },
    forget: () => turns.splice(0),
    turns,
  };
})();
