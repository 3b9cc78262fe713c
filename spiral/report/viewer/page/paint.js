// From fields to pixels: class colours, activation shades, lines. Colours follow the theme.

const CLASSES = [[0, 114, 178], [213, 94, 0]]; // told apart by colour-blind readers

const THEMES = {
  light: {
    paper: [255, 255, 255], ink: [28, 31, 36], shade: [92, 62, 150],
    strength: 0.5, points: CLASSES,
  },
  dark: {
    paper: [22, 26, 31], ink: [240, 237, 230], shade: [178, 156, 240],
    strength: 0.55, points: [[110, 190, 240], [255, 165, 85]],
  },
};

export function isDark() {
  return document.documentElement.dataset.theme === "dark";
}

export function theme() {
  return THEMES[isDark() ? "dark" : "light"];
}

const ramps = new Map();

/** 256 mixes from paper to a colour, as RGBA words of an ImageData. */
function ramp(colour, strength) {
  const { paper } = theme(), key = [...paper, ...colour, strength].join();
  if (!ramps.has(key)) {
    ramps.set(key, Uint32Array.from({ length: 256 }, (_, i) => {
      const part = (strength * i) / 255;
      const [r, g, b] = paper.map((p, c) => Math.round(p + (colour[c] - p) * part));
      return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
    }));
  }
  return ramps.get(key);
}

/** Shades of certainty: from one class to the other through paper. */
export function paintLogits(z, size) {
  const image = new ImageData(size, size), pixels = new Uint32Array(image.data.buffer);
  const { strength } = theme();
  const [low, up] = CLASSES.map((colour) => ramp(colour, strength));
  for (let i = 0; i < z.length; i++) {
    const shade = Math.tanh(z[i] / 2);
    pixels[i] = shade < 0 ? low[(-255 * shade) | 0] : up[(255 * shade) | 0];
  }
  return image;
}

/** A hidden unit's activation: paper where it is silent, darker the more it fires. */
export function paintUnit(z, size) {
  const image = new ImageData(size, size), pixels = new Uint32Array(image.data.buffer);
  const shades = ramp(theme().shade, 0.85);
  let top = 0;
  for (const value of z) if (value > top) top = value;
  for (let i = 0; i < z.length; i++) {
    pixels[i] = shades[z[i] > 0 ? 40 + ((215 * z[i]) / top) | 0 : 0];
  }
  return image;
}

/** An input: its own value, from the colour of one sign to that of the other. */
export function paintInput(z, size) {
  return paintLogits(z.map((value) => value * 1.2), size);
}

/** The line where a field is zero, in ink, anti-aliased, over what is painted. */
export function drawZero(image, z, size, thickness) {
  const { ink } = theme(), { data } = image;
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const i = row * size + column;
      const across = column ? z[i] - z[i - 1] : z[i + 1] - z[i];
      const down = row ? z[i] - z[i - size] : z[i + size] - z[i];
      const slope = Math.sqrt(across * across + down * down);
      const alpha = Math.min(1, thickness + 0.5 - Math.abs(z[i]) / slope);
      if (alpha > 0) for (let c = 0; c < 3; c++) data[4 * i + c] += (ink[c] - data[4 * i + c]) * alpha;
    }
  }
}

/** Zero lines of hidden units: deeper layers in stronger ink. */
export function drawLines(image, planes) {
  const { ink } = theme(), { data } = image;
  planes.forEach((plane, layer) => {
    const strength = [0.3, 0.5, 0.75][layer] / 255;
    for (let i = 0; i < plane.length; i++) {
      if (!plane[i]) continue;
      const alpha = plane[i] * strength;
      for (let c = 0; c < 3; c++) data[4 * i + c] += (ink[c] - data[4 * i + c]) * alpha;
    }
  });
}

/** A canvas that holds an image, to be drawn scaled; `used` is one to use again. */
export function canvasOf(image, used) {
  const fits = used?.width === image.width && used.height === image.height;
  const canvas = fits ? used : new OffscreenCanvas(image.width, image.height);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}
