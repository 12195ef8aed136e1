// The microphone of the browser: record a WAV file of 16 bits, or follow it live.

import { text } from "./strings.js";
import { Problem } from "./api.js";

/** Open the microphone; each piece of sound (Float32Array) is handed on. The result has its rate, and closes it. */
export async function openMicrophone(take) {
  if (!navigator.mediaDevices) throw new Problem(text("noMicrophone", { why: text("secure") }));
  const raw = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: raw }).catch((error) => {
    throw new Problem(text("noMicrophone", { why: error.name }));
  });
  const context = new AudioContext();
  await context.audioWorklet.addModule("/page/recorder.js");
  const node = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0 });
  node.port.onmessage = (event) => take(event.data);
  context.createMediaStreamSource(stream).connect(node);
  const close = async () => {
    for (const track of stream.getTracks()) track.stop();
    await context.close();
  };
  return { rate: context.sampleRate, close };
}

/** Start to record; the result stops it and gives the file. */
export async function startRecording() {
  const pieces = [];
  const microphone = await openMicrophone((piece) => pieces.push(piece));
  return async () => {
    await microphone.close();
    const name = `${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}.wav`;
    return new File([wav(pieces, microphone.rate)], name, { type: "audio/wav" });
  };
}

/** Give pieces of sound as samples of 16 bits, little endian. */
export function samplesOf(pieces) {
  const view = new DataView(new ArrayBuffer(2 * pieces.reduce((sum, piece) => sum + piece.length, 0)));
  let at = 0;
  for (const piece of pieces) for (const value of piece) {
    view.setInt16(at, Math.round(32767 * Math.max(-1, Math.min(1, value))), true);
    at += 2;
  }
  return view;
}

function wav(pieces, rate) {
  const samples = samplesOf(pieces);
  const head = new DataView(new ArrayBuffer(44));
  const word = (at, letters) => [...letters].forEach((letter, i) => head.setUint8(at + i, letter.charCodeAt(0)));
  word(0, "RIFF"); head.setUint32(4, 36 + samples.byteLength, true); word(8, "WAVEfmt ");
  head.setUint32(16, 16, true); head.setUint16(20, 1, true); head.setUint16(22, 1, true);
  head.setUint32(24, rate, true); head.setUint32(28, 2 * rate, true); head.setUint16(32, 2, true); head.setUint16(34, 16, true);
  word(36, "data"); head.setUint32(40, samples.byteLength, true);
  return new Blob([head, samples]);
}
