// Parts of pictures in time.

import { clock } from "./strings.js";

/** Write the times under a span, in seconds. */
export function drawTimes(context, width, start, end, ink) {
  const span = end - start;
  const steps = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
  const step = steps.find((one) => one >= span / (width / 80)) ?? 7200;
  context.fillStyle = ink;
  context.font = "12px system-ui, sans-serif";
  context.textAlign = "center";
  for (let number = Math.ceil(start / step); number * step <= end; number++) {
    const at = ((number * step - start) / span) * width;
    context.fillRect(at, 0, 1, 4);
    const words = clock(number * step, step < 0.1 ? 2 : step < 1 ? 1 : 0);
    const half = context.measureText(words).width / 2;
    context.fillText(words, Math.min(width - half, Math.max(half, at)), 17);
  }
}

/** Give the factor by which a waveform is drawn, so that that of a quiet recording is seen. */
export const gainOf = (bytes) => Math.min(20, 115 / Math.max(1, bytes.reduce((most, byte) => Math.max(most, Math.abs(byte - 127.5)), 0)));

/** Draw pairs of lowest and highest samples between two places. */
export function drawWave(context, bytes, left, right, height, colour, gain) {
  const y = (byte) => (0.5 - (gain * (byte - 127.5)) / 255) * height;
  const columns = bytes.length / 2, step = (right - left) / columns;
  context.fillStyle = colour;
  for (let i = 0; i < columns; i++) {
    const x = left + i * step;
    if (x < -step || x > context.canvas.width) continue;
    const bottom = y(bytes[2 * i]), top = y(bytes[2 * i + 1]);
    context.fillRect(x, top, Math.max(step, 0.6), Math.max(1, bottom - top));
  }
}

/** Write frequencies, in kHz, at the left of a spectrogram. */
export function drawFrequencies(context, height, low, high) {
  context.font = "11px system-ui, sans-serif";
  context.lineWidth = 3;
  context.strokeStyle = "#000a";
  const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50].find((one) => one >= (high - low) / 5000) ?? 100;
  for (let khz = Math.ceil(low / 1000 / step) * step; khz * 1000 < high; khz += step) {
    const y = (1 - (khz * 1000 - low) / (high - low)) * height;
    if (y < 24 || y > height - 4) continue;
    context.fillStyle = "#fff6";
    context.fillRect(0, y, 6, 1);
    const words = `${+khz.toFixed(1)} kHz`;
    context.strokeText(words, 9, y + 4);
    context.fillStyle = "#fffd";
    context.fillText(words, 9, y + 4);
  }
}
