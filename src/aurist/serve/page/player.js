// The sound of one recording, and its clock.

import { clock, text } from "./strings.js";

const byId = (id) => document.getElementById(id);

export class Player {
  /** `tick` is called with seconds at each picture of the screen while it plays, and after each jump. */
  constructor(tick) {
    this.sound = byId("sound");
    this.tick = tick;
    this.seconds = 0;
    this.until = null;
    for (const event of ["play", "pause", "seeked", "loadedmetadata", "ended"]) this.sound.addEventListener(event, () => this.show());
    byId("play").onclick = () => this.toggle();
  }

  load(path, seconds) {
    this.sound.pause();
    this.sound.src = path;
    this.seconds = seconds;
    this.until = null;
    this.show();
  }

  get now() {
    return this.sound.currentTime;
  }

  /** Play from a time, to an end if one is given. */
  playFrom(seconds, until = null) {
    this.jump(seconds);
    this.until = until;
    this.sound.play().catch(() => null); // another jump came first
  }

  jump(seconds) {
    this.until = null;
    this.sound.currentTime = Math.max(0, Math.min(seconds, this.seconds));
    this.show();
  }

  toggle() {
    this.until = null;
    if (this.sound.paused) this.sound.play().catch(() => null);
    else this.sound.pause();
  }

  show() {
    byId("play").classList.toggle("playing", !this.sound.paused);
    byId("clock").textContent = `${clock(this.now, 1)} / ${clock(this.seconds)}`;
    const time = byId("time");
    time.setAttribute("aria-valuemax", Math.round(this.seconds));
    time.setAttribute("aria-valuenow", Math.round(this.now));
    time.setAttribute("aria-valuetext", text("played", { at: clock(this.now), of: clock(this.seconds) }));
    this.tick(this.now);
    if (this.until !== null && this.now >= this.until) {
      this.until = null;
      this.sound.pause();
    }
    if (!this.sound.paused) {
      cancelAnimationFrame(this.frame);
      this.frame = requestAnimationFrame(() => this.show());
    }
  }
}
