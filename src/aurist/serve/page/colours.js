// Colours of spectrograms and classes.

// points of the map "magma" of matplotlib, from black to cream
const MAGMA = ["000004", "140e36", "3b0f70", "641a80", "8c2981", "b73779", "de4968", "f7705c", "fe9f6d", "fecf92", "fcfdbf"];

const channels = (hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** Make a table of 256 colours (RGBA as whole numbers): values up to `floor` are black, from `ceiling` on cream. */
export function colourTable(floor, ceiling) {
  const points = MAGMA.map(channels);
  const table = new Uint32Array(256);
  for (let value = 0; value < 256; value++) {
    const share = Math.min(1, Math.max(0, (value - floor) / Math.max(1, ceiling - floor))) * (points.length - 1);
    const at = Math.min(points.length - 2, Math.floor(share)), rest = share - at;
    const [r, g, b] = points[at].map((channel, i) => Math.round(channel + rest * (points[at + 1][i] - channel)));
    table[value] = (255 << 24) | (b << 16) | (g << 8) | r;
  }
  return table;
}

// a byte of a spectrogram is so many dB
const STEP = 120 / 255;
const NARROWEST = 35 / STEP;

/** Choose the darkest and the lightest value by the counts of all values: the background is dark, whatever the gain was. */
export function levels(counts) {
  let all = 0;
  for (let value = 1; value < 256; value++) all += counts[value]; // 0 is silence, or behind the end
  const quantile = (share) => {
    let below = 0, value = 1;
    while (value < 255 && (below += counts[value]) < share * all) value++;
    return value;
  };
  const floor = quantile(0.3) - 6 / STEP;
  return { floor, ceiling: Math.max(quantile(0.998), floor + NARROWEST) };
}

/** Give a colour of its own to each class, bright enough on a dark picture. */
export const classColour = (number, light = 70) => `oklch(${light}% 0.15 ${(35 + 137.5 * number) % 360})`;
