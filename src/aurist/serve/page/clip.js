// The sound and the picture of one detection.

import { address, getResponse } from "./api.js";
import { colourTable, levels } from "./colours.js";
import { drawFrequencies } from "./drawing.js";

const byId = (id) => document.getElementById(id);
const COLUMNS = 512, ROWS = 192, KEPT = 12;

export class ClipView {
  /** The elements: a canvas, a line over it, and a sound. */
  constructor(canvas, head, sound) {
    this.canvas = byId(canvas);
    this.head = byId(head);
    this.sound = byId(sound);
    this.clips = new Map(); // by key, promises of what is fetched
    this.clip = null;
    new ResizeObserver(() => this.draw()).observe(this.canvas.parentElement);
    this.sound.addEventListener("play", () => this.tick());
    this.canvas.onclick = (event) => {
      if (!this.clip) return;
      this.sound.currentTime = (event.offsetX / this.canvas.clientWidth) * this.clip.seconds;
      this.play();
    };
  }

  /** Fetch sound and picture of a detection, if they are not there. */
  fetch({ address: path, key, start, end }) {
    if (!this.clips.has(key)) {
      const clip = this.fetchNow(path, key).then((fetched) => ({ ...fetched, mark: [start, end] }));
      clip.catch(() => this.clips.delete(key));
      this.clips.set(key, clip);
      for (const old of [...this.clips.keys()].slice(0, -KEPT)) {
        this.clips.get(old).then(({ url }) => URL.revokeObjectURL(url), () => null);
        this.clips.delete(old);
      }
    }
    return this.clips.get(key);
  }

  async fetchNow(path, key) {
    const [picture, sound] = await Promise.all([
      getResponse(address(`${path}/spectrogram`, { key, columns: COLUMNS, rows: ROWS })),
      getResponse(address(`${path}/sound.wav`, { key })),
    ]);
    const number = (name) => Number(picture.headers.get(name));
    return {
      start: number("X-Start"), seconds: number("X-Seconds"), high: number("X-High"),
      bytes: new Uint8Array(await picture.arrayBuffer()), url: URL.createObjectURL(await sound.blob()),
    };
  }

  async show(detection, play) {
    this.wanted = detection.key;
    const clip = await this.fetch(detection);
    if (this.wanted !== detection.key) return;
    this.clip = clip;
    this.sound.src = clip.url;
    this.draw();
    if (play) this.play();
    else this.place(0);
  }

  play() {
    this.sound.play().catch(() => null); // the browser wants a click first, or the next clip came
  }

  pause() {
    this.sound.pause();
  }

  /** Stop the sound, and forget which clip is wanted. */
  stop() {
    this.wanted = null;
    this.sound.pause();
  }

  toggle() {
    if (!this.sound.paused) return this.pause();
    if (this.sound.ended) this.sound.currentTime = 0;
    this.play();
  }

  tick() {
    this.place(this.sound.currentTime);
    if (!this.sound.paused) requestAnimationFrame(() => this.tick());
  }

  place(seconds) {
    if (this.clip) this.head.style.transform = `translateX(${(seconds / this.clip.seconds) * this.canvas.clientWidth}px)`;
  }

  draw() {
    if (!this.clip) return;
    const { start, seconds, high, bytes, mark } = this.clip;
    const canvas = this.canvas, scale = window.devicePixelRatio || 1, width = canvas.clientWidth, height = 220;
    if (!width) return;
    canvas.width = width * scale;
    canvas.height = height * scale;
    canvas.style.height = `${height}px`;
    const context = canvas.getContext("2d");
    context.scale(scale, scale);
    context.drawImage(coloured(bytes), 0, 0, width, height);
    if (mark[0] === undefined) return drawFrequencies(context, height, 0, high); // all of it
    const [left, right] = mark.map((time) => ((time - start) / seconds) * width);
    context.fillStyle = "#0006";
    context.fillRect(0, 0, left, height);
    context.fillRect(right, 0, width - right, height);
    context.strokeStyle = "#fff";
    context.lineWidth = 1.5;
    context.strokeRect(left, 0.75, right - left, height - 1.5);
    drawFrequencies(context, height, 0, high);
  }
}

function coloured(bytes) {
  const canvas = Object.assign(document.createElement("canvas"), { width: COLUMNS, height: ROWS });
  const context = canvas.getContext("2d"), image = context.createImageData(COLUMNS, ROWS);
  const cells = new Uint32Array(image.data.buffer), counts = new Uint32Array(256);
  for (const value of bytes) counts[value]++;
  const { floor, ceiling } = levels(counts), table = colourTable(floor, ceiling);
  for (let i = 0; i < cells.length; i++) cells[i] = table[bytes[i]];
  context.putImageData(image, 0, 0);
  return canvas;
}
