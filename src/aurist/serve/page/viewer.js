// One recording in time: waveform, spectrogram, probabilities and events, with a playhead in step with the sound.

import { address, getBytes, getJson } from "./api.js";
import { classColour, colourTable, levels } from "./colours.js";
import { drawFrequencies, drawTimes, drawWave, gainOf } from "./drawing.js";
import { Tiles } from "./tiles.js";

const byId = (id) => document.getElementById(id);
const STRIP = 20, LANE = 17, MOST_LANES = 6, SHORTEST = 0.25, STEPS = 900;

export class Viewer {
  /** `seek` is called with seconds when a person chooses a time. */
  constructor(seek) {
    this.seek = seek;
    this.canvases = Object.fromEntries(["overview", "wave", "picture", "ribbons", "classes", "axis"].map((id) => [id, byId(id)]));
    this.recording = this.chosen = null;
    this.events = [];
    this.lanes = 0;
    new ResizeObserver(() => this.draw()).observe(byId("time"));
    for (const event of ["theme", "language"]) document.addEventListener(event, () => this.draw());
    this.listenToPointer();
  }

  /** Show a recording: `address`, `seconds`, `sample_rate`, and the order of the classes. */
  async load(recording, classes) {
    this.tiles?.close();
    this.recording = recording;
    this.classes = classes;
    this.start = 0;
    this.end = Math.max(recording.seconds, SHORTEST);
    this.low = 0;
    this.high = recording.sample_rate / 2;
    this.levels = null;
    this.setEvents([]);
    this.whole = this.wave = this.probabilities = null;
    this.tiles = new Tiles(recording, () => this.tileCame());
    this.setColours();
    this.draw();
    this.whole = await getBytes(address(`${recording.address}/waveform`, { start: 0, seconds: this.end, columns: 1200 }));
    this.gain = gainOf(this.whole);
    this.fetchSpan();
    this.draw();
  }

  setEvents(events) {
    this.events = events;
    this.chosen = null;
    const ends = []; // of the last event of each lane
    for (const event of events) {
      const free = ends.findIndex((end) => end <= event.start);
      event.lane = free < 0 ? ends.length : free;
      ends[event.lane] = event.end;
    }
    this.lanes = Math.min(ends.length, MOST_LANES);
    this.draw();
  }

  /** Draw a box around one event. */
  choose(event) {
    this.chosen = event;
    this.draw();
  }

  setFrequencies(low, high) {
    this.low = low;
    this.high = high;
    this.draw();
  }

  setColours(contrast = Number(byId("contrast").value), brightness = Number(byId("brightness").value)) {
    const { floor, ceiling } = this.levels ?? { floor: 60, ceiling: 200 };
    const middle = (floor + ceiling) / 2 + (30 - brightness) * (255 / 120), half = ((ceiling - floor) / 2) * (70 / contrast);
    this.colours = colourTable(middle - half, middle + half);
    if (this.recording) this.draw();
  }

  tileCame() {
    if (this.levels === null) {
      this.levels = levels(this.tiles.counts());
      this.setColours();
    }
    this.draw();
  }

  zoom(factor, around = (this.start + this.end) / 2) {
    const span = Math.min(this.recording.seconds, Math.max(SHORTEST, (this.end - this.start) * factor));
    this.show(around - ((around - this.start) / (this.end - this.start)) * span, span);
  }

  /** Show so many seconds from a start, inside the recording. */
  show(start, span = this.end - this.start) {
    this.start = Math.max(0, Math.min(start, this.recording.seconds - span));
    this.end = this.start + span;
    this.draw();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fetchSpan(), 120);
  }

  /** Make a time visible. */
  reveal(seconds) {
    if (seconds < this.start || seconds > this.end) this.show(seconds - 0.1 * (this.end - this.start));
  }

  /** Fetch waveform and probabilities of what is seen, and a little around it. */
  async fetchSpan() {
    const { recording } = this;
    const margin = 0.5 * (this.end - this.start);
    const start = Math.max(0, this.start - margin), seconds = Math.min(recording.seconds, this.end + margin) - start;
    if (seconds <= 0) return;
    const [bytes, probabilities] = await Promise.all([
      getBytes(address(`${recording.address}/waveform`, { start, seconds, columns: 2400 })),
      getJson(address(`${recording.address}/probabilities`, { start, seconds, steps: STEPS })),
    ]).catch(() => [null, null]);
    if (!bytes || recording !== this.recording) return;
    this.wave = { bytes, start, seconds };
    this.probabilities ??= { names: Object.keys(probabilities.values) };
    // the classes stay the same ones while a person zooms
    const names = this.probabilities.names;
    const others = names.filter((name) => !(name in probabilities.values));
    if (others.length) {
      const more = await getJson(address(`${recording.address}/probabilities`, { start, seconds, steps: STEPS, labels: names })).catch(() => null);
      if (more) probabilities.values = more.values;
    }
    this.probabilities = { ...probabilities, names };
    this.draw();
  }

  x(seconds, width) {
    return ((seconds - this.start) / (this.end - this.start)) * width;
  }

  draw() {
    if (this.frame || !this.recording) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = null;
      this.drawNow();
    });
  }

  drawNow() {
    const style = getComputedStyle(byId("time"));
    const ink = style.color, accent = style.getPropertyValue("--accent"), paper = style.getPropertyValue("--paper");
    this.paint("overview", 36, (context, width, height) => {
      if (this.whole) drawWave(context, this.whole, 0, width, height, ink, this.gain);
      context.globalAlpha = 0.25;
      context.fillStyle = accent;
      const { seconds } = this.recording;
      context.fillRect((this.start / seconds) * width, 0, Math.max(3, ((this.end - this.start) / seconds) * width), height);
    });
    this.paint("wave", 64, (context, width, height) => {
      if (!this.wave) return;
      const left = this.x(this.wave.start, width), right = this.x(this.wave.start + this.wave.seconds, width);
      drawWave(context, this.wave.bytes, left, right, height, accent, this.gain);
    });
    this.paint("picture", 240, (context, width, height) => {
      context.fillStyle = "#000004";
      context.fillRect(0, 0, width, height);
      this.tiles.draw(context, this.start, this.end, width, height, this.low, this.high, this.colours);
      this.drawEvents(context, width, height);
      drawFrequencies(context, height, this.low, this.high);
    });
    this.paint("ribbons", this.lanes * LANE, (context, width) => this.drawRibbons(context, width));
    const names = this.probabilities?.names ?? [];
    this.paint("classes", names.length * STRIP, (context, width) => {
      names.forEach((name, row) => this.drawStrip(context, name, row * STRIP, width, ink, paper));
    });
    this.paint("axis", 22, (context, width, height) => drawTimes(context, width, this.start, this.end, ink));
    this.drawPlayhead();
  }

  paint(id, height, drawing) {
    const canvas = this.canvases[id], scale = window.devicePixelRatio || 1, width = canvas.parentElement.clientWidth;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.height = `${height}px`;
    const context = canvas.getContext("2d");
    context.scale(scale, scale);
    if (width && height) drawing(context, width, height);
  }

  colourOf(label) {
    return classColour(this.classes.indexOf(label));
  }

  /** Draw boxes over the spectrogram: of all events if none overlap, else of the chosen one. */
  drawEvents(context, width, height) {
    context.lineWidth = 1.5;
    for (const event of this.events) {
      if (event.end < this.start || event.start > this.end || (this.lanes > 1 && event !== this.chosen)) continue;
      const left = this.x(event.start, width), right = Math.max(left + 2, this.x(event.end, width));
      context.strokeStyle = this.colourOf(event.label);
      context.strokeRect(left + 0.75, 0.75, right - left - 1.5, height - 1.5);
    }
  }

  /** Draw the events with their labels, in lanes, so that none covers another. */
  drawRibbons(context, width) {
    context.font = "12px system-ui, sans-serif";
    for (const event of this.events) {
      if (event.end < this.start || event.start > this.end || event.lane >= this.lanes) continue;
      const left = this.x(event.start, width), right = Math.max(left + 3, this.x(event.end, width)), top = event.lane * LANE + 1;
      context.fillStyle = this.colourOf(event.label);
      context.fillRect(left, top, right - left - 1, LANE - 2);
      context.save();
      context.beginPath();
      context.rect(Math.max(left, 0), top, right - Math.max(left, 0) - 1, LANE - 2);
      context.clip();
      context.fillStyle = "#0b1412";
      // a score that is cut would be read as another one
      const scored = `${event.label} ${event.score.toFixed(2)}`, fits = context.measureText(scored).width < right - Math.max(left, 0) - 6;
      context.fillText(fits ? scored : event.label, Math.max(left, 0) + 4, top + 12);
      context.restore();
    }
  }

  drawStrip(context, name, top, width, ink, paper) {
    const { start, step, values } = this.probabilities, row = values?.[name] ?? [];
    context.fillStyle = this.colourOf(name);
    const size = (step / (this.end - this.start)) * width;
    row.forEach((value, i) => {
      if (value < 0.02) return;
      const left = this.x(start + i * step, width);
      if (left > width || left + size < 0) return;
      const tall = value * (STRIP - 3);
      context.fillRect(left, top + STRIP - 1 - tall, size + 0.5, tall);
    });
    context.globalAlpha = 0.25;
    context.fillStyle = ink;
    context.fillRect(0, top + STRIP - 1, width, 1);
    context.globalAlpha = 1;
    context.font = "12px system-ui, sans-serif";
    context.lineWidth = 3;
    context.lineJoin = "round";
    context.strokeStyle = paper;
    context.strokeText(name, 5, top + 14);
    context.fillStyle = ink;
    context.fillText(name, 5, top + 14);
  }

  /** Move the playhead to the time of the sound, in seconds. */
  drawPlayhead(seconds = this.now ?? 0) {
    this.now = seconds;
    const width = byId("time").clientWidth, at = this.x(seconds, width);
    byId("playhead").style.transform = `translateX(${at}px)`;
    byId("playhead").hidden = at < 0 || at > width;
  }

  listenToPointer() {
    const time = byId("time");
    const shareAt = (event, box = time.getBoundingClientRect()) => Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    const secondsAt = (event) => this.start + shareAt(event) * (this.end - this.start);
    this.canvases.overview.addEventListener("click", (event) => {
      const seconds = shareAt(event) * this.recording.seconds;
      this.show(seconds - (this.end - this.start) / 2);
      this.seek(seconds);
    });
    let from = null;
    time.addEventListener("pointerdown", (event) => { from = { x: event.clientX, start: this.start, moved: false }; });
    time.addEventListener("pointermove", (event) => {
      if (!from || !event.buttons) return;
      const moved = event.clientX - from.x;
      if (Math.abs(moved) > 4) from.moved = true;
      if (from.moved) this.show(from.start - (moved / time.clientWidth) * (this.end - this.start));
    });
    time.addEventListener("click", (event) => {
      if (!from?.moved) this.seek(secondsAt(event));
      from = null;
    });
    time.addEventListener("wheel", (event) => {
      if (event.ctrlKey) this.zoom(Math.exp(event.deltaY * 0.005), secondsAt(event));
      else if (event.deltaX) this.show(this.start + (event.deltaX / time.clientWidth) * (this.end - this.start));
      else return;
      event.preventDefault();
    }, { passive: false });
  }
}
