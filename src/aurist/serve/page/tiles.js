// Tiles of a spectrogram: fetched when they are seen, kept for a while, coloured here.

import { address, getBytes } from "./api.js";

const COLUMNS = 256, ROWS = 256, MOST = 240, AT_ONCE = 4;
// seconds of a column at the finest level
const FINEST = 0.002;

export class Tiles {
  /** `changed` is called when a tile has come. */
  constructor(recording, changed) {
    this.recording = recording;
    this.changed = changed;
    this.tiles = new Map();
    this.waiting = [];
    this.running = 0;
    this.stopped = new AbortController();
  }

  close() {
    this.stopped.abort();
  }

  /** Draw the tiles of a span, [start, end) in seconds, into a canvas of this size; coarser ones while finer ones come. */
  draw(context, start, end, width, height, low, high, colours) {
    const wanted = (end - start) / width;
    const level = Math.max(0, Math.ceil(Math.log2(wanted / FINEST) - 0.25));
    this.waiting = [];
    for (const up of [6, 4, 2, 1, 0]) this.drawLevel(context, level + up, start, end, width, height, low, high, colours, up === 0);
    this.work();
  }

  drawLevel(context, level, start, end, width, height, low, high, colours, fetched) {
    const seconds = COLUMNS * FINEST * 2 ** level;
    for (let number = Math.floor(start / seconds); number * seconds < Math.min(end, this.recording.seconds); number++) {
      const key = `${level} ${number} ${low} ${high}`;
      const tile = this.tiles.get(key);
      if (tile?.bytes) {
        this.tiles.delete(key); // the last used are at the end
        this.tiles.set(key, tile);
        const x = ((number * seconds - start) / (end - start)) * width;
        context.drawImage(coloured(tile, colours), x, 0, (seconds / (end - start)) * width, height);
      } else if (fetched && !tile) this.waiting.push({ key, level, number, seconds, low, high });
    }
  }

  work() {
    while (this.running < AT_ONCE && this.waiting.length) {
      const { key, number, seconds, low, high } = this.waiting.shift();
      if (this.tiles.has(key)) continue;
      const tile = { bytes: null, colours: null, canvas: null };
      this.tiles.set(key, tile);
      this.running++;
      const path = address(`${this.recording.address}/spectrogram`, { start: number * seconds, seconds, columns: COLUMNS, rows: ROWS, low, high });
      getBytes(path, { signal: this.stopped.signal })
        .then((bytes) => { tile.bytes = bytes; this.changed(); }, () => this.tiles.delete(key))
        .finally(() => { this.running--; this.work(); });
    }
    for (const key of this.tiles.keys()) {
      if (this.tiles.size <= MOST) break;
      this.tiles.delete(key);
    }
  }

  /** Count the values of the tiles that have come, (256,). */
  counts() {
    const counts = new Uint32Array(256);
    for (const { bytes } of this.tiles.values()) if (bytes) for (let i = 0; i < bytes.length; i += 7) counts[bytes[i]]++;
    return counts;
  }
}

function coloured(tile, colours) {
  if (tile.colours === colours) return tile.canvas;
  tile.canvas ??= Object.assign(document.createElement("canvas"), { width: COLUMNS, height: ROWS });
  const context = tile.canvas.getContext("2d");
  const image = context.createImageData(COLUMNS, ROWS);
  const cells = new Uint32Array(image.data.buffer);
  for (let i = 0; i < cells.length; i++) cells[i] = colours[tile.bytes[i]];
  context.putImageData(image, 0, 0);
  tile.colours = colours;
  return tile.canvas;
}
